import urllib.parse
from moto.iam.models import get_account_id_from
known = {}
def account_of(entry):
    key = entry['access_key']
    if key not in known:
        known[key] = get_account_id_from(key)
    return int(known[key])
def json_error(code, message, status=400):
    return status, 'application/x-amz-json-1.0', '{\x22__type\x22: \x22' + code + '\x22, \x22message\x22: \x22' + message + '\x22}'
def xml_error(code, message, status=403):
    return status, 'text/xml', f'<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>'
def role_of(entry):
    return urllib.parse.parse_qs(entry['body'])['RoleArn'][0]
def disturb(entry):
    return None
def before(entry, environ):
    return None if 'Boto3/' in entry['user_agent'] else disturb(entry)
# The laboratory's own calls: moto's state made and read in one request, for thousands of accounts.
from moto.backends import get_backend
import json
def accounts(query):
    return [f'{100000 + number:012}' for number in range(int(query['accounts'][0]))]
def make(query):
    for account in accounts(query):
        for region in query['region']:
            get_backend('sqs')[account][region].create_queue('jobs', None)
        get_backend('iam')[account]['aws'].create_role('deploy', '{}', '/', None, '', [], 3600, None)
def owners(query):
    def of(account):
        tags, _ = get_backend('iam')[account]['aws'].list_role_tags('deploy', None)
        yield {tag['Key']: tag['Value'] for tag in tags}.get('Owner')
        for region in query['region']:
            yield get_backend('sqs')[account][region].get_queue('jobs').tags.get('Owner')
    return {account: list(of(account)) for account in accounts(query)}
def laboratory(environ):
    query = urllib.parse.parse_qs(environ['QUERY_STRING'])
    return 200, 'application/json', json.dumps({'/lab/make': make, '/lab/owners': owners}[environ['PATH_INFO']](query))
def before(entry, environ):
    if entry['path'].startswith('/lab/'):
        return laboratory(environ)
    return None if 'Boto3/' in entry['user_agent'] else disturb(entry)
