import os, urllib.request
def before(entry, environ):
    if entry['action'] != 'DescribeVolumes' or 'Boto3/' in entry['user_agent']:
        return None
    headers = {'User-Agent': 'Boto3/hook', 'Authorization': environ['HTTP_AUTHORIZATION'],
               'Content-Type': 'application/x-www-form-urlencoded'}
    url = 'http://127.0.0.1:' + os.environ['MOTO_PORT'] + '/'
    with urllib.request.urlopen(urllib.request.Request(url, entry['body'].encode(), headers)) as answer:
        text = answer.read().decode()
    return 200, 'text/xml', text.replace('</attachTime>', '</attachTime><deleteOnTermination>true</deleteOnTermination>')
