#!/usr/bin/env python3
"""The CPU that a load costs, beside gunzip alone and beside other ways to find the same records, in one run.

`python3 benches/peers/run.py [FILES] [--profile dev]` builds the program and the floor (`cargo bench --bench scan`), makes an
environment with `requirements.txt` under target/, and makes FILES log files (default 400: 800 MB of JSON). All contenders run one
after the other in each round, as processes of their own; the figure of each is its least CPU time (user and system, all threads
and children), start-up included. It fails when a contender finds other records, never on time.
"""
import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
ROUNDS = 3


def cargo(*arguments):
    """Builds; the executable's path by its name."""
    command = ["cargo", *arguments, "--locked", "--message-format", "json-render-diagnostics"]
    lines = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    messages = [json.loads(line) for line in lines if line.startswith("{")]
    return {message["target"]["name"]: message["executable"] for message in messages if message.get("executable")}


def python():
    """An interpreter with the other libraries."""
    requirements = (HERE / "requirements.txt").read_bytes()
    folder = TARGET / f"bench-venv-{hashlib.sha256(requirements).hexdigest()[:12]}"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        subprocess.run([folder / "bin/pip", "install", "--quiet", "-r", HERE / "requirements.txt"], check=True)
        (folder / "complete").touch()
    return folder / "bin/python"


def measure(command):
    """Runs a command: its output, CPU seconds and most memory in MB."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode()
    if process.returncode:
        sys.exit(f"{command} ended with exit code {process.returncode}")
    return text, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def load(program, folder, threads):
    """Loads into a new database: what it read and found, CPU seconds, memory."""
    with tempfile.TemporaryDirectory() as place:
        command = [program, "load-files", folder, "--db", f"{place}/creators.db", "--jobs", str(threads), "--output", "json"]
        text, seconds, memory = measure(command)
    result = json.loads(text)
    return (result["records"], result["matched"]), seconds, memory


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("files", nargs="?", type=int, default=400)
    arguments.add_argument("--profile", default="release", help="profile of the build; dev is for trying the benchmark itself")
    arguments = arguments.parse_args()
    program = cargo("build", "--profile", arguments.profile, "--bin", "trailcreator")["trailcreator"]
    scan = cargo("bench", "--profile", "bench" if arguments.profile == "release" else arguments.profile, "--bench", "scan", "--no-run")["scan"]
    folder = subprocess.run([scan, "--make", str(arguments.files)], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    interpreter = python()

    def other(name):
        def run(threads):
            text, seconds, memory = measure([interpreter, HERE / "contender.py", name, folder, str(threads)])
            return tuple(map(int, text.split())), seconds, memory

        return run

    def floor(threads):
        text, seconds, memory = measure([scan, "--floor", str(arguments.files), str(threads)])
        return None, seconds, memory

    contenders = {"floor: libdeflate": floor, "trailcreator load-files": lambda threads: load(program, folder, threads)}
    contenders |= {name: other(name) for name in ("python", "orjson", "duckdb", "chdb")}
    for threads in (1, 2):
        best, memories, results = {}, {}, {}
        for _ in range(ROUNDS):
            for name, run in contenders.items():
                results[name], seconds, memories[name] = run(threads)
                best[name] = min(seconds, best.get(name, seconds))
        found = {name: result for name, result in results.items() if result}
        ours = found["trailcreator load-files"]
        records, created = ours
        print(f"{threads} threads: {records} records, {created} of them create a resource")
        for name, seconds in best.items():
            ratio = f"{seconds / best['trailcreator load-files']:6.2f} of our CPU time"
            print(f"  {name:24} {seconds:7.2f} s of CPU  {ratio}  {memories[name]:5.0f} MB")
        print(f"  the load reaches {best['floor: libdeflate'] / best['trailcreator load-files']:.2f} of the floor")
        wrong = {name: result for name, result in found.items() if result != ours}
        if wrong:
            sys.exit(f"other records than {ours}: {wrong}")


if __name__ == "__main__":
    main()
