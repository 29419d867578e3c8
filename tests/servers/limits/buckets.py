"""Request limits: token buckets as AWS documents them, or as observed, and the bound that they set for a run.

A bucket holds `burst` tokens and gets `rate` new ones a second; each request takes one. A request that finds none is throttled.
Where a page names a rate but no burst, the burst is assumed to be one second's worth.
"""

import collections
import dataclasses
import fnmatch


@dataclasses.dataclass(frozen=True)
class Limit:
    service: str
    # A pattern for operations. Each operation has a bucket of its own, unless `shared`.
    operations: str
    rate: float
    burst: float
    shared: bool
    # Whether each region has a bucket of its own; else the account has one.
    regional: bool
    # "documented" by `source`, "observed" or "assumed".
    basis: str
    source: str


EC2 = "https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html"
SQS = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html"
TAGGING = "https://docs.aws.amazon.com/tag-editor/latest/userguide/reference.html"
STS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"
ORGANIZATIONS = "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html"
IAM = "https://aws.amazon.com/blogs/security/how-to-monitor-and-query-iam-resources-at-scale-part-2/"

# The first that fits is the operation's.
LIMITS = (
    # Per operation, account and region.
    # The page has a table of figures; the one for CreateTags could not be read when this was written.
    Limit("ec2", "CreateTags", 10, 100, False, True, "assumed", EC2),
    Limit("ec2", "Describe*", 20, 100, False, True, "documented", EC2),
    # "Tagging actions are limited to 30 TPS per AWS account." Read strictly: all regions together.
    Limit("sqs", "*Queue*Tags", 30, 30, True, False, "documented", SQS),
    Limit("sqs", "*Tag*", 30, 30, True, False, "documented", SQS),
    # No page names a rate for it.
    Limit("sqs", "*", 30, 30, False, True, "assumed", SQS),
    Limit("tagging", "GetResources", 15, 15, False, True, "documented", TAGGING),
    # Not read on the page either.
    Limit("tagging", "TagResources", 5, 5, False, True, "assumed", TAGGING),
    # "600 requests per second, per account, per Region", shared by the operations, for the account that calls.
    Limit("sts", "*", 600, 600, True, True, "documented", STS),
    # The page says that there are buckets, and no figures.
    Limit("iam", "*", 20, 20, True, False, "observed", IAM),
    # The page has a table; its figures could not be read when this was written.
    Limit("organizations", "*", 8, 12, False, False, "assumed", ORGANIZATIONS),
)


class Bucket:
    def __init__(self, name, limit, now):
        self.name, self.limit = name, limit
        self.tokens, self.filled = limit.burst, now
        self.passed = 0

    def take(self, since, now):
        """Takes a token for a request that arrived between `since` and `now`. Returns whether the bucket can have had one in that time: what
        it gets in between does not overflow it."""
        limit = self.limit
        tokens_at = lambda time: self.tokens + (time - self.filled) * limit.rate
        self.tokens = min(limit.burst, tokens_at(since)) + (now - since) * limit.rate
        self.filled = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        self.passed += 1
        return True

    def bound(self):
        """The least seconds in which so many requests pass."""
        return max(0.0, (self.passed - self.limit.burst) / self.limit.rate)


class Buckets:
    def __init__(self):
        self.buckets = {}
        self.requests = collections.Counter()
        self.throttled = collections.Counter()

    def take(self, account, region, service, operation, since, now):
        """Counts a request. Returns whether it passes."""
        self.requests[f"{service}:{operation}"] += 1
        limit = next((limit for limit in LIMITS if limit.service == service and fnmatch.fnmatchcase(operation, limit.operations)), None)
        if limit is None:
            return True
        place = f"{account} {region}" if limit.regional else account
        name = f"{service}:{limit.operations if limit.shared else operation} {place}"
        bucket = self.buckets.get(name)
        if bucket is None:
            bucket = self.buckets[name] = Bucket(name, limit, since)
        passes = bucket.take(since, now)
        if not passes:
            self.throttled[f"{service}:{operation}"] += 1
        return passes

    def slowest(self):
        return max(self.buckets.values(), key=Bucket.bound, default=None)
