"""The earliest time at which a request can have arrived.

On a busy machine, the server is not always running. It then finds several requests at once, later than they arrived. AWS would have
counted each of them on arrival, so the time at which this server finds a request must not count. All that is certain is that the
request arrived after the previous poll, which did not find it.
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
