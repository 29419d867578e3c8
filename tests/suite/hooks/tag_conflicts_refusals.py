import json
WORDS = 'The tag policy does not allow the specified value for the following tag key: Owner.'
def before(entry, environ):
    if 'Boto3/' in entry['user_agent']:
        return None
    if entry['action'] == 'CreateTags':
        return 400, 'text/xml', '<Response><Errors><Error><Code>TagPolicyViolation</Code><Message>' + WORDS + '</Message></Error></Errors></Response>'
    if entry['action'] == 'TagResources':
        arns = [arn for arn in json.loads(entry['body'])['ResourceARNList'] if ':sns:' in arn]
        failure = {'StatusCode': 400, 'ErrorCode': 'InvalidParameterException', 'ErrorMessage': WORDS}
        return (200, 'application/x-amz-json-1.1', json.dumps({'FailedResourcesMap': {arn: failure for arn in arns}})) if arns else None
    if entry['action'] == 'TagResource':
        return 400, 'text/xml', '<ErrorResponse><Error><Code>TagPolicy</Code><Message>no</Message></Error></ErrorResponse>'
    if entry['action'] == 'TagQueue':
        return 400, 'application/x-amz-json-1.0', '{"__type": "TooManyTagsException", "message": "no"}'
