import boto3, os, threading
lock, done = threading.Lock(), []
def before(entry, environ):
    if 'Boto3/' in entry['user_agent']:
        return None
    if entry['action'] in ('TagResources', 'UntagResources'):
        return 400, 'application/x-amz-json-1.1', '{"__type": "AccessDeniedException", "message": "closed"}'
    if entry['method'] == 'PUT' or '/v20180820/' in entry['path']:
        with lock:
            if done:
                return None
            done.append(True)
        client = boto3.client('s3', region_name='us-east-1', endpoint_url='http://127.0.0.1:' + os.environ['MOTO_PORT'],
                              aws_access_key_id='testing', aws_secret_access_key='testing')
        client.put_bucket_tagging(Bucket='logs', Tagging={'TagSet': [{'Key': 'team', 'Value': 'blue'}, {'Key': 'late', 'Value': 'yes'}]})
