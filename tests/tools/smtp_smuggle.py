#!/usr/bin/env python3
"""smtp_smuggle.py - send a message with a false end in it, and a second one behind that

usage: smtp_smuggle.py smtp|submission|lmtp PLACE whole|bytewise SEQUENCE...

PLACE is a port or the path of a socket. A SEQUENCE is what stands between the first line
of the message and the commands of the smuggled one, with backslash escapes; each has a
connection of its own. Prints a line for each: the server's replies behind the 354,
then "closed", with " / " between them.
"""
import base64
import socket
import ssl
import sys

SMUGGLED = (b"MAIL FROM:<smuggler@example.org>\r\nRCPT TO:<user1@example.org>\r\n"
            b"DATA\r\nSubject: smuggled\r\n\r\nsmuggled\r\n.\r\n")


def connect(protocol, place):
    if place.startswith("/"):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(20)
        sock.connect(place)
        return sock
    sock = socket.create_connection(("127.0.0.1", int(place)), timeout=20)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if protocol == "submission":
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        sock = context.wrap_socket(sock)
    return sock


def reply(stream):
    line = stream.readline()
    while line[3:4] == b"-":
        line = stream.readline()
    return line.decode("ascii").rstrip()


def envelope(protocol):
    yield ("LHLO" if protocol == "lmtp" else "EHLO") + " client.example.org", "250"
    if protocol == "submission":
        login = base64.b64encode(b"\0user1@example.org\0secret-1").decode()
        yield "AUTH PLAIN " + login, "235"
    yield "MAIL FROM:<user1@example.org>", "250"
    yield "RCPT TO:<user1@example.org>", "250"
    yield "DATA", "354"


def smuggle(protocol, place, how, sequence):
    sequence = sequence.encode().decode("unicode_escape").encode("latin-1")
    sock = connect(protocol, place)
    stream = sock.makefile("rb")
    assert reply(stream).startswith("220")
    for command, want in envelope(protocol):
        sock.sendall(command.encode() + b"\r\n")
        got = reply(stream)
        if not got.startswith(want):
            sys.exit(f"{command}: {got}")
    wire = (b"Subject: first\r\n\r\nfirst" + sequence + SMUGGLED + b"\r\n.\r\nQUIT\r\n")
    step = 1 if how == "bytewise" else len(wire)
    replies = []
    try:
        for i in range(0, len(wire), step):
            sock.sendall(wire[i:i + step])
    except OSError:  # the server has closed: what it said last is read next
        pass
    try:
        while not replies or replies[-1] != "closed":
            replies.append(reply(stream) or "closed")
    except OSError:
        replies.append("closed")
    sock.close()
    return " / ".join(replies)


for arg in sys.argv[4:]:
    print(smuggle(*sys.argv[1:4], arg))
