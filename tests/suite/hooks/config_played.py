# What moto_strict/config_queries.py plays, by paths that no AWS API has; and actions that are denied.
import json
import urllib.parse

from moto_strict import config_queries

DENIED = []


def before(entry, environ):
    if entry["path"].startswith("/played/"):
        content = json.dumps(config_queries.play(entry["path"].rsplit("/", 1)[-1], urllib.parse.unquote(entry["query"])))
        return 200, "application/json", content, ("Content-Length", str(len(content)))
    if entry["action"] in DENIED and "Boto3/" not in entry["user_agent"]:
        message = f"User: x is not authorized to perform: config:{entry['action']}"
        return 400, "application/x-amz-json-1.1", json.dumps({"__type": "AccessDeniedException", "message": message})
