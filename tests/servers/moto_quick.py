"""Queues of moto that hold thousands of messages: same answers, less counting.

For each message sent or received, moto counts the messages of the queue several times, with two reads of the clock per message, only
to look at another attribute of the queue. Sending ten thousand messages took eight minutes.
"""

import functools
import threading
import time

from moto.sqs import models

_uncounting = threading.local()


def _uncounted(count):
    return property(lambda queue: 0 if getattr(_uncounting, "is_on", False) else count.fget(queue))


for _name in ("", "_delayed", "_not_visible"):
    _name = "approximate_number_of_messages" + _name
    setattr(models.Queue, _name, _uncounted(getattr(models.Queue, _name)))


def _without_counts(method):
    @functools.wraps(method)
    def call(*args, **named):
        before, _uncounting.is_on = getattr(_uncounting, "is_on", False), True
        try:
            return method(*args, **named)
        finally:
            _uncounting.is_on = before

    return call


for _name in ("_validate_message", "send_message", "is_message_valid_based_on_retention_period"):
    setattr(models.SQSBackend, _name, _without_counts(getattr(models.SQSBackend, _name)))
models.unix_time_millis = lambda: time.time() * 1000
