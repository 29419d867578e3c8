"""Environments. moto knows no tags of applications."""

from lab import client, given, maker, pairs, shared

beanstalk = client("elasticbeanstalk")


@shared
def base_application():
    beanstalk.create_application(ApplicationName="base")
    return "base"


@maker("elasticbeanstalk-environment")
def environment(name, tags):
    beanstalk.create_environment(**given(tags, ApplicationName=base_application(), EnvironmentName=name, Tags=pairs(tags)))
    return name
