import itertools, os, signal, time
counter = itertools.count(1)
def before(entry, environ):
    if 'Boto3/' not in entry['user_agent'] and entry['action'].startswith('ACTION') and next(counter) == COUNT:
        while not os.path.exists(r'PID_FILE'):
            time.sleep(0.01)
        os.kill(int(open(r'PID_FILE').read()), signal.SIGNAL)
