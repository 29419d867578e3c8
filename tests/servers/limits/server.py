"""AWS with latencies and request limits: to measure how near a run over an organization comes to what its limits allow.

    python3 tests/servers/limits/server.py '{"accounts": 1000, "regions": ["us-east-1", "eu-west-1"], "largest": 1500, "folder": "/tmp/lab"}'

A template of tests/suite/common/fork_server.py. Request: {"accounts": how many, "regions": their names, with us-east-1, "largest": queues
in each region of the largest account, "folder": where `trail.json.gz` and `accounts.yml` are written, "seed": number, optional, "median" and
"p99": milliseconds of latency, optional}. Answer, once the socket listens: {"port"}.

Each request waits for a latency from a log-normal distribution. Limits are those of `buckets.py`, the population that of `population.py`,
the operations those of `services.py`. GET /_report answers what happened so far, as JSON; see `Simulator.report`. No request is
throttled because this process was slow to find it: see `polls.py`.

One thread. A run over 1,000 accounts needs about 320 requests a second of it.
"""

import asyncio
import json
import math
import pathlib
import random
import socket
import sys
import threading
import time

from buckets import Buckets
from polls import Polls
from population import Population
from services import Refused, Request, answer, error, throttled

MEDIAN = 60
P99 = 800
# The 99th percentile of the standard normal distribution.
Z99 = 2.3263478740408408
BACKLOG = 4096


class Simulator:
    def __init__(self, request):
        seed = request.get("seed", 1)
        self.population = Population(request["accounts"], request["regions"], request["largest"], seed)
        self.buckets = Buckets()
        self.polls = Polls()
        self.random = random.Random(seed)
        median, p99 = request.get("median", MEDIAN), request.get("p99", P99)
        self.location = math.log(median / 1000)
        self.scale = math.log(p99 / median) / Z99
        self.refused = {}
        # Accounts in the order of their first request.
        self.order = {}
        self.latencies = []
        self.longest_wait = 0
        self.number = 0
        self.first = self.last = None
        self.under_way = self.most_under_way = 0

    def latency(self):
        drawn = self.random.lognormvariate(self.location, self.scale)
        self.latencies.append(drawn)
        return drawn

    def serve(self, headers, body, since):
        """The answer to a request that arrived at `since` or later: status, content type, body, request id."""
        self.number += 1
        request_id = f"{self.number:08x}-0000-4000-8000-000000000000"
        request = Request(headers, body)
        now = time.monotonic()
        self.first = self.first or now
        self.longest_wait = max(self.longest_wait, now - since)
        self.order.setdefault(request.account)
        try:
            if not self.buckets.take(request.account, request.region, request.service, request.operation, since, now):
                raise throttled(request.service)
            return 200, *answer(self.population, request, request_id), request_id
        except Refused as refused:
            name = f"{request.service}:{request.operation} {refused.code}"
            self.refused[name] = self.refused.get(name, 0) + 1
            return refused.status, *error(request.service, refused, request_id), request_id

    def report(self):
        """Requests and throttled ones by operation, the bucket that takes longest, the latencies, the longest time that a request can have
        waited for this process, the state of the population."""
        slowest = self.buckets.slowest()
        ordered = sorted(self.latencies)
        requests, refused = self.buckets.requests, self.buckets.throttled
        at = lambda share: round(1000 * ordered[int(share * (len(ordered) - 1))]) if ordered else None
        return {
            "requests": requests.total(), "throttled": refused.total(), "by_operation": dict(sorted(requests.items())),
            "throttled_by_operation": dict(sorted(refused.items())), "refused": self.refused,
            "bucket": slowest.name if slowest else None, "bucket_seconds": slowest.bound() if slowest else 0,
            "latency_seconds": sum(ordered), "latency_p50_ms": at(0.5), "latency_p99_ms": at(0.99),
            "longest_wait_ms": round(1000 * self.longest_wait),
            "most_under_way": self.most_under_way, "seconds": self.last - self.first if self.last else 0,
            "population": self.population.check(), "order": list(self.order), "largest": self.population.largest(), "limits": {name: bucket.passed for name, bucket in self.longest(5)},
        }

    def longest(self, count):
        return sorted(self.buckets.buckets.items(), key=lambda one: -one[1].bound())[:count]


class Connection(asyncio.Protocol):
    """HTTP/1.1 with one request at a time, as far as AWS's clients need it."""

    def __init__(self, simulator, accepted):
        """`accepted`: when the connection can have been made at the earliest."""
        self.simulator, self.accepted = simulator, accepted
        self.buffer = b""

    def connection_made(self, transport):
        self.transport, self.made = transport, time.monotonic()

    def since(self):
        """When the data that the latest poll found can have arrived at the earliest."""
        before = self.simulator.polls.before
        # A connection is first polled some time after it was accepted. What is found then can have been there from the start.
        return before if before > self.made else self.accepted

    def data_received(self, data):
        self.buffer += data
        head, separator, rest = self.buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", 0))
        if len(rest) < length:
            return
        self.buffer = rest[length:]
        if first.startswith("GET /_report"):
            self.send(200, "application/json", json.dumps(self.simulator.report()), "-")
            self.transport.close()
            return
        simulator = self.simulator
        response = simulator.serve(headers, rest[:length], self.since())
        simulator.under_way += 1
        simulator.most_under_way = max(simulator.most_under_way, simulator.under_way)
        asyncio.get_running_loop().call_later(simulator.latency(), self.answer, response)

    def answer(self, response):
        self.simulator.under_way -= 1
        self.simulator.last = time.monotonic()
        if not self.transport.is_closing():
            self.send(*response)

    def send(self, status, content_type, body, request_id):
        content = body.encode()
        head = (
            f"HTTP/1.1 {status} Simulated\r\nContent-Type: {content_type}\r\nContent-Length: {len(content)}\r\n"
            f"x-amzn-RequestId: {request_id}\r\n\r\n"
        )
        self.transport.write(head.encode() + content)


class Listener:
    """Accepts connections, as an event loop's own server does, and notes since when each can have been waiting."""

    def __init__(self, simulator):
        self.simulator = simulator
        self.loop = asyncio.SelectorEventLoop(simulator.polls)
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        self.socket.setblocking(False)
        self.loop.add_reader(self.socket, self.accept)
        # The loop does not keep its tasks alive.
        self.starting = set()

    def port(self):
        return self.socket.getsockname()[1]

    def accept(self):
        since = self.simulator.polls.before
        while True:
            try:
                connection, _ = self.socket.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            protocol = lambda: Connection(self.simulator, since)
            task = self.loop.create_task(self.loop.connect_accepted_socket(protocol, connection))
            self.starting.add(task)
            task.add_done_callback(self.starting.discard)


def serve(request, caller):
    simulator = Simulator(request)
    simulator.population.write(pathlib.Path(request["folder"]))
    listener = Listener(simulator)
    threading.Thread(target=listener.loop.run_forever, daemon=True).start()
    caller.answer({"port": listener.port()})
    caller.wait()


class Terminal:
    """The caller of the program."""

    def answer(self, document):
        print(document["port"], flush=True)

    def wait(self):
        sys.stdin.buffer.read()


if __name__ == "__main__":
    serve(json.loads(sys.argv[1]), Terminal())
