#!/usr/bin/env python3
"""on_terminal.py - run a command on a terminal of its own, and answer what it asks

usage: on_terminal.py INPUT ANSWERS COMMAND [ARGUMENT]...

The terminal is the command's controlling one and its standard error; standard input is the
file INPUT, standard output is ours. Each line of the file ANSWERS is typed when what the
command shows ends in "] "; then comes an end of file. What was shown goes to standard
error; the status is the command's.
"""
import os
import pty
import sys

output = os.dup(1)
pid, terminal = pty.fork()
if pid == 0:
    os.dup2(os.open(sys.argv[1], os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.execvp(sys.argv[3], sys.argv[3:])
answers = open(sys.argv[2], "rb").readlines()
shown, asked = b"", 0
while True:
    try:
        data = os.read(terminal, 4096)
    except OSError:
        break
    if not data:
        break
    shown += data
    if shown[asked:].endswith(b"] "):
        asked = len(shown)
        os.write(terminal, answers.pop(0) if answers else b"\x04")
sys.stderr.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
