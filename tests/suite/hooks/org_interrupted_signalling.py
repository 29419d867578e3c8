import itertools, os, signal, time
counter = itertools.count(1)
def disturb(entry):
    if entry['action'] == 'TagQueue' and next(counter) == 9:
        while not os.path.exists(r'PID_FILE'):
            time.sleep(0.01)
        os.kill(int(open(r'PID_FILE').read()), signal.SIGNAL)
