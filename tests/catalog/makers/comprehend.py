"""Classifiers, recognizers, their endpoints, flywheels, and jobs."""

from lab import base, client, given, maker, pairs, shared

comprehend = client("comprehend")

INPUT, OUTPUT = {"S3Uri": "s3://base-bucket/in"}, {"S3Uri": "s3://base-bucket/out"}


def make_classifier(name, tags):
    answer = comprehend.create_document_classifier(**given(tags, DocumentClassifierName=name, DataAccessRoleArn=base().role,
                                                           InputDataConfig=INPUT, LanguageCode="en", Tags=pairs(tags)))
    return answer["DocumentClassifierArn"]


@shared
def shared_classifier():
    return make_classifier("base", {})


@maker("comprehend-document-classifier")
def classifier(name, tags):
    return make_classifier(name, tags)


@maker("comprehend-entity-recognizer")
def recognizer(name, tags):
    data = {"EntityTypes": [{"Type": "THING"}], "Documents": INPUT, "EntityList": INPUT}
    answer = comprehend.create_entity_recognizer(**given(tags, RecognizerName=name, DataAccessRoleArn=base().role, InputDataConfig=data,
                                                         LanguageCode="en", Tags=pairs(tags)))
    return answer["EntityRecognizerArn"]


@maker("comprehend-endpoint")
def endpoint(name, tags):
    answer = comprehend.create_endpoint(**given(tags, EndpointName=name, ModelArn=shared_classifier(), DesiredInferenceUnits=1,
                                                Tags=pairs(tags)))
    return answer["EndpointArn"]


@maker("comprehend-flywheel")
def flywheel(name, tags):
    answer = comprehend.create_flywheel(**given(tags, FlywheelName=name, ActiveModelArn=shared_classifier(), DataAccessRoleArn=base().role,
                                                DataLakeS3Uri=OUTPUT["S3Uri"], Tags=pairs(tags)))
    return answer["FlywheelArn"]


# The kinds of jobs, with what each needs besides data and a role.
ENGLISH = {"LanguageCode": "en"}
JOBS = {
    "document_classification": {},
    "dominant_language_detection": {},
    "entities_detection": ENGLISH,
    "events_detection": ENGLISH | {"TargetEventTypes": ["BANKRUPTCY"]},
    "key_phrases_detection": ENGLISH,
    "pii_entities_detection": ENGLISH | {"Mode": "ONLY_OFFSETS"},
    "sentiment_detection": ENGLISH,
    "targeted_sentiment_detection": ENGLISH,
    "topics_detection": {},
}


def job_maker(kind, needed):
    @maker(f"comprehend-{kind.replace('_', '-')}-job")
    def job(name, tags):
        more = {"DocumentClassifierArn": shared_classifier()} if kind == "document_classification" else {}
        start = getattr(comprehend, f"start_{kind}_job")
        return start(**given(tags, JobName=name, InputDataConfig=INPUT, OutputDataConfig=OUTPUT, DataAccessRoleArn=base().role,
                             **needed, **more, Tags=pairs(tags)))["JobId"]


for kind, needed in JOBS.items():
    job_maker(kind, needed)
