"""Prints src/aws/endpoint-variants.json: FIPS and dual-stack endpoints that don't follow AWS's pattern, by botocore's rules.

    target/test-venv-*/bin/python tests/oracle/endpoint_variants.py > src/aws/endpoint-variants.json

The pattern is https://{prefix}[-fips].{region}.{the partition's suffix}, as src/aws/endpoint.rs has it. An empty URL says
that there is no such endpoint. A test runs this and compares.
"""

import collections
import json

from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import EndpointProviderError
from botocore.loaders import Loader

PARTITIONS = {"aws", "aws-cn", "aws-us-gov"}
# Names of the variants: with FIPS, with dual stack.
VARIANTS = {"fips": (True, False), "dual": (False, True), "fips_dual": (True, True)}


def template(provider, region, fips, dual):
    try:
        url = provider.resolve_endpoint(Region=region, UseFIPS=fips, UseDualStack=dual).url
    except EndpointProviderError as error:
        # Others want parameters that we don't have: they are asked for by their pattern.
        return "" if "support" in str(error) else None
    return url


def exceptions(loader, partitions, name):
    """The service's id in small letters, and URLs by partition or (where one region is unlike the others) region, by variant."""
    metadata = loader.load_service_model(name, "service-2")["metadata"]
    provider = EndpointProvider(loader.load_service_model(name, "endpoint-rule-set-1"), partitions)
    found = {}
    for partition in partitions["partitions"]:
        if partition["id"] not in PARTITIONS:
            continue
        regions = [region for region in partition["regions"] if not region.endswith("-global")]
        suffixes = partition["outputs"]["dnsSuffix"], partition["outputs"]["dualStackDnsSuffix"]
        for variant, (fips, dual) in VARIANTS.items():
            urls = {region: template(provider, region, fips, dual) for region in regions}
            if None in urls.values():
                continue
            if len(set(urls.values())) > 1:
                urls = {region: url.replace(region, "{region}") for region, url in urls.items()}
            usual = collections.Counter(urls.values()).most_common(1)[0][0]
            pattern = f"https://{metadata['endpointPrefix']}{'-fips' if fips else ''}.{{region}}.{suffixes[dual]}"
            if usual != pattern:
                found.setdefault(partition["id"], {})[variant] = usual
            for region, url in urls.items():
                if url != usual:
                    found.setdefault(region, {})[variant] = url
    return metadata["serviceId"].lower(), found


def main():
    loader = Loader()
    partitions = loader.load_data("partitions")
    names = loader.list_available_services("endpoint-rule-set-1")
    found = sorted(dict(exceptions(loader, partitions, name) for name in names).items())
    lines = [f"{json.dumps(service)}: {json.dumps(urls)}" for service, urls in found if urls]
    print("{\n" + ",\n".join(lines) + "\n}")


if __name__ == "__main__":
    main()
