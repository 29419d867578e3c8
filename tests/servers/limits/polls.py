"""Since when a request can have been waiting.

The server does not run all the time: on a busy machine, other processes have the processors. It finds the requests that arrived
meanwhile together, and late. AWS's servers do run, so the time at which ours finds a request must not count as its arrival. What is
certain is that the poll before did not find it: it arrived since.
"""

import selectors
import time

# The most seconds from one poll to the next. Without this bound, the first request after a quiet time could have arrived in any of it.
INTERVAL = 0.01


class Polls(selectors.DefaultSelector):
    """A selector that remembers when its latest two polls began. When they ended says nothing: the process can be stopped between the
    system's answer and the return from it."""

    def __init__(self):
        super().__init__()
        self.before = self.latest = time.monotonic()

    def select(self, timeout=None):
        self.before, self.latest = self.latest, time.monotonic()
        return super().select(INTERVAL if timeout is None else min(timeout, INTERVAL))
