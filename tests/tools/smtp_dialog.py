#!/usr/bin/env python3
"""smtp_dialog.py - play an SMTP dialogue (.cmy) against a server

usage: smtp_dialog.py [-d DIFFERENCES] PORT TLS_PORT FILE

In a dialogue "c tcp_connect" and "c tls_connect" open a connection (the ports in the
file stand for ours), "c -> TEXT" sends a line, "c ~> EXPR" sends bytes, "c <- TEXT" wants
that line, "c <~ REGEX" a line that matches, "c <... TEXT" skips lines up to that one.

DIFFERENCES has a line "FILE | what the dialogue wants | what we answer, a regex" for each
answer that is ours; one that is not used, is not needed or names another file's
expectation is an error, so that the list stays true.
"""
import ast
import os
import re
import socket
import ssl
import sys


def evaluate(node):
    """'a' * 3 + 'b', and nothing else."""
    if isinstance(node, ast.Expression):
        return evaluate(node.body)
    if isinstance(node, ast.Constant) and isinstance(node.value, (str, int)):
        return node.value
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return evaluate(node.left) + evaluate(node.right)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return evaluate(node.left) * evaluate(node.right)
    raise ValueError("not an expression of strings")


class Player:
    def __init__(self, port, tls_port, differences):
        self.port, self.tls_port = port, tls_port
        self.differences = differences
        self.used = set()
        self.sock = self.stream = None

    def close(self):
        if self.sock:
            self.stream.close()
            self.sock.close()
        self.sock = None

    def connect(self, tls):
        self.close()
        sock = socket.create_connection(
            ("127.0.0.1", self.tls_port if tls else self.port), timeout=20)
        if tls:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            sock = context.wrap_socket(sock)
        self.sock, self.stream = sock, sock.makefile("rb")

    def send(self, data):
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            pass  # the server has closed: what it said last is read next

    def line(self):
        try:
            return self.stream.readline().decode("utf-8", "replace").rstrip("\r\n")
        except ConnectionResetError:
            return "(reset)"

    def reply(self):
        """One reply: its last line."""
        line = self.line()
        while line[3:4] == "-":
            line = self.line()
        return line

    def expect(self, want, matches):
        line = self.reply()
        if want in self.differences:
            self.used.add(want)
            if matches(line):
                raise AssertionError(f"the difference is none: {want!r}: {line!r}")
            if not re.search(self.differences[want], line):
                raise AssertionError(
                    f"wanted {self.differences[want]!r}, got {line!r}")
        elif not matches(line):
            raise AssertionError(f"wanted {want!r}, got {line!r}")

    def play(self, step):
        op, _, rest = step.partition(" ")
        if op == "tcp_connect":
            self.connect(False)
        elif op == "tls_connect":
            self.connect(True)
        elif op == "close":
            self.close()
        elif op == "->":
            self.send(rest.encode() + b"\r\n")
        elif op == "~>":
            self.send(evaluate(ast.parse(rest, mode="eval")).encode())
        elif op == "<-":
            self.expect(rest, lambda line: line == rest)
        elif op == "<~":
            self.expect(rest, lambda line: re.match(rest, line))
        elif op == "<...":
            self.expect(rest, lambda line: line.startswith(rest))
        else:
            raise AssertionError(f"unknown step {step!r}")


def read_differences(path, name):
    found = {}
    for row in open(path, encoding="utf-8"):
        row = row.strip()
        if not row or row.startswith("#"):
            continue
        file, want, ours = (cell.strip() for cell in row.split(" | ", 2))
        if file == name:
            found[want] = ours
    return found


def main():
    args = sys.argv[1:]
    differences = {}
    if args[0] == "-d":
        differences = read_differences(args[1], os.path.basename(args[-1]))
        args = args[2:]
    player = Player(int(args[0]), int(args[1]), differences)
    for number, text in enumerate(open(args[2], encoding="utf-8"), 1):
        text = text.rstrip("\n")
        if not text.startswith("c "):
            continue
        try:
            player.play(text[2:])
        except (AssertionError, OSError) as error:
            sys.exit(f"{args[2]}:{number}: {error}")
    player.close()
    unused = set(differences) - player.used
    if unused:
        sys.exit(f"{args[2]}: differences that never came: {unused}")


main()
