"""Queues of moto that take thousands of messages in seconds: same answers, less counting.

Each message sent made moto count the messages of the queue three times, each with two reads of the clock per message, only to look
at an attribute of the queue. Ten thousand messages took eight minutes.
"""

import functools
import threading
import time

from moto.sqs import models

_sending = threading.local()


def _uncounted_while_sending(count):
    return property(lambda queue: 0 if getattr(_sending, "is_on", False) else count.fget(queue))


for _name in ("", "_delayed", "_not_visible"):
    _name = "approximate_number_of_messages" + _name
    setattr(models.Queue, _name, _uncounted_while_sending(getattr(models.Queue, _name)))


def _sends(method):
    @functools.wraps(method)
    def send(*args, **named):
        _sending.is_on = True
        try:
            return method(*args, **named)
        finally:
            _sending.is_on = False

    return send


models.SQSBackend._validate_message = _sends(models.SQSBackend._validate_message)
models.SQSBackend.send_message = _sends(models.SQSBackend.send_message)
models.unix_time_millis = lambda: time.time() * 1000
