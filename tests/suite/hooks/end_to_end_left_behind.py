import boto3, os, threading
once, done = threading.Lock(), []
def client(name):
    return boto3.client(name, region_name='us-east-1', endpoint_url='http://127.0.0.1:' + os.environ['MOTO_PORT'],
                        aws_access_key_id='testing', aws_secret_access_key='testing')
def vanish():
    ec2 = client('ec2')
    for volume in ec2.describe_volumes(Filters=[{'Name': 'tag:vanishes', 'Values': ['yes']}])['Volumes']:
        ec2.delete_volume(VolumeId=volume['VolumeId'])
    client('iam').delete_role(RoleName='lab-vanishes')
def before(entry, environ):
    if 'Boto3/' in entry['user_agent']:
        return None
    if entry['action'] in ('CreateTags', 'TagResources', 'TagResource', 'TagQueue'):
        with once:  # concurrent writes wait too
            if not done:
                vanish()
                done.append(True)
    body = entry['body'].replace('%2F', '/').replace('%3A', ':')
    if 'lab-refused' in body and entry['action'] in ('TagResources', 'TagQueue'):
        return 400, 'application/x-amz-json-1.0', '{"__type": "com.amazonaws.sqs#AccessDeniedException", "message": "User: alice is not authorized to perform: sqs:TagQueue"}'
