# All tags of the world of tests/suite/faults as moto has them, and a second writer. Asked by paths that no AWS API has:
# /played/tags, /played/keep and /played/reset (what is there is kept, and restored), /played/second?SEED:RATE (from now on a person
# adds notes to resources while requests arrive; /played/notes lists them; /played/alone ends that).
import json
import random

from moto.cloudformation.models import cloudformation_backends
from moto.ec2.models import ec2_backends
from moto.ecr.models import ecr_backends
from moto.events.models import events_backends
from moto.iam.models import iam_backends
from moto.logs.models import logs_backends
from moto.s3.models import s3_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

ACCOUNT, REGION = "123456789012", "us-east-1"
KEPT, NOTES, SECOND = {}, [], {"rate": 0.0, "counts": {}}


class Plain:
    """Tags in a dictionary."""

    def __init__(self, tags):
        self.get, self.tags = lambda: dict(tags), tags

    def set(self, tags):
        self.tags.clear()
        self.tags.update(tags)


class OfRole:
    def __init__(self, role):
        self.role = role

    def get(self):
        return {tag["Key"]: tag["Value"] for tag in self.role.tags}

    def set(self, tags):
        self.role.tags = [{"Key": key, "Value": value} for key, value in tags.items()]


class Tagger:
    """Tags in moto's own service for tags."""

    def __init__(self, tagger, arn):
        self.tagger, self.arn = tagger, arn

    def get(self):
        return self.tagger.get_tag_dict_for_resource(self.arn)

    def set(self, tags):
        self.tagger.delete_all_tags_for_resource(self.arn)
        self.tagger.tag_resource(self.arn, [{"Key": key, "Value": value} for key, value in tags.items()])


class OfStack:
    """Tags of a stack. Who sets them deploys it, which makes change sets of before obsolete."""

    def __init__(self, stack):
        self.stack = stack

    def get(self):
        return dict(self.stack.tags)

    def set(self, tags):
        self.stack.tags, self.stack.status = dict(tags), "UPDATE_COMPLETE"
        self.stack.strict_updates.steps = []
        self.stack.strict_updates.count += 1


def is_open(holder):
    """A stack that is updated can't be deployed at the same time."""
    return not isinstance(holder, OfStack) or not holder.stack.status.endswith("_IN_PROGRESS")


def holders():
    def here(backends, region=REGION):
        return backends[ACCOUNT][region]

    stacks = {stack.name: OfStack(stack) for stack in here(cloudformation_backends).stacks.values()}
    if stacks:
        return stacks
    found = {volume: Plain(here(ec2_backends).tags[volume]) for volume in here(ec2_backends).volumes}
    found |= {name: Plain(queue.tags) for name, queue in here(sqs_backends).queues.items()}
    found["app"] = OfRole(here(iam_backends, "aws").get_role("app"))
    found |= {arn.rsplit(":", 1)[-1]: Plain(topic._tags) for arn, topic in here(sns_backends).topics.items()}
    found["logs-of-faults"] = Tagger(here(s3_backends, "aws").tagger, "arn:aws:s3:::logs-of-faults")
    found["images"] = Tagger(here(ecr_backends).tagger, here(ecr_backends).repositories["images"].arn)
    found["/app"] = Tagger(here(logs_backends).tagger, f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/app")
    found["nightly"] = Tagger(here(events_backends).tagger, f"arn:aws:events:{REGION}:{ACCOUNT}:rule/nightly")
    return found


def answer(path, query):
    if path == "keep":
        KEPT.update({name: holder.get() for name, holder in holders().items()})
    if path == "reset":
        for name, holder in holders().items():
            holder.set(KEPT[name])
    if path in ("reset", "second"):
        seed, _, rate = query.partition(":")
        SECOND.update(rate=float(rate or 0), seed=seed, counts={})
        NOTES.clear()
    if path == "alone":
        SECOND.update(rate=0.0)
    result = NOTES if path == "notes" else {name: holder.get() for name, holder in holders().items()}
    content = json.dumps(result)
    return 200, "application/json", content, ("Content-Length", str(len(content)))


def write_a_note(action):
    number = SECOND["counts"][action] = SECOND["counts"].get(action, 0) + 1
    chance = random.Random(f"{SECOND['seed']}:{action}:{number}")
    # PutBucketTagging replaces all tags: the window before it is documented.
    # 50 tags are the most, and a person ends at some time.
    if len(NOTES) >= 20 or chance.random() >= SECOND["rate"] or action.startswith("PUT /"):
        return
    found = holders()
    name = chance.choice(sorted(found))
    if not is_open(found[name]):
        return
    note = f"note-{len(NOTES)}"
    found[name].set(found[name].get() | {note: "person"})
    NOTES.append([name, note])


def before(entry, environ):
    if entry["path"].startswith("/played/"):
        return answer(entry["path"].rsplit("/", 1)[-1], entry["query"])
    if SECOND["rate"] and "Boto3/" not in entry["user_agent"]:
        write_a_note(entry["action"])
