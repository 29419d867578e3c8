"""Queues of moto that hold thousands of messages: same answers, less counting and searching.

For each message sent or received, moto counts the messages of the queue several times, with two reads of the clock per message, only
to look at another attribute of the queue: sending ten thousand messages took eight minutes. It looks for a receipt handle in all
messages of the queue, one after the other.
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


# The message of each receipt handle, of all queues.
_by_handle = {}


def _mark_received(self, *args, mark_received=models.Message.mark_received, **named):
    mark_received(self, *args, **named)
    _by_handle[self.receipt_handle] = self


def _had_receipt_handle(self, receipt_handle):
    return _by_handle.get(receipt_handle) is self


models.Message.mark_received = _mark_received
models.Message.had_receipt_handle = _had_receipt_handle
models.unix_time_millis = lambda: time.time() * 1000
