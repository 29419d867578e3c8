"""What an organization has: accounts with queues, instances, volumes, roles and policies, and who created each.

All follows from the number of accounts, the regions, the size of the largest account and a seed. Sizes differ as they do in
organizations: few accounts have most of the resources. Every second queue and policy has a tag already, so that the Tagging API
lists it.
"""

import gzip
import json
import random

# How fast sizes fall from the largest account to the smallest.
SKEW = 1.2
OWNERS = 3


class Population:
    def __init__(self, accounts, regions, largest, seed):
        self.regions = regions
        self.ids = [f"{100_000 + number:012}" for number in range(accounts)]
        ranks = list(range(accounts))
        random.Random(seed).shuffle(ranks)
        self.queues_each = {account: max(1, int(largest / (rank + 1) ** SKEW)) for account, rank in zip(self.ids, ranks)}
        self.tags = {}
        for account in self.ids:
            for arns in self.arns(account).values():
                self.tags.update((arn, {}) for arn in arns)
            for _, arns in self.of_tagging_api(account):
                self.tags.update((arn, {"env": "prod"}) for arn in arns[::2])

    def names(self, account, kind):
        queues = self.queues_each[account]
        count = {"queue": queues, "instance": queues // 4 + 1, "volume": queues // 2 + 1, "role": queues // 20 + 2, "policy": queues // 20 + 1}[kind]
        return range(count)

    def queues(self, account, region):
        return [f"arn:aws:sqs:{region}:{account}:jobs-{number}" for number in self.names(account, "queue")]

    def ec2(self, account, region, kind, prefix):
        stem = f"{int(account):06x}{self.regions.index(region):02x}"
        return [f"arn:aws:ec2:{region}:{account}:{kind}/{prefix}-{stem}{number:09x}" for number in self.names(account, kind)]

    def instances(self, account, region):
        return self.ec2(account, region, "instance", "i")

    def volumes(self, account, region):
        return self.ec2(account, region, "volume", "vol")

    def roles(self, account):
        return [f"arn:aws:iam::{account}:role/deploy-{number}" for number in self.names(account, "role")]

    def policies(self, account):
        return [f"arn:aws:iam::{account}:policy/access-{number}" for number in self.names(account, "policy")]

    def arns(self, account):
        """All of an account, by the name of the event that creates it and the region."""
        found = {("CreateRole", "us-east-1"): self.roles(account), ("CreatePolicy", "us-east-1"): self.policies(account)}
        for region in self.regions:
            found["CreateQueue", region] = self.queues(account, region)
            found["RunInstances", region] = self.instances(account, region)
            found["CreateVolume", region] = self.volumes(account, region)
        return found

    def of_tagging_api(self, account):
        """What only the Tagging API and a call for each resource have the tags of, by region."""
        yield "us-east-1", self.policies(account)
        for region in self.regions:
            yield region, self.queues(account, region)

    def write(self, folder):
        """The trail with the create events of all, and the accounts file."""
        with gzip.open(folder / "trail.json.gz", "wt", compresslevel=1) as file:
            records = (record for account in self.ids for record in self.records(account))
            file.write('{"Records":[')
            for position, record in enumerate(records):
                file.write(("," if position else "") + json.dumps({**record, "eventID": f"{position:032x}"}))
            file.write("]}")
        stanzas = (f"- account_id: '{account}'\n  name: a{account}\n  role: arn:aws:iam::{account}:role/Tagger\n" for account in self.ids)
        (folder / "accounts.yml").write_text("accounts:\n" + "".join(stanzas))

    def records(self, account):
        for (event, region), arns in self.arns(account).items():
            for arn in arns:
                source, request, response = details(event, arn)
                yield {
                    "eventVersion": "1.11", "eventTime": "2026-03-01T10:00:00Z", "eventSource": f"{source}.amazonaws.com",
                    "eventName": event, "awsRegion": region, "recipientAccountId": account, "requestParameters": request,
                    "responseElements": response,
                    "userIdentity": {"type": "IAMUser", "userName": owner(arn), "accountId": account,
                                     "arn": f"arn:aws:iam::{account}:user/{owner(arn)}", "principalId": "AIDA"},
                }

    def largest(self):
        return max(self.ids, key=self.queues_each.get)

    def check(self):
        """How many resources there are, and how many have no owner or a wrong one."""
        wrong = sum(tags.get("Owner") != owner(arn) for arn, tags in self.tags.items())
        return {"resources": len(self.tags), "wrong": wrong}


def owner(arn):
    """Who created it."""
    return f"owner{sum(arn.encode()) % OWNERS}"


def url(arn):
    _, _, _, region, account, name = arn.split(":")
    return f"https://sqs.{region}.amazonaws.com/{account}/{name}"


def policy_id(arn):
    account, name = arn.split(":")[4], arn.rpartition("-")[2]
    return f"ANPA{int(account):06X}{int(name):011X}"


def details(event, arn):
    """Source, request and response of an event that creates this."""
    name = arn.rpartition("/")[2]
    match event:
        case "CreateQueue":
            return "sqs", {"queueName": arn.rpartition(":")[2]}, {"queueUrl": url(arn)}
        case "RunInstances":
            return "ec2", None, {"instancesSet": {"items": [{"instanceId": name}]}}
        case "CreateVolume":
            return "ec2", None, {"volumeId": name}
        case "CreateRole":
            return "iam", {"roleName": name}, {"role": {"roleName": name, "arn": arn}}
        case _:
            return "iam", {"policyName": name}, {"policy": {"policyName": name, "arn": arn, "policyId": policy_id(arn)}}
