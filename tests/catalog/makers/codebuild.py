"""Projects."""

from lab import base, client, maker, pairs


@maker("codebuild")
def project(name, tags):
    client("codebuild").create_project(
        name=name, source={"type": "GITHUB", "location": "https://example.com/a.git"}, artifacts={"type": "NO_ARTIFACTS"}, serviceRole=base().role,
        environment={"type": "LINUX_CONTAINER", "image": "alpine", "computeType": "BUILD_GENERAL1_SMALL"}, tags=pairs(tags, "key", "value"))
    return name
