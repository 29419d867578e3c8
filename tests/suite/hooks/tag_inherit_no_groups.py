def before(entry, environ):
    if entry['action'] == 'DescribeAutoScalingGroups' and 'Boto3/' not in entry['user_agent']:
        return 403, 'text/xml', '<ErrorResponse><Error><Code>AccessDenied</Code><Message>User: x is not authorized to perform: autoscaling:DescribeAutoScalingGroups</Message></Error></ErrorResponse>'
