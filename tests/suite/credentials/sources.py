# Plays what profiles get credentials from: STS, Identity Center, AWS Sign-In, the metadata of instances and containers. The key
# that is handed out names its source: ASIA and the role, SSO, LOGIN, EC2 or ECS. All other calls are moto's.
import json
import time
import urllib.parse

LATER = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))


def key_of(name):
    return {"AccessKeyId": name, "SecretAccessKey": "s", "Token": "t", "Expiration": LATER, "Code": "Success", "Type": "AWS-HMAC"}


def as_json(document, *headers):
    return (200, "application/json", json.dumps(document), *headers)


def assumed(action, form):
    arn = form["RoleArn"][0]
    account, role = arn.split(":")[4], arn.rsplit("/", 1)[-1]
    if form.get("TokenCode", ["123456"]) != ["123456"]:
        return 403, "text/xml", (
            "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>MultiFactorAuthentication failed with "
            "invalid MFA one time pass code. </Message></Error><RequestId>r</RequestId></ErrorResponse>"
        )
    return 200, "text/xml", (
        f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result><Credentials>'
        f"<AccessKeyId>ASIA{role.upper()}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
        f"<Expiration>{LATER}</Expiration></Credentials><AssumedRoleUser><AssumedRoleId>A:s</AssumedRoleId>"
        f"<Arn>arn:aws:sts::{account}:assumed-role/{role}/s</Arn></AssumedRoleUser></{action}Result></{action}Response>"
    )


def before(entry, environ):
    path, action = entry["path"], entry["action"]
    if action in ("AssumeRole", "AssumeRoleWithWebIdentity"):
        return assumed(action, urllib.parse.parse_qs(entry["body"]))
    if path == "/federation/credentials":
        return as_json({"roleCredentials": {
            "accessKeyId": "SSO", "secretAccessKey": "s", "sessionToken": "t", "expiration": int((time.time() + 3600) * 1000),
        }})
    if path == "/v1/token":
        return as_json({
            "accessToken": {"accessKeyId": "LOGINRENEWED", "secretAccessKey": "s", "sessionToken": "t"},
            "tokenType": "aws_sigv4", "expiresIn": 900, "refreshToken": "r2",
        })
    if path == "/latest/api/token":
        return 200, "text/plain", "token", ("x-aws-ec2-metadata-token-ttl-seconds", "21600")
    if path == "/latest/meta-data/iam/security-credentials/":
        return 200, "text/plain", "role"
    if path.startswith("/latest/meta-data/iam/security-credentials/"):
        return as_json(key_of("EC2"))
    if path == "/container":
        return as_json(key_of("ECS"))
    return None
