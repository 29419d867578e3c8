"""Detectors, and filters of one of them."""

from lab import client, given, maker, shared

guardduty = client("guardduty")
CRITERIA = {"Criterion": {"severity": {"Gte": 4}}}


@shared
def first():
    return guardduty.create_detector(Enable=True)["DetectorId"]


@maker("guardduty-detector")
def detector(name, tags):
    return guardduty.create_detector(**given(tags, Enable=True, Tags=tags))["DetectorId"]
