#!/usr/bin/env python3
"""fake_proxy.py PORT - a SOCKS5 proxy (RFC 1928) and an HTTP proxy (CONNECT) on one port

Says on standard output, a line each, by what and where to it was asked to connect. All
names lead to 127.0.0.1, so that who resolves them is seen.
"""
import socket
import sys
import threading


def take(sock, n):
    data = b""
    while len(data) < n:
        piece = sock.recv(n - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def socks(sock):
    take(sock, take(sock, 1)[0])
    sock.sendall(b"\5\0")
    kind = take(sock, 4)[3]
    host = socket.inet_ntoa(take(sock, 4)) if kind == 1 else take(sock, take(sock, 1)[0]).decode()
    port = int.from_bytes(take(sock, 2), "big")
    print("socks5", host, port, flush=True)
    server = socket.create_connection(("127.0.0.1", port))
    sock.sendall(b"\5\0\0\1\0\0\0\0\0\0")
    return server


def http(sock, head):
    while not head.endswith(b"\r\n\r\n"):
        head += take(sock, 1)
    host, _, port = head.split()[1].decode().rpartition(":")
    print("http", host, port, flush=True)
    server = socket.create_connection(("127.0.0.1", int(port)))
    sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    return server


def pump(a, b):
    try:
        while True:
            data = a.recv(65536)
            if not data:
                break
            b.sendall(data)
    except OSError:
        pass
    for s in a, b:
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(sock):
    try:
        first = take(sock, 1)
        server = socks(sock) if first == b"\5" else http(sock, first)
        threading.Thread(target=pump, args=(server, sock), daemon=True).start()
        pump(sock, server)
    except (EOFError, OSError):
        sock.close()


listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
