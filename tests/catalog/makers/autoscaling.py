"""Groups, what they launch and when."""

from lab import REGION, base, client, maker, pairs, shared


@maker("asg")
def group(name, tags):
    full = [{**tag, "PropagateAtLaunch": False, "ResourceId": name, "ResourceType": "auto-scaling-group"} for tag in pairs(tags)]
    client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=name, MinSize=0, MaxSize=1, AvailabilityZones=[REGION + "a"], Tags=full,
        LaunchTemplate={"LaunchTemplateId": base().template, "Version": "$Latest"})
    return name


@maker("launch-config")
def launch_configuration(name, tags):
    client("autoscaling").create_launch_configuration(LaunchConfigurationName=name, ImageId=base().image, InstanceType="t3.micro")
    return name


@shared
def group_of_policies():
    return group("base", {})


@maker("scaling-policy")
def scaling_policy(name, tags):
    client("autoscaling").put_scaling_policy(AutoScalingGroupName=group_of_policies(), PolicyName=name, AdjustmentType="ChangeInCapacity",
                                             ScalingAdjustment=1)
    return name
