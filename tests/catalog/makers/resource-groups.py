"""Groups of resources."""

import json

from lab import client, given, maker


@maker("resource-group")
def group(name, tags):
    query = {"ResourceTypeFilters": ["AWS::AllSupported"], "TagFilters": [{"Key": "team", "Values": ["blue"]}]}
    made = client("resource-groups").create_group(
        **given(tags, Name=name, ResourceQuery={"Type": "TAG_FILTERS_1_0", "Query": json.dumps(query)}, Tags=tags))
    return made["Group"]["GroupArn"]
