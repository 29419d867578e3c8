#!/usr/bin/env python3
"""The CPU that a load costs, beside gunzip alone and beside other ways to find the same records, in one run.

`python3 benches/peers/run.py [FILES]` builds the program and the floor (`cargo bench --bench scan`), makes an environment with
`requirements.txt` under target/, and makes FILES log files (default 400: 720 MB of JSON). All contenders run one after the other in
each round, as processes of their own, the load and its parts three times; the figure of each is its least CPU time (user and system, all
threads and children), start-up included. It fails when a contender finds other records or rows, never on time.

The shares of a load are differences between such figures: the floor decompresses the files, `--frame` also finds their records,
`--scan` also reads those that match, the load also finds the files and writes the database. A load of a folder without log files is
the start.
"""
import argparse
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import contender

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
# How often the load and its parts run in a round.
OFTEN = 3
FLOOR, FRAME, SCAN, LOAD, START = "floor: libdeflate", "  and framing", "  and reading matches", "trailcreator load-files", "  its start"


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


def measure(command, expected=0):
    """Runs a command: its output, CPU seconds and most memory in MB."""
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as used:
        through = [sys.executable, "-I", "-S", HERE / "usage.py", used.name, *command]
        errors = None if expected == 0 else subprocess.DEVNULL
        text = subprocess.run(through, check=True, stdout=subprocess.PIPE, stderr=errors, text=True).stdout
        code, seconds, memory = json.load(used)
    if code != expected:
        sys.exit(f"{command} ended with exit code {code}")
    return text, seconds, memory / 1024


def load(program, folder, threads):
    """Loads into a new database: what it read, found and wrote; CPU seconds; memory."""
    with tempfile.TemporaryDirectory() as place:
        database = f"{place}/creators.db"
        command = [program, "load-files", folder, "--db", database, "--jobs", str(threads), "--output", "json"]
        text, seconds, memory = measure(command)
        rows = sqlite3.connect(database).execute("SELECT event_time, identity_arn, resource_id FROM resource_events").fetchall()
    result = json.loads(text)
    return (result["records"], result["matched"], contender.digest(rows)), seconds, memory


def start(program):
    """Loads nothing into a new database: a file that has no records."""
    with tempfile.TemporaryDirectory() as place:
        Path(place, "logs").mkdir()
        Path(place, "logs/empty.json").write_text('{"Records":[]}')
        command = [program, "load-files", f"{place}/logs", "--db", f"{place}/creators.db", "--output", "json"]
        return (None, *measure(command)[1:])


def shares(best, threads):
    """Where the CPU time of a load goes."""
    whole = best[LOAD]
    parts = {
        "start": best[START],
        "reading and decompressing": best[FLOOR],
        "finding records": best[FRAME] - best[FLOOR],
        "reading matches": best[SCAN] - best[FRAME],
        "files, threads, database": whole - best[SCAN] - best[START],
    }
    print(f"  shares of the load on {threads}: " + ", ".join(f"{name} {100 * part / whole:.0f} %" for name, part in parts.items()))


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("files", nargs="?", type=int, default=400)
    arguments.add_argument("--profile", default="bench", help="profile of the build; dev only shows that the rows are right")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--only", help="contenders, with commas; python alone needs no environment", default=",".join(contender.CONTENDERS))
    arguments = arguments.parse_args()
    names = arguments.only.split(",")
    built = cargo("bench", "--profile", arguments.profile, "--bench", "scan", "--no-run")
    program, bench = built["trailcreator"], built["scan"]
    made = subprocess.run([bench, "--make", str(arguments.files)], check=True, stdout=subprocess.PIPE, text=True)
    folder = made.stdout.strip()
    interpreter = sys.executable if names == ["python"] else python()

    def other(name):
        def run(threads):
            text, seconds, memory = measure([interpreter, HERE / "contender.py", name, folder, str(threads)])
            records, created, *rows = text.split()
            return (int(records), int(created), *rows), seconds, memory

        return run

    def part(option):
        def run(threads):
            _, seconds, memory = measure([bench, option, str(arguments.files), str(threads)])
            return None, seconds, memory

        return run

    own = {FLOOR: part("--floor"), FRAME: part("--frame"), SCAN: part("--scan")}
    own |= {LOAD: lambda threads: load(program, folder, threads), START: lambda _: start(program)}
    others = {name: other(name) for name in names}
    for threads in (1, 2):
        best, memories, results = {}, {}, {}
        for _ in range(arguments.rounds):
            # The shorter a process, the more does what else the machine does change its time.
            for name, run in [*own.items()] * OFTEN + [*others.items()]:
                results[name], seconds, memories[name] = run(threads)
                best[name] = min(seconds, best.get(name, seconds))
        ours = results[LOAD]
        print(f"{threads} threads: {ours[0]} records, {ours[1]} of them create a resource")
        for name, seconds in best.items():
            ratio = f"{seconds / best[LOAD]:6.2f} of our CPU time"
            print(f"  {name:24} {seconds:7.2f} s of CPU  {ratio}  {memories[name]:5.0f} MB")
        print(f"  the load reaches {best[FLOOR] / best[LOAD]:.2f} of the floor")
        shares(best, threads)
        # Some contenders only count.
        wrong = {name: result for name, result in results.items() if result and result != ours[: len(result)]}
        if wrong:
            sys.exit(f"other records than {ours}: {wrong}")


if __name__ == "__main__":
    main()
