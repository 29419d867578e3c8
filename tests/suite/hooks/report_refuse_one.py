def before(entry, environ):
    if 'Boto3/' not in entry['user_agent'] and entry['action'] == 'AssumeRole' and '333333333333' in entry['body']:
        return 403, 'text/xml', '<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>'
