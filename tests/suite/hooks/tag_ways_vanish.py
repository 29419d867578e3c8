import boto3, os, threading
lock, done = threading.Lock(), []
def before(entry, environ):
    if 'Boto3/' in entry['user_agent'] or entry['action'] not in ('CreateTags', 'TagResources', 'TagQueue'):
        return None
    with lock:
        if done:
            return None
        done.append(True)
        def client(name):
            return boto3.client(name, region_name='us-east-1', endpoint_url='http://127.0.0.1:' + os.environ['MOTO_PORT'],
                                aws_access_key_id='testing', aws_secret_access_key='testing')
        for volume in client('ec2').describe_volumes(Filters=[{'Name': 'tag-key', 'Values': ['vanishes']}])['Volumes']:
            client('ec2').delete_volume(VolumeId=volume['VolumeId'])
        client('sqs').delete_queue(QueueUrl=client('sqs').get_queue_url(QueueName='gone')['QueueUrl'])
