"""Runs a command, and writes its exit code, CPU seconds and most memory in KiB to a file.

In a process of its own, because Linux counts the memory of the process that starts a command as the command's: this one has little.
"""
import json
import os
import sys

result, *command = sys.argv[1:]
process = os.posix_spawn(command[0], command, os.environ)
_, status, usage = os.wait4(process, 0)
with open(result, "w", encoding="utf-8") as file:
    json.dump([os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss], file)
