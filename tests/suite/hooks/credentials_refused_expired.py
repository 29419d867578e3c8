def before(entry, environ):
    if entry['action'] in ('GetCallerIdentity', 'AssumeRole'):
        return 403, 'text/xml', '<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code><Message>The security token included in the request is expired</Message></Error><RequestId>r</RequestId></ErrorResponse>'
