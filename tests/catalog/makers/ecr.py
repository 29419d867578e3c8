"""Repositories and images."""

import json

from lab import client, maker, pairs, serial, shared


@maker("ecr")
def repository(name, tags):
    client("ecr").create_repository(repositoryName=name, tags=pairs(tags))
    return name


@shared
def repository_of_images():
    client("ecr").create_repository(repositoryName="base")
    return "base"


@maker("ecr-image")
def image(name, tags):
    digest = f"sha256:{serial():064}"
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
                "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 1, "digest": digest}, "layers": []}
    made = client("ecr").put_image(repositoryName=repository_of_images(), imageManifest=json.dumps(manifest), imageTag=name, imageDigest=digest)
    return made["image"]["imageId"]["imageDigest"]
