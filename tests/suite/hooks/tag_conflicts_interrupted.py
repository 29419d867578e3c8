import itertools, os, signal, time
counter = itertools.count(1)
def before(entry, environ):
    if 'Boto3/' in entry['user_agent'] or entry['action'] != 'TagQueue' or os.path.exists(r'CALM_FILE'):
        return None
    if next(counter) == 3:
        while not os.path.exists(r'PID_FILE'):
            time.sleep(0.01)
        os.kill(int(open(r'PID_FILE').read()), signal.SIGINT)
    return 400, 'application/x-amz-json-1.0', '{"__type": "ConcurrentModificationException", "message": "try again"}'
