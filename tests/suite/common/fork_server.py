"""Starts the tests' Python processes by fork: what they all need is imported once, not by each of them.

argv: a Python file, the template. It imports what its processes use, and defines

    def serve(request, caller):   # the request is what the test sent; `caller` is a Caller

The port of the fork server goes to stdout as one line. A test connects to it and sends its request as a line of JSON. The
process that is forked for the connection runs `serve` and ends when that returns. Processes share no state: each has its
own copy of the template's memory. The connection ends when the test drops it or ends in any way, and the fork server ends
when its stdin closes: no orphans.

Members of every request: "variables", environment variables of the process; "errors", the file for all that it prints.

Where the system has no fork, the fork server serves one connection itself, and the harness starts one for each request.
"""

import gc
import importlib
import json
import os
import pathlib
import selectors
import signal
import socket
import sys
import traceback


class Caller:
    """The test at the other end of the connection. Documents are lines of JSON."""

    def __init__(self, connection):
        self.stream = connection.makefile("rwb")

    def request(self):
        return json.loads(self.stream.readline())

    def answer(self, document):
        self.stream.write(json.dumps(document).encode() + b"\n")
        self.stream.flush()

    def wait(self):
        """Returns when the test no longer needs this process."""
        try:
            self.stream.read()
        except OSError:
            pass


def run(template, connection):
    """Serves one connection and ends the process. Threads may be in the middle of anything; there is nothing to save."""
    try:
        caller = Caller(connection)
        request = caller.request()
        os.environ.update(request.get("variables", {}))
        # Nothing reads the pipe to the harness any more.
        errors = request.get("errors")
        output = os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_APPEND) if errors else 2
        os.dup2(output, 2)
        os.dup2(output, 1)
        template.serve(request, caller)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def reap(*_):
    """Takes note of ended processes, so that their CPU time counts and none stays as a zombie."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def fork(template, listener):
    connection, _ = listener.accept()
    if os.fork() == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        listener.close()
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        run(template, connection)
    connection.close()


def end(name):
    """Ends the fork server, and leaves a note of its processes' CPU time for .ci/run, which does not see them end."""
    notes = os.environ.get("TEST_TIMES")
    if notes:
        reap()
        with open(notes, "a", encoding="utf-8") as file:
            print(f"CPU seconds of Python: {sum(os.times()[:4]):.1f} {name}", file=file)
    # DuckDB complains about an orderly end.
    os._exit(0)


def main():
    path = pathlib.Path(sys.argv[1])
    sys.path.insert(0, str(path.parent))
    template = importlib.import_module(path.stem)
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(listener.getsockname()[1], flush=True)
    if not hasattr(os, "fork"):
        run(template, listener.accept()[0])
    # The collector must not touch what is shared: a page that is written to is copied.
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, reap)
    waiting = selectors.DefaultSelector()
    waiting.register(listener, selectors.EVENT_READ)
    waiting.register(sys.stdin, selectors.EVENT_READ)
    while True:
        for key, _ in waiting.select():
            if key.fileobj is sys.stdin:
                end(path.stem)
            fork(template, listener)


if __name__ == "__main__":
    main()
