def before(entry, environ):
    if 'Boto3/' in entry['user_agent']:
        return None
    if entry['action'] in ('GetResources', 'ListQueueTags'):
        return 403, 'application/x-amz-json-1.0', '{"__type": "AccessDenied", "message": "not authorized"}'
