"""Cases."""

from lab import client, maker


@maker("support-case")
def case(name, tags):
    return client("support").create_case(subject=name, communicationBody="lab")["caseId"]
