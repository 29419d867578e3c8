#!/usr/bin/env python3
"""How near `tag-org` comes to what AWS's request limits allow: an organization on the simulator in `tests/servers/limits`, in real time.

`python3 benches/organization/run.py` builds the program and tags 1,000 accounts × 4 regions. It prints

* the elapsed time of `tag-org`, its CPU and memory;
* the bound that the slowest bucket sets, (requests − burst) ÷ rate, and the elapsed time beside it;
* the sum of all latencies, and by how many calls at a time it was divided;
* the throttled share, and calls by operation.

It fails when a resource has no owner, or a wrong one, never on time.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SERVER = ROOT / "tests/servers/limits/server.py"
REGIONS = ["us-east-1", "us-west-2", "eu-west-1", "eu-central-1"]


def build(profile):
    """The program's path."""
    command = ["cargo", "build", "--locked", "--profile", profile, "--bin", "trailcreator", "--message-format", "json-render-diagnostics"]
    lines = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    messages = [json.loads(line) for line in lines if line.startswith("{")]
    return next(message["executable"] for message in messages if message.get("executable"))


def environment(port):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TRAILCREATOR_"))}
    return kept | {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/nonexistent",
    }


def tag(program, folder, port, options):
    """Runs `tag-org`: seconds, CPU seconds, memory in MB."""
    command = [program, "tag-org", "--org", "--role", "Tagger", "--output", "json", *options]
    start = time.monotonic()
    with open(folder / "report.json", "wb") as output, open(folder / "messages", "wb") as messages:
        process = subprocess.Popen(command, cwd=folder, env=environment(port), stdout=output, stderr=messages)
        _, status, usage = os.wait4(process.pid, 0)
    elapsed = time.monotonic() - start
    if os.waitstatus_to_exitcode(status):
        print((folder / "messages").read_text()[-3000:], file=sys.stderr)
    return elapsed, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def show(elapsed, cpu, memory, report):
    bound, requests = report["bucket_seconds"], report["requests"]
    print(f"elapsed {elapsed:.1f} s, CPU {cpu:.1f} s, memory {memory:.0f} MB")
    print(f"slowest bucket {report['bucket']}: {bound:.1f} s; elapsed is {elapsed / bound if bound else 0:.2f} × that")
    print(f"latencies {report['latency_seconds']:.0f} s (p50 {report['latency_p50_ms']} ms, p99 {report['latency_p99_ms']} ms), "
          f"{report['latency_seconds'] / elapsed:.1f} calls at a time, {report['most_under_way']} at most")
    print(f"requests {requests}, throttled {report['throttled']} ({100 * report['throttled'] / requests:.2f} %); "
          f"one waited for the simulator for {report['longest_wait_ms']} ms at most")
    for operation, count in report["by_operation"].items():
        print(f"  {operation:40} {count:7} {report['throttled_by_operation'].get(operation, 0):7} throttled")
    print(f"resources {report['population']['resources']}, not tagged right: {report['population']['wrong']}")
    others = {name: count for name, count in report["refused"].items() if not name.split()[1].startswith(("Thrott", "Request", "TooMany"))}
    if others:
        print(f"refused: {others}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=1000)
    parser.add_argument("--regions", type=int, default=len(REGIONS), help="up to four")
    parser.add_argument("--largest", type=int, default=1500, help="queues in each region of the largest account")
    parser.add_argument("--profile", default="release", help="profile of the build")
    parser.add_argument("--program", help="a program that is built already")
    parser.add_argument("options", nargs="*", help="further options of tag-org")
    arguments = parser.parse_args()
    program = str(Path(arguments.program or build(arguments.profile)).resolve())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        request = {"accounts": arguments.accounts, "regions": REGIONS[: arguments.regions], "largest": arguments.largest, "folder": name}
        server = subprocess.Popen([sys.executable, SERVER, json.dumps(request)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            port = int(server.stdout.readline())
            subprocess.run([program, "load-files", "trail.json.gz", "--quiet"], cwd=folder, env=environment(port), check=True)
            figures = tag(program, folder, port, arguments.options)
            report = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/_report"))
        finally:
            server.stdin.close()
            server.wait()
    show(*figures, report)
    sys.exit(1 if report["population"]["wrong"] else 0)


if __name__ == "__main__":
    main()
