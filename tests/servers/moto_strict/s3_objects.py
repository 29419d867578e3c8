"""Objects that can't simply be read, which moto does not know or treats more kindly than AWS.

* A listing has a restore's status only if it was asked for with x-amz-optional-object-attributes.
  https://docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreStatus.html
* Objects of Intelligent-Tiering in an archive tier: only GetObject's error shows the tier, and a restore moves them back, without
  a period. A bulk restore stays in progress until another tier is requested. Tests put an object there with the metadata `archive-tier: ARCHIVE_ACCESS`; AWS does it after 90 days without access.
  https://docs.aws.amazon.com/AmazonS3/latest/userguide/archived-objects.html
  https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (InvalidObjectState)
* Requester Pays: another account's requests need x-amz-request-payer.
  https://docs.aws.amazon.com/AmazonS3/latest/userguide/ObjectsinRequesterPaysBuckets.html
* SSE-C: an object can be read only with the key that it was written with.
  https://docs.aws.amazon.com/AmazonS3/latest/userguide/specifying-s3-c-encryption.html
"""

import functools
import html
import re
import urllib.parse

from . import after_import

TIER = "x-amz-meta-archive-tier"
CUSTOMER_KEY = "x-amz-server-side-encryption-customer-key-md5"
PAYER = re.compile(r"<Payer>(Requester|BucketOwner)</Payer>")


def wrap(owner, name, new):
    """Replaces a method by `new(original, self, …)`."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def wrapper(self, *args, **kwargs):
        return new(original, self, *args, **kwargs)

    setattr(owner, name, wrapper)


@after_import("moto.s3.models")
def restore_from_archive_tiers(models):
    def restore_object(original, self, bucket_name, key_name, days, type_):
        key = self.get_object(bucket_name, key_name)
        if key is None or TIER not in key.metadata:
            return original(self, bucket_name, key_name, days, type_)
        # A bulk restore takes hours. It ends here when the same is asked for in another tier.
        key.restores_tier = self.bulk_restore
        if not key.restores_tier:
            del key.metadata[TIER]
        return False

    models.S3Backend.bulk_restore = False

    wrap(models.S3Backend, "restore_object", restore_object)


def is_restoring(key):
    if getattr(key, "restores_tier", False) and TIER in key.metadata:
        return True
    return key._expiry is not None and key.status != "RESTORED"


def restore_status(key):
    if is_restoring(key):
        return "<RestoreStatus><IsRestoreInProgress>true</IsRestoreInProgress></RestoreStatus>"
    if key._expiry is None:
        return ""
    expiry = key._expiry.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    in_progress = "<IsRestoreInProgress>false</IsRestoreInProgress>"
    return f"<RestoreStatus>{in_progress}<RestoreExpiryDate>{expiry}</RestoreExpiryDate></RestoreStatus>"


@after_import("moto.s3.responses")
def list_the_status_of_restores(responses):
    def list_objects_v2(original, self):
        status, headers, body = original(self)
        if self.headers.get("x-amz-optional-object-attributes") != "RestoreStatus":
            return status, headers, body

        def with_status(contents):
            name = html.unescape(re.search(r"<Key>(.*?)</Key>", contents[0])[1])
            if self.querystring.get("encoding-type") == ["url"]:
                name = urllib.parse.unquote_plus(name)
            key = self.backend.get_object(self.bucket_name, name)
            return contents[1] + restore_status(key) + "</Contents>"

        text = body if isinstance(body, str) else body.decode()
        return status, headers, re.sub(r"(<Contents>.*?)</Contents>", with_status, text, flags=re.DOTALL)

    wrap(responses.S3Response, "list_objects_v2", list_objects_v2)


@after_import("moto.s3.responses")
def refuse_what_has_to_be_restored_or_decrypted(responses):
    from moto.s3.exceptions import InvalidObjectState, S3ClientError

    def archived_in(tier):
        error = InvalidObjectState("INTELLIGENT_TIERING")
        error.access_tier = tier
        return error

    def get_key(original, self, validate_storage_class=True):
        key, *rest = original(self, validate_storage_class)
        if validate_storage_class and TIER in key.metadata:
            raise archived_in(key.metadata[TIER])
        if validate_storage_class and is_restoring(key):
            raise InvalidObjectState(key.storage_class)
        wanted = getattr(key, "customer_key", None)
        if wanted is not None and self.headers.get(CUSTOMER_KEY) != wanted:
            message = "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to "
            raise S3ClientError("InvalidRequest", message + "retrieve the object.")
        return (key, *rest)

    def put_object(original, self):
        answer = original(self)
        key = self.backend.get_object(self.bucket_name, self.parse_key_name())
        if key is not None:
            key.customer_key = self.headers.get(CUSTOMER_KEY)
        return answer

    def key_response_post(original, self, request, body, bucket_name, query, key_name):
        self.backend.bulk_restore = "restore" in query and b"Bulk" in (body if isinstance(body, bytes) else body.encode())
        return original(self, request, body, bucket_name, query, key_name)

    def head_object(original, self, bucket_name, query, key_name, headers):
        key = self.backend.get_object(bucket_name, key_name)
        wanted = getattr(key, "customer_key", None)
        if wanted is not None and self.headers.get(CUSTOMER_KEY) != wanted:
            return 400, {}, ""
        return original(self, bucket_name, query, key_name, headers)

    response = responses.S3Response
    wrap(response, "_get_key", get_key)
    wrap(response, "put_object", put_object)
    wrap(response, "head_object", head_object)
    wrap(response, "_key_response_post", key_response_post)


@after_import("moto.s3.responses")
def want_the_requester_to_pay(responses):
    from moto.s3.exceptions import S3ClientError

    def unless_refused(original, self, request, full_url):
        name = self.parse_bucket_name_from_url(request, full_url)
        try:
            bucket = self.backend.get_bucket(name) if name else None
        except S3ClientError:
            bucket = None
        payer = getattr(bucket, "payer", "BucketOwner")
        if payer == "Requester" and self.current_account != bucket.account_id:
            if request.headers.get("x-amz-request-payer") != "requester":
                if request.method == "HEAD":
                    return 403, {"x-amz-bucket-region": bucket.region_name}, ""
                return 403, {}, "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
        return original(self, request, full_url)

    def put(original, self, request, bucket_name, querystring):
        if "requestPayment" not in querystring:
            return original(self, request, bucket_name, querystring)
        body = self.body if isinstance(self.body, str) else self.body.decode()
        self.backend.get_bucket(bucket_name).payer = PAYER.search(body)[1]
        return 200, {}, ""

    response = responses.S3Response
    wrap(response, "_bucket_response", unless_refused)
    wrap(response, "_key_response", unless_refused)
    wrap(response, "_bucket_response_put", put)
