def before(entry, environ):
    if entry['method'] == 'GET' and entry['path'].endswith('.csv') and 'Boto3' not in entry['user_agent']:
        return (403, 'application/xml', '<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>')
