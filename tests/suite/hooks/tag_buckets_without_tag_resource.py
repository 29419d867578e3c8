def before(entry, environ):
    if 'Boto3/' in entry['user_agent']:
        return None
    if entry['action'] in ('TagResources', 'UntagResources'):
        return 400, 'application/x-amz-json-1.1', '{\x22__type\x22: \x22AccessDeniedException\x22, \x22message\x22: \x22closed\x22}'
    if '/v20180820/' in entry['path']:
        return ANSWER
