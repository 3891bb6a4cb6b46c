#!/usr/bin/env python3
"""fake_smtp.py - an SMTP server that misbehaves as it is told

usage: fake_smtp.py PORT [OPTION]...

Takes every message and keeps it in --out DIR as N.eml (the bytes between DATA and the
end, dots unstuffed) with N.env ("MAIL ..." and "RCPT ..." lines), as soon as it has
answered 2yz to the end. What clients say is printed, a line each.

  --options FILE    more options, one a line, read anew for each connection
  --out DIR         where messages go
  --ext WORD        an EHLO keyword (repeat; default: PIPELINING SIZE 8BITMIME)
  --no-ext          none at all
  --starttls        offer STARTTLS; --tls: TLS from the first byte
  --cert F --key F  for both
  --inject          answer STARTTLS with one more reply in the same packet
  --auth            offer AUTH PLAIN LOGIN and take any password but "wrong"
  --mech WORDS      offer these instead: of PLAIN LOGIN CRAM-MD5 XOAUTH2 OAUTHBEARER
                    EXTERNAL; the password of CRAM-MD5 is "secret-1"
  --client-ca F     a client must show a certificate of this authority
  --reply PAT=TEXT  answer TEXT to a command that begins with PAT ("RCPT TO:<bob", "END"
                    for the end of a message, "GREET"); "" closes without an answer;
                    the first that fits counts
  --once PAT=TEXT   the same, the first time only
  --cut N           send the first N bytes of the reply to the end, and close
  --close-in-body N close when N bytes of the body have come
  --delay MS        before each reply to the end
  --most N          greet no more than N clients at a time; the others get 421
  --per N           take N messages of a client; the next MAIL gets 421
"""
import argparse
import base64
import hmac
import os
import socket
import ssl
import sys
import threading
import time

p = argparse.ArgumentParser()
p.add_argument("port", type=int)
p.add_argument("--out", default=".")
p.add_argument("--ext", action="append")
p.add_argument("--no-ext", action="store_true")
p.add_argument("--starttls", action="store_true")
p.add_argument("--tls", action="store_true")
p.add_argument("--cert")
p.add_argument("--key")
p.add_argument("--inject", action="store_true")
p.add_argument("--auth", action="store_true")
p.add_argument("--mech", default="PLAIN LOGIN")
p.add_argument("--client-ca")
p.add_argument("--reply", action="append", default=[])
p.add_argument("--once", action="append", default=[])
p.add_argument("--cut", type=int)
p.add_argument("--close-in-body", type=int)
p.add_argument("--delay", type=int, default=0)
p.add_argument("--most", type=int)
p.add_argument("--per", type=int)
p.add_argument("--options")
opt = p.parse_args()
lock = threading.Lock()
clients = 0
used = set()


def read_options():
    """The options in force: those of the command line, and of the file."""
    global opt
    base = p.parse_args()
    if base.options:
        with open(base.options) as f:
            base = p.parse_args(sys.argv[1:] + f.read().splitlines())
    opt = base


class Gone(Exception):
    pass


def say(text):
    with lock:
        print(text, flush=True)


