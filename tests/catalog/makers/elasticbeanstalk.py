"""Applications and environments."""

from lab import client, given, maker, pairs, shared

beanstalk = client("elasticbeanstalk")


@maker("elasticbeanstalk")
def application(name, tags):
    arn = beanstalk.create_application(ApplicationName=name)["Application"]["ApplicationArn"]
    if tags:  # moto drops CreateApplication's own
        beanstalk.update_tags_for_resource(ResourceArn=arn, TagsToAdd=pairs(tags))
    return name


@shared
def base_application():
    beanstalk.create_application(ApplicationName="base")
    return "base"


@maker("elasticbeanstalk-environment")
def environment(name, tags):
    beanstalk.create_environment(**given(tags, ApplicationName=base_application(), EnvironmentName=name, Tags=pairs(tags)))
    return name
