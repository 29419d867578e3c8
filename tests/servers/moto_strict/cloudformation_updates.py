"""CloudFormation's updates as AWS makes them; moto's are over at once, never fail, and know no tags in change sets.

* An update is accepted, and the stack is UPDATE_IN_PROGRESS until it is looked at again. Then it is UPDATE_COMPLETE; or, where the
  stack has a tag `test:rollback`, UPDATE_ROLLBACK_IN_PROGRESS with a reason and UPDATE_ROLLBACK_COMPLETE without, and the tags are those
  of before. A tag `test:slow` keeps it in progress for so many looks.
* A stack in progress, or with a creation that was rolled back, accepts no update.
* Tags replace all tags, an empty list too, and go on to the stack's resources.
* A change set of an update shows a change of tags for every resource, and that parameters from Parameter Store have new values.
  Executing it where the stack was updated since is refused; an update removes all change sets.
* DescribeStacks shows the values of such parameters as they were at the last update (`ResolvedValue`).

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_UpdateStack.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/systems-manager-parameter-types.html
"""

from moto_strict import after_import

REASON = "The following resource(s) failed to update: [Q]."
NO_CHANGES = (
    "The submitted information didn't contain changes. Submit different information to create a change set."
)


class Updates:
    """What AWS knows of a stack's updates, and moto doesn't."""

    def __init__(self, stack):
        self.resolved = resolved_now(stack)
        self.steps = []
        self.before = None
        self.count = 0


def updates_of(stack):
    if not hasattr(stack, "strict_updates"):
        stack.strict_updates = Updates(stack)
    return stack.strict_updates


def resolved_now(stack):
    """The present values of the parameters that are in Parameter Store, by name: (key there, value)."""
    from moto.ssm.models import ssm_backends

    slots = stack.template_dict.get("Parameters", {})
    found = {}
    for name, slot in slots.items():
        if slot["Type"].startswith("AWS::SSM::Parameter::"):
            key = (stack.parameters or {}).get(name) or slot.get("Default")
            parameter = ssm_backends[stack.account_id][stack.region_name].get_parameter(key)
            found[name] = (key, parameter.value if parameter else None)
    return found


