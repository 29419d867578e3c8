import os, pty, signal, subprocess, sys
answer, *command = sys.argv[1:]
ours, theirs = pty.openpty()
child = subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, start_new_session=True)
os.close(theirs)
seen, asked = b'', False
while True:
    try:
        data = os.read(ours, 4096)
    except OSError:
        break
    if not data:
        break
    seen += data
    if not asked and b'[y/N] ' in seen:
        asked = True
        if answer == '^C':
            child.send_signal(signal.SIGINT)
        else:
            os.write(ours, answer.encode() + b'\n')
sys.stdout.buffer.write(child.stdout.read())
sys.stderr.buffer.write(seen)
sys.exit(child.wait())