class Session:
    def __init__(self, sock):
        self.sock = sock
        self.data = b""
        self.tls = False
        self.taken = 0
        self.reset()

    def reset(self):
        self.mail, self.rcpts, self.body = None, [], None

    def more(self):
        piece = self.sock.recv(65536)
        if not piece:
            raise Gone
        self.data += piece

    def line(self):
        while b"\r\n" not in self.data:
            self.more()
        line, self.data = self.data.split(b"\r\n", 1)
        return line

    def send(self, text):
        self.sock.sendall(text if isinstance(text, bytes) else
                          "".join(l + "\r\n" for l in text.split("\n")).encode())

    def told(self, command):
        """The reply that the options ask for, or None."""
        with lock:
            rule = self.rule(command)
            if rule is None:
                return None
            if rule in opt.once:
                used.add(rule)
            return rule.partition("=")[2].replace("\\n", "\n")

    def rule(self, command):
        for rule in [r for r in opt.once if r not in used] + opt.reply:
            if command.upper().startswith(rule.partition("=")[0].upper()):
                return rule
        return None

    def answer(self, command, usual):
        """Answer as told, or as usual. Whether it was a good answer."""
        text = self.told(command)
        if text == "":
            raise Gone
        text = usual if text is None else text
        self.send(text)
        if text.startswith("421"):
            raise Gone
        return text[0] in "23"

    def start_tls(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(opt.cert, opt.key)
        if opt.client_ca:
            context.load_verify_locations(opt.client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
        self.sock = context.wrap_socket(self.sock, server_side=True)
        self.tls = True

    def ehlo(self):
        words = [] if opt.no_ext else list(opt.ext or
                                           ["PIPELINING", "SIZE", "8BITMIME"])
        if opt.starttls and not self.tls:
            words.append("STARTTLS")
        if opt.auth and (self.tls or not opt.starttls):
            words.append("AUTH " + opt.mech)
        lines = ["fake.example"] + words
        return "\n".join("250" + ("-" if i + 1 < len(lines) else " ") + l
                         for i, l in enumerate(lines))

    def ask(self, challenge):
        self.send(b"334 " + base64.b64encode(challenge) + b"\r\n")
        return self.line()

    def auth(self, rest):
        mech, _, initial = rest.partition(" ")
        say("AUTH " + mech)
        if mech not in opt.mech.split():
            self.answer("AUTH", "504 5.5.4 no such mechanism")
        elif mech == "CRAM-MD5":
            user, digest = base64.b64decode(self.ask(b"<1@fake.example>")).decode().split()
            good = hmac.new(b"secret-1", b"<1@fake.example>", "md5").hexdigest() == digest
            self.judge(user, good)
        elif mech == "LOGIN":
            user = base64.b64decode(initial or self.ask(b"Username:")).decode()
            self.judge(user, base64.b64decode(self.ask(b"Password:")) != b"wrong")
        else:
            self.judge_first(mech, base64.b64decode(initial or self.ask(b"")))

    def judge_first(self, mech, response):
        if mech == "PLAIN":
            _, user, password = response.split(b"\0")
            self.judge(user.decode(), password != b"wrong")
            return
        if mech == "EXTERNAL":
            self.judge(response.decode(), self.tls and bool(self.sock.getpeercert()))
            return
        fields = response.split(b"\1")
        user = fields[0].partition(b"=")[2] if mech == "XOAUTH2" else \
            fields[0].partition(b"a=")[2].rstrip(b",")
        good = b"auth=Bearer wrong" not in fields
        if not good:
            self.ask(b'{"status":"401","schemes":"bearer","scope":"https://mail.example/"}')
        self.judge(user.decode(), good)

    def judge(self, user, good):
        say("AUTH user %s" % user)
        self.answer("AUTH", "235 2.7.0 welcome" if good else "535 5.7.8 wrong password")

    def read_body(self):
        data = bytearray(b"\r\n" + self.data)
        seen = 0
        while True:
            end = data.find(b"\r\n.\r\n", seen)
            if end >= 0:
                break
            seen = max(0, len(data) - 4)
            if opt.close_in_body is not None and len(data) >= opt.close_in_body:
                raise Gone
            piece = self.sock.recv(65536)
            if not piece:
                raise Gone
            data += piece
        self.data = bytes(data[end + 5:])
        return bytes(data[:end + 2]).replace(b"\r\n.", b"\r\n")[2:]

    def read_chunk(self, n):
        data = bytearray(self.data)
        while len(data) < n:
            piece = self.sock.recv(65536)
            if not piece:
                raise Gone
            data += piece
        self.data = bytes(data[n:])
        return bytes(data[:n])

    def finish(self):
        say("END")
        if opt.delay:
            time.sleep(opt.delay / 1000)
        if opt.cut is not None:
            self.keep()
            self.send(b"250 2.0.0 taken\r\n"[:opt.cut])
            raise Gone
        with lock:
            rule = self.rule("END")
        if rule is None or rule.startswith("END=2"):
            self.keep()
        self.answer("END", "250 2.0.0 taken")
        self.taken += 1
        self.reset()

    def keep(self):
        with lock:
            number = sum(n.endswith(".eml") for n in os.listdir(opt.out)) + 1
            base = os.path.join(opt.out, str(number))
            with open(base + ".env", "w") as f:
                f.write("\n".join([self.mail] + self.rcpts) + "\n")
            with open(base + ".part", "wb") as f:
                f.write(self.body)
            os.rename(base + ".part", base + ".eml")

    def command(self, line):
        text = line.decode("utf-8", "surrogateescape")
        verb = text.split(" ")[0].upper()
        say("AUTH" if verb == "AUTH" else text)
        if verb in ("EHLO", "HELO"):
            self.answer(verb, self.ehlo())
        elif verb == "STARTTLS":
            self.send(b"220 go\r\n" + (b"250 injected\r\n" if opt.inject else b""))
            self.start_tls()
            self.data = b""
        elif verb == "AUTH":
            self.auth(text[5:])
        elif verb == "MAIL":
            self.reset()
            if self.taken == opt.per:
                self.send("421 4.7.0 enough")
                raise Gone
            if self.answer(text, "250 2.1.0 ok"):
                self.mail = text
        elif verb == "RCPT":
            if self.mail is None:
                self.send("503 5.5.1 MAIL first")
            elif self.answer(text, "250 2.1.5 ok"):
                self.rcpts.append(text)
        elif verb == "DATA":
            if not self.rcpts:
                self.send("554 5.5.1 no valid recipients")
            elif self.answer(text, "354 go on"):
                self.body = self.read_body()
                self.finish()
        elif verb == "BDAT":
            chunk = self.read_chunk(int(text.split()[1]))
            if not self.rcpts:
                self.send("554 5.5.1 no valid recipients")
                return
            self.body = (self.body or b"") + chunk
            if text.upper().endswith("LAST"):
                self.finish()
            else:
                self.send("250 2.0.0 more")
        elif verb == "RSET":
            self.reset()
            self.answer(verb, "250 2.0.0 ok")
        elif verb == "NOOP":
            self.answer(verb, "250 2.0.0 ok")
        elif verb == "QUIT":
            self.answer(verb, "221 2.0.0 bye")
            raise Gone
        else:
            self.send("500 5.5.2 what?")

    def count(self, n):
        global clients
        with lock:
            clients += n
            return clients

    def run(self):
        full = opt.most is not None and self.count(0) >= opt.most
        self.count(1)
        try:
            if opt.tls:
                self.start_tls()
            if full:
                self.send("421 4.7.0 too many connections")
                raise Gone
            self.answer("GREET", "220 fake.example ESMTP")
            while True:
                self.command(self.line())
        except (Gone, OSError) as e:
            say("CLOSED %s" % e)
        finally:
            self.count(-1)
            self.sock.close()


listener = socket.create_server(("127.0.0.1", opt.port))
while True:
    peer, _ = listener.accept()
    read_options()
    threading.Thread(target=Session(peer).run, daemon=True).start()
