"""Buckets of vectors and their indexes."""

from lab import client, given, maker, shared

vectors = client("s3vectors")


@maker("s3vectors-vector-bucket")
def bucket(name, tags):
    vectors.create_vector_bucket(**given(tags, vectorBucketName=name, tags=tags))
    return name


@shared
def shared_bucket():
    vectors.create_vector_bucket(vectorBucketName="lab-base")
    return "lab-base"


@maker("s3vectors-index")
def index(name, tags):
    vectors.create_index(**given(
        tags, vectorBucketName=shared_bucket(), indexName=name, dataType="float32", dimension=2, distanceMetric="cosine", tags=tags))
    return f"{shared_bucket()}/{name}"
