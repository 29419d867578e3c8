def before(entry, environ):
    if 'Boto3/' in entry['user_agent']:
        return None
    if entry['action'] == 'ListTagsForResource':
        return 400, 'application/x-amz-json-1.1', '{"__type": "AccessDeniedException", "Message": "User: x is not authorized to perform: organizations:ListTagsForResource"}'
    if entry['action'] == 'ListAccountsForParent':
        return 200, 'application/x-amz-json-1.1', '{"Accounts": [{"Id": "111111111111", "Arn": "arn:aws:organizations::1:account/o-a/111111111111", "Status": "ACTIVE"}, {"Id": "222222222222", "Arn": "arn:aws:organizations::1:account/o-a/222222222222", "Status": "ACTIVE", "State": "PENDING_CLOSURE"}]}'
