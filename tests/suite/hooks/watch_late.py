import itertools
counter = itertools.count(1)
def before(entry, environ):
    if 'Boto3/' in entry['user_agent'] or entry['action'] != 'ACTION' or next(counter) > COUNT:
        return None
    if 'ACTION' == 'ListQueues':
        return 200, 'application/x-amz-json-1.0', '{}'
    return 400, 'application/x-amz-json-1.0', '{"__type": "com.amazonaws.sqs#InvalidStateException", "message": "not yet"}'
