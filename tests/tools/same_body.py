#!/usr/bin/env python3
"""same_body.py - whether a received message is the sent one under its trace fields

usage: same_body.py SENT RECEIVED

Delivery puts fields on top and changes nothing below them, so the received bytes must
end with the sent ones (with CRLF read as LF, and the line end at the very end that SMTP
adds where there is none). Exit status 0 or 1; says where they part.
"""
import sys


def normal(data):
    data = data.replace(b"\r\n", b"\n")
    return data if data.endswith(b"\n") else data + b"\n"


def main():
    sent = normal(open(sys.argv[1], "rb").read())
    received = normal(open(sys.argv[2], "rb").read())
    if received.endswith(sent):
        top = received[: len(received) - len(sent)]
        if not top or top.endswith(b"\n"):
            return 0
    print("%s is not below the trace fields of %s" % tuple(sys.argv[1:3]))
    return 1


sys.exit(main())
