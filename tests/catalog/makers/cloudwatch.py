"""Alarms."""

from lab import client, given, maker, pairs


@maker("alarm")
def alarm(name, tags):
    client("cloudwatch").put_metric_alarm(
        AlarmName=name, MetricName="m", Namespace="n", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1,
        ComparisonOperator="GreaterThanThreshold", Tags=pairs(tags))
    return name


@maker("insight-rule")
def insight_rule(name, tags):
    client("cloudwatch").put_insight_rule(RuleName=name, RuleDefinition="{}", Tags=pairs(tags))
    return name


@maker("cloudwatch-dashboard")
def dashboard(name, tags):
    client("cloudwatch").put_dashboard(**given(tags, DashboardName=name, DashboardBody='{"widgets": []}', Tags=pairs(tags)))
    return name
