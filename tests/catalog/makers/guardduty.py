"""Detectors."""

from lab import client, given, maker


@maker("guardduty-detector")
def detector(name, tags):
    return client("guardduty").create_detector(**given(tags, Enable=True, Tags=tags))["DetectorId"]
