"""Groups."""

from lab import REGION, base, client, maker, pairs


@maker("asg")
def group(name, tags):
    full = [{**tag, "PropagateAtLaunch": False, "ResourceId": name, "ResourceType": "auto-scaling-group"} for tag in pairs(tags)]
    client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=name, MinSize=0, MaxSize=1, AvailabilityZones=[REGION + "a"], Tags=full,
        LaunchTemplate={"LaunchTemplateId": base().template, "Version": "$Latest"})
    return name
