def before(entry, environ):
    if 'Boto3/' in entry['user_agent']:
        return None
    if entry['action'] in ('TagResources', 'TagQueue') and 'locked' in entry['body']:
        return 400, 'application/x-amz-json-1.0', '{"__type": "AccessDeniedException", "message": "User: x is not authorized to perform: sqs:TagQueue"}'
    if entry['service'] == 'iam':
        return 403, 'text/xml', '<ErrorResponse><Error><Code>AccessDenied</Code><Message>User: x is not authorized to perform: iam:ListRoles on resource: *</Message></Error></ErrorResponse>'
