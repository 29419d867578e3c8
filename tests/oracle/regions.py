"""Prints src/model/names/regions.json: AWS's partitions, each with the pattern of its regions' names and the regions that it has, from
botocore's partitions.json, which AWS maintains for all its SDKs."""

import json
from pathlib import Path

import botocore

GLOBAL = "-global"


def main() -> None:
    partitions = json.loads((Path(botocore.__file__).parent / "data/partitions.json").read_text())["partitions"]
    lines = []
    for partition in partitions:
        regions = sorted(name for name in partition["regions"] if not name.endswith(GLOBAL))
        entry = {"partition": partition["id"], "pattern": partition["regionRegex"], "regions": regions}
        lines.append(json.dumps(entry))
    print("[\n" + ",\n".join(lines) + "\n]")


main()
