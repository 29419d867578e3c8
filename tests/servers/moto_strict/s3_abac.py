"""Buckets with attribute-based access control (ABAC), which moto does not know.

* PutBucketAbac and GetBucketAbac. Where ABAC is enabled, PutBucketTagging and DeleteBucketTagging are refused; s3control's
  TagResource and UntagResource go on, and GetBucketTagging and ListTagsForResource still read.
  https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAbac.html
  https://docs.aws.amazon.com/AmazonS3/latest/userguide/buckets-tagging-enable-abac.html
* TagResource, UntagResource and ListTagsForResource want a bucket that exists.
  https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_TagResource.html

AWS documents the refusal but not its code, so nothing may hang on the code. That the Resource Groups Tagging API does not tag such
buckets is an assumption: the strictest that its documentation allows.
"""

import functools
import re

from . import after_import

BUCKET = re.compile(r"arn:[a-z-]+:s3:::([^/]+)$")


@after_import("moto.s3.models")
def refuse_replaced_tags(models):
    from moto.s3.exceptions import S3ClientError

    backend = models.S3Backend
    models.FakeBucket.abac_status = "Disabled"

    def refused_with_abac(method):
        @functools.wraps(method)
        def wrapper(self, bucket_name, *args, **kwargs):
            if self.get_bucket(bucket_name).abac_status == "Enabled":
                message = "This operation is not allowed on a bucket with ABAC enabled. Use TagResource or UntagResource."
                raise S3ClientError("InvalidRequest", message)
            return method(self, bucket_name, *args, **kwargs)

        return wrapper

    def unknown_with_abac(method):
        @functools.wraps(method)
        def wrapper(self, arn, *args, **kwargs):
            bucket = BUCKET.match(arn)
            if bucket and self.get_bucket(bucket[1]).abac_status == "Enabled":
                raise NotImplementedError  # the Tagging API's own word for what it can't tag
            return method(self, arn, *args, **kwargs)

        return wrapper

    for name in ("put_bucket_tagging", "delete_bucket_tagging"):
        setattr(backend, name, refused_with_abac(getattr(backend, name)))
    for name in ("tag_resource", "untag_resource"):
        setattr(backend, name, unknown_with_abac(getattr(backend, name)))


@after_import("moto.s3.responses")
def know_the_abac_status(responses):
    response = responses.S3Response
    put, get = response._bucket_response_put, response._bucket_response_get

    def bucket_response_put(self, request, bucket_name, querystring):
        if "abac" not in querystring:
            return put(self, request, bucket_name, querystring)
        body = self.body if isinstance(self.body, str) else self.body.decode()
        self.backend.get_bucket(bucket_name).abac_status = re.search(r"<Status>(Enabled|Disabled)</Status>", body)[1]
        return 200, {}, ""

    def bucket_response_get(self, bucket_name, querystring):
        if "abac" not in querystring:
            return get(self, bucket_name, querystring)
        status = self.backend.get_bucket(bucket_name).abac_status
        return f'<AbacStatus xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>{status}</Status></AbacStatus>'

    response._bucket_response_put, response._bucket_response_get = bucket_response_put, bucket_response_get


@after_import("moto.s3control.models")
def want_the_bucket(models):
    backend = models.S3ControlBackend

    def of_a_bucket(method):
        @functools.wraps(method)
        def wrapper(self, resource_arn, *args, **kwargs):
            bucket = BUCKET.match(resource_arn)
            if bucket:
                models.s3_backends[self.account_id][self.partition].get_bucket(bucket[1])
            return method(self, resource_arn, *args, **kwargs)

        return wrapper

    for name in ("tag_resource", "untag_resource", "list_tags_for_resource"):
        setattr(backend, name, of_a_bucket(getattr(backend, name)))
