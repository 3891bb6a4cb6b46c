#!/usr/bin/env python3
"""starttls_inject.py - send a command in plain text behind STARTTLS, in one packet

usage: starttls_inject.py smtp|pop3 PORT [LINE]

Without LINE nothing is injected: TLS begins as it should. Prints the server's reply to
STARTTLS, then "tls" and its reply to NOOP inside TLS, or "closed".
"""
import socket
import ssl
import sys


def reply(stream):
    line = stream.readline()
    while line[3:4] == b"-":
        line = stream.readline()
    return line.decode("ascii").rstrip()


def main():
    protocol, port = sys.argv[1], int(sys.argv[2])
    sock = socket.create_connection(("127.0.0.1", port), timeout=20)
    stream = sock.makefile("rb", buffering=0)
    reply(stream)
    if protocol == "smtp":
        sock.sendall(b"EHLO client.example.org\r\n")
        reply(stream)
    wire = b"STARTTLS\r\n" if protocol == "smtp" else b"STLS\r\n"
    for line in sys.argv[3:]:
        wire += line.encode() + b"\r\n"
    sock.sendall(wire)
    print(reply(stream))
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        secure = context.wrap_socket(sock)
        secure.sendall(b"NOOP\r\n")
        print("tls", reply(secure.makefile("rb")))
    except (ssl.SSLError, ConnectionError, OSError):
        print("closed")


main()
