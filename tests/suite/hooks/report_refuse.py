def before(entry, environ):
    if 'Boto3/' in entry['user_agent']:
        return None
    if entry['action'] in ('ListQueueTags', 'GetResources'):
        return 400, 'application/x-amz-json-1.0', '{"__type": "AccessDeniedException", "message": "User: x is not authorized to perform: sqs:ListQueueTags"}'
    if entry['service'] == 'iam':
        return 403, 'text/xml', '<ErrorResponse><Error><Code>AccessDenied</Code><Message>User: x is not authorized to perform: iam:GetAccountAuthorizationDetails on resource: *</Message></Error></ErrorResponse>'