def begin(stack, tags, error):
    """Accepts an update."""
    if stack.status.endswith("_IN_PROGRESS") or stack.status in ("ROLLBACK_COMPLETE", "DELETE_COMPLETE"):
        raise error(stack.stack_id, message=f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated.")
    updates = updates_of(stack)
    updates.before = dict(stack.tags)
    updates.count += 1
    looks = int(tags.get("test:slow", "1"))
    rolls_back = "test:rollback" in tags
    updates.steps = ["UPDATE_IN_PROGRESS"] * looks
    updates.steps += ["UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"] if rolls_back else ["UPDATE_COMPLETE"]
    if not rolls_back:
        updates.resolved = resolved_now(stack)
    stack.tags = tags
    step(stack)


def step(stack):
    """What time brings: the next state."""
    updates = updates_of(stack)
    if not updates.steps:
        return
    stack.status = updates.steps.pop(0)
    stack.stack_status_reason = REASON if stack.status == "UPDATE_ROLLBACK_IN_PROGRESS" else None
    if stack.status == "UPDATE_ROLLBACK_COMPLETE":
        stack.tags = updates.before
    if stack.status == "UPDATE_COMPLETE":
        propagate(stack)


def propagate(stack):
    """Gives the tags to the resources; of those, queues are played."""
    old = updates_of(stack).before
    for queue in stack.stack_resources:
        if getattr(queue, "cf_resource_type", None) == "AWS::SQS::Queue":
            queue.tags = {key: value for key, value in queue.tags.items() if key not in old} | stack.tags


def parameters_of(stack, values):
    """A stack's parameters as AWS shows them."""
    shown = []
    for name, value in stack.resource_map.resolved_parameters.items():
        if name in values:
            shown.append({"ParameterKey": name, "ParameterValue": values[name][0], "ResolvedValue": values[name][1]})
        else:
            shown.append({"ParameterKey": name, "ParameterValue": str(value)})
    return shown


def changes_of(stack, moved):
    """A change for every resource: its tags, and all properties where a value that they refer to has moved."""

    def change(name, resource):
        text = str(resource)
        attributes = ["Tags"] + (["Properties"] if any(parameter in text for parameter in moved) else [])
        details = [
            {
                "Target": {"Attribute": attribute, "RequiresRecreation": "Never" if attribute == "Tags" else "Always"},
                "Evaluation": "Static",
                "ChangeSource": "DirectModification",
            }
            for attribute in attributes
        ]
        return {
            "Type": "Resource",
            "ResourceChange": {
                "Action": "Modify",
                "LogicalResourceId": name,
                "ResourceType": resource["Type"],
                "Replacement": "False" if attributes == ["Tags"] else "True",
                "Scope": attributes,
                "Details": details,
            },
        }

    return [change(name, resource) for name, resource in stack.template_dict["Resources"].items()]


def is_answer(value):
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


@after_import("moto.cloudformation.responses")
def update_as_aws_does(responses):
    from moto.cloudformation.exceptions import ValidationError
    from moto.core.responses import ActionResult, EmptyResult

    response = responses.CloudFormationResponse
    plain = {
        name: getattr(response, name)
        for name in ("update_stack", "create_change_set", "describe_change_set", "execute_change_set", "delete_change_set")
    }
    describe_stacks = response.describe_stacks
    change_sets = {}

    def sent_tags(self):
        return {item["Key"]: item["Value"] for item in self._get_param("Tags") or []}

    def update_stack(self):
        if not self._get_bool_param("UsePreviousTemplate", False):
            return plain["update_stack"](self)
        stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
        updates_of(stack)
        tags = sent_tags(self) if self._get_param("Tags") is not None or sends_empty(self, "Tags") else dict(stack.tags)
        if tags == stack.tags and resolved_now(stack) == updates_of(stack).resolved:
            raise ValidationError(stack.stack_id, message="No updates are to be performed.")
        begin(stack, tags, ValidationError)
        drop_change_sets(stack)
        return ActionResult({"StackId": stack.stack_id})

    def sends_empty(self, name):
        """moto takes an empty list for none given."""
        return name in self.querystring or f"{name}=" in str(getattr(self, "body", ""))

    def drop_change_sets(stack):
        for key in [key for key, one in change_sets.items() if one["stack"] is stack]:
            del change_sets[key]

    def create_change_set(self):
        if self._get_param("ChangeSetType", "CREATE") != "UPDATE":
            return plain["create_change_set"](self)
        stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
        if stack.status.endswith("_IN_PROGRESS"):
            raise ValidationError(
                stack.stack_id, message=f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated."
            )
        name = self._get_param("ChangeSetName")
        key = f"{stack.stack_id.replace(':stack/', ':changeSet/')}/{name}"
        tags, values = sent_tags(self), resolved_now(stack)
        moved = [one for one in values if values[one] != updates_of(stack).resolved[one]]
        is_empty = tags == stack.tags and not moved
        change_sets[key] = {
            "stack": stack,
            "tags": tags,
            "count": updates_of(stack).count,
            "looks": 0,
            "answer": {
                "ChangeSetName": name,
                "ChangeSetId": key,
                "StackId": stack.stack_id,
                "StackName": stack.name,
                "Parameters": parameters_of(stack, values),
                "Status": "FAILED" if is_empty else "CREATE_COMPLETE",
                "StatusReason": NO_CHANGES if is_empty else None,
                "ExecutionStatus": "UNAVAILABLE" if is_empty else "AVAILABLE",
                "Changes": [] if is_empty else changes_of(stack, moved),
            },
        }
        return ActionResult({"Id": key, "StackId": stack.stack_id})

    def describe_change_set(self):
        found = change_sets.get(self._get_param("ChangeSetName"))
        return ActionResult(found["answer"]) if found else plain["describe_change_set"](self)

    def execute_change_set(self):
        found = change_sets.get(self._get_param("ChangeSetName"))
        if not found:
            return plain["execute_change_set"](self)
        stack = found["stack"]
        if found["count"] != updates_of(stack).count or found["answer"]["ExecutionStatus"] != "AVAILABLE":
            raise ValidationError(stack.stack_id, message="The change set cannot be executed in its current state")
        begin(stack, found["tags"], ValidationError)
        drop_change_sets(stack)
        return EmptyResult()

    def delete_change_set(self):
        if change_sets.pop(self._get_param("ChangeSetName"), None) is None:
            return plain["delete_change_set"](self)
        return EmptyResult()

    def list_change_sets(self):
        stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
        return ActionResult({"Summaries": [one["answer"] for one in change_sets.values() if one["stack"] is stack]})

    def describe_stacks_in_time(self):
        wanted = self._get_param("StackName")
        for stack in self.cloudformation_backend.describe_stacks(wanted):
            if stack.template_dict:
                updates_of(stack)
                # Only who asks for one stack waits for it.
                if wanted:
                    step(stack)
        return describe_stacks(self)

    # Of these change sets the answer has AWS's form already.
    transformers = response.RESPONSE_KEY_PATH_TO_TRANSFORMER
    for key in ("DescribeChangeSetOutput.Changes", "DescribeChangeSetOutput.Parameters"):
        transformers[key] = lambda value, plain=transformers[key]: value if is_answer(value) else plain(value)

    for change in (update_stack, create_change_set, describe_change_set, execute_change_set, delete_change_set, list_change_sets):
        setattr(response, change.__name__, change)
    response.describe_stacks = describe_stacks_in_time


@after_import("moto.cloudformation.models")
def show_resolved_values(models):
    create_resources = models.Stack.create_resources

    def create_and_remember(self):
        create_resources(self)
        updates_of(self)

    models.Stack.create_resources = create_and_remember
    models.Stack.parameter_list = property(lambda stack: parameters_of(stack, updates_of(stack).resolved))
