import collections, json, threading
lock, answered = threading.Lock(), collections.Counter()
XML = '<Code>%s</Code><Message>try again</Message>'
QUERY = '<ErrorResponse><Error>' + XML + '</Error></ErrorResponse>'
KINDS = [
    ('json', 'TagQueue', 400, '{"__type": "com.amazonaws.sqs#ConcurrentModificationException", "message": "try again"}'),
    ('rest-json', 'POST /2015-02-01/resource-tags', 409, '{"ErrorCode": "IncorrectFileSystemLifeCycleState", "message": "try again"}'),
    ('query', 'TagRole', 409, QUERY % 'ConcurrentModification'),
    ('ec2', 'CreateTags', 400, '<Response><Errors><Error>' + XML % 'ConcurrentTagAccess' + '</Error></Errors></Response>'),
    ('rest-xml', 'POST /v20180820/tags', 409, QUERY % 'OperationAborted'),
]
def first(kind):
    with lock:
        answered[kind] += 1
        return answered[kind] <= TIMES
def before(entry, environ):
    if 'Boto3/' in entry['user_agent']:
        return None
    if entry['action'] == 'TagResources':
        arns = json.loads(entry['body'])['ResourceARNList']
        def failing(status, code, message):
            failure = {'StatusCode': status, 'ErrorCode': code, 'ErrorMessage': message}
            return 200, 'application/x-amz-json-1.1', json.dumps({'FailedResourcesMap': {arn: failure for arn in arns}})
        if ':sns:' not in arns[0]:
            return failing(404, 'InternalServiceException', 'Service not yet supported')
        if arns[0].endswith('busy') and first('tagging'):
            return failing(400, 'ConcurrentModificationException', 'try again')
    for kind, action, status, answer in KINDS:
        if entry['action'].startswith(action) and first(kind):
            return status, 'text/xml' if answer.startswith('<') else 'application/json', answer
