"""Applications and environments."""

from lab import client, given, maker, pairs, shared

beanstalk = client("elasticbeanstalk")


@maker("elasticbeanstalk", without=dict.fromkeys(("fresh", "owned", "unrecorded", "machine"), "moto tags environments only"))
def application(name, tags):
    beanstalk.create_application(ApplicationName=name)
    return name


@shared
def base_application():
    beanstalk.create_application(ApplicationName="base")
    return "base"


@maker("elasticbeanstalk-environment")
def environment(name, tags):
    beanstalk.create_environment(**given(tags, ApplicationName=base_application(), EnvironmentName=name, Tags=pairs(tags)))
    return name
