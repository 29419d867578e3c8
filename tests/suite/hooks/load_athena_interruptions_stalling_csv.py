import threading
stalled = []
def before(entry, environ):
    if stalled or entry['method'] != 'GET' or not entry['path'].endswith('.csv') or 'Boto3' in entry['user_agent']:
        return None
    stalled.append(entry['path'])
    from moto.core import DEFAULT_ACCOUNT_ID
    from moto.s3.models import s3_backends
    bucket, _, key = entry['path'].lstrip('/').partition('/')
    body = s3_backends[DEFAULT_ACCOUNT_ID]['aws'].get_object(bucket, key).value
    head = b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n' % len(body)
    environ['werkzeug.socket'].sendall(head + body[:len(body) * 2 // 3])
    threading.Event().wait()
