#!/usr/bin/env python3
"""fake_imap.py - an IMAP server that plays a part, and else behaves

usage: fake_imap.py --port PORT --box FILE --chat FILE [--cert PEM --key PEM]

FILE of --box is the mail, as JSON: {"INBOX": {"validity": 1, "next": 4, "mail": {"3":
["\\Seen", "text with LF"]}}}. It is read at each connection and written at each change.
Any login is good. Commands are logged, with "more" behind one that came together with the
next, and "sent N" when a connection ends: how many bytes.

The chat is read at each connection, too; without it the server behaves. Its lines:

	# ...		a comment
	caps WORDS	these capabilities instead
	cut N		close when N bytes have gone
	< REGEX		this is the answer to commands that match (from their first letter,
			behind the tag; GREETING: to the connection), for the first fit:
	> TEXT		send TEXT and CRLF; $ is the tag of the command
	| TEXT		send TEXT with \\r \\n \\0 \\xNN taken for bytes, and nothing behind it
	* N TEXT	send TEXT, as |, N times with $N for 1, 2, ...
	good [RE => TEXT]	answer as one that behaves; TEXT instead of what fits RE
	next		from the next command on, this rule counts no more
	tls		TLS from now on
	close		close the connection
	sleep S		wait
"""
import argparse
import base64
import json
import os
import re
import socket
import ssl
import threading
import time

CAPS = "IMAP4rev1 LITERAL+ UIDPLUS MOVE ESEARCH"


class Closed(Exception):
    pass


def unescape(text):
    return re.sub(rb"\\(r|n|0|\\|x[0-9a-fA-F]{2})", lambda m: {
        b"r": b"\r", b"n": b"\n", b"0": b"\0", b"\\": b"\\",
    }.get(m.group(1)) or bytes([int(m.group(1)[1:], 16)]), text.encode())


def utf7(name):
    """Modified UTF-7 (RFC 3501 5.1.3)."""
    def run(m):
        b64 = base64.b64encode(m.group().encode("utf-16-be")).decode()
        return "&" + b64.rstrip("=").replace("/", ",") + "-"
    return re.sub("[^ -~]+", run, name.replace("&", "&-"))


def from_utf7(name):
    def run(m):
        b64 = m.group(1).replace(",", "/") + "==="
        return base64.b64decode(b64[:len(b64) // 4 * 4]).decode("utf-16-be") or "&"
    return re.sub("&([^-]*)-", run, name)


class Chat:
    def __init__(self, path):
        self.caps, self.cut, self.rules = CAPS, None, []
        lines = open(path).read().splitlines() if os.path.exists(path) else []
        for line in lines:
            word, _, rest = line.strip("\t ").partition(" ")
            if word == "caps":
                self.caps = rest
            elif word == "cut":
                self.cut = int(rest)
            elif word == "<":
                self.rules.append((re.compile(rest, re.I), []))
            elif word and not word.startswith("#"):
                self.rules[-1][1].append((word, rest))

    def answer(self, words):
        for i, (regex, steps) in enumerate(self.rules):
            if regex.match(words):
                if ("next", "") in steps:
                    del self.rules[i]
                return steps
        return [("good", "")]


class Session:
    def __init__(self, server, sock):
        self.server, self.sock = server, sock
        self.chat = Chat(server.chat)
        self.sent, self.buffer, self.name, self.swap = 0, b"", None, None
        self.utf8_names = "IMAP4rev1" not in self.chat.caps.split()
        self.utf8 = False
        with open(server.box) as f:
            self.boxes = json.load(f)

    # --- bytes

    def send(self, data):
        room = len(data) if self.chat.cut is None else self.chat.cut - self.sent
        self.sock.sendall(data[:room])
        self.sent += min(room, len(data))
        if room <= len(data) and self.chat.cut is not None:
            raise Closed

    def say(self, text):
        if self.swap:
            text = re.sub(*self.swap, text)
        self.send(text.encode("utf-8", "surrogateescape") + b"\r\n")

    def take(self, n):
        while len(self.buffer) < n:
            self.fill()
        out, self.buffer = self.buffer[:n], self.buffer[n:]
        return out

    def fill(self):
        data = self.sock.recv(65536)
        if not data:
            raise Closed
        self.buffer += data

    def line(self):
        while b"\n" not in self.buffer:
            self.fill()
        return self.take(self.buffer.index(b"\n") + 1).decode().rstrip("\r\n")

    def start_tls(self):
        self.sock = self.server.tls.wrap_socket(self.sock, server_side=True)

    # --- the mail

    def save(self):
        with open(self.server.box + ".tmp", "w") as f:
            json.dump(self.boxes, f)
        os.rename(self.server.box + ".tmp", self.server.box)

    def uids(self):
        return sorted(int(u) for u in self.boxes[self.name]["mail"])

    def chosen(self, text):
        """The UIDs of a set."""
        out = []
        for part in text.split(","):
            low, _, high = part.partition(":")
            low, high = int(low), float("inf") if high == "*" else int(high or low)
            out += [u for u in self.uids() if low <= u <= high]
        return out

    def add(self, name, flags, text):
        box = self.boxes[name]
        uid = box["next"]
        box["mail"][str(uid)] = [flags, text]
        box["next"] = uid + 1
        return uid

    def remove(self, uids, first=None):
        """It is done before it is told, all of it."""
        said = [first] if first else []
        for uid in uids:
            said.append("* %d EXPUNGE" % (self.uids().index(uid) + 1))
            del self.boxes[self.name]["mail"][str(uid)]
        self.save()
        for line in said:
            self.say(line)

    def wire(self, name):
        return name if self.utf8_names else utf7(name)

    def named(self, words):
        """The mailbox of a command: whatever is quoted first."""
        said = words.split('"')[1]
        return said if self.utf8_names else from_utf7(said)

    # --- commands; each is given the tag and what stands behind its name

    def capability(self, tag, _):
        self.say("* CAPABILITY " + self.caps())
        self.say(tag + " OK done")

    def caps(self):
        can = self.server.tls and not isinstance(self.sock, ssl.SSLSocket)
        return self.chat.caps + (" STARTTLS" if can else "")

    def id(self, tag, _):
        self.say('* ID ("name" "fake" "vendor" NIL)')
        self.say(tag + " OK done")

    def enable(self, tag, words):
        can = self.chat.caps.replace("UTF8=ONLY", "UTF8=ACCEPT").split()
        good = [w for w in words.split() if w in can]
        if "UTF8=ACCEPT" in good:
            self.utf8 = self.utf8_names = True
        self.say("* ENABLED " + " ".join(good))
        self.say(tag + " OK done")

    def starttls(self, tag, _):
        self.say(tag + " OK go on")
        self.start_tls()

    def login(self, tag, _):
        self.say(tag + " OK welcome")

    def logout(self, tag, _):
        self.say("* BYE bye")
        self.say(tag + " OK bye")
        raise Closed

    def list(self, tag, _):
        for name in self.boxes:
            self.say('* LIST () "/" "%s"' % self.wire(name))
        self.say(tag + " OK done")

    def create(self, tag, rest):
        self.boxes[self.named(rest)] = {"validity": 1, "next": 1, "mail": {}}
        self.save()
        self.say(tag + " OK made")

    def select(self, tag, _):
        box = self.boxes.get(self.name, {"validity": 1, "next": 1, "mail": {}})
        self.say("* %d EXISTS" % len(box["mail"]))
        self.say("* OK [UIDVALIDITY %d] valid" % box["validity"])
        self.say("* OK [UIDNEXT %d] next" % box["next"])
        self.say(tag + " OK [READ-WRITE] open")

    def append(self, tag, rest):
        m = re.match(r'"[^"]*" \(([^)]*)\) "[^"]*" (UTF8 \(~)?\{(\d+)(\+?)\}$', rest)
        name = self.named(rest)
        if not m.group(4):
            self.say("+ go on")
        text = self.take(int(m.group(3))).decode("latin-1").replace("\r\n", "\n")
        end = self.line()
        has_8bit = re.search("[^\0-\x7f]", text.partition("\n\n")[0]) is not None
        if end != (")" if m.group(2) else "") or (m.group(2) and not self.utf8):
            self.say(tag + " BAD what is that?")
        elif has_8bit and self.utf8 and not m.group(2):
            self.say(tag + " NO a header with 8 bits")
        else:
            uid = self.add(name, m.group(1), text)
            self.save()
            self.say("%s OK [APPENDUID %d %d] done" %
                     (tag, self.boxes[name]["validity"], uid))

    def uid(self, tag, rest):
        word, _, rest = rest.partition(" ")
        getattr(self, "uid_" + word.lower())(tag, *rest.partition(" ")[::2])

    def uid_fetch(self, tag, uids, what):
        for uid in self.chosen(uids):
            flags, text = self.boxes[self.name]["mail"][str(uid)]
            data = text.replace("\n", "\r\n").encode("latin-1")
            said = "UID %d FLAGS (%s)" % (uid, flags)
            if "SIZE" in what:
                said += (' INTERNALDATE "01-Jan-2020 00:00:00 +0000"'
                         " RFC822.SIZE %d" % len(data))
            if "HEADER" in what:
                data = b"".join(line + b"\r\n" for line in data.split(b"\r\n")
                                if line.lower().startswith(b"message-id:")) + b"\r\n"
                said += " BODY[HEADER.FIELDS (MESSAGE-ID)] {%d}\r\n" % len(data)
            elif "BODY" in what:
                said += " BODY[] {%d}\r\n" % len(data)
            else:
                data = b""
            self.send(b"* %d FETCH (%s%s)\r\n" %
                      (self.uids().index(uid) + 1, said.encode(), data))
        self.say(tag + " OK done")

    def uid_search(self, tag, first, rest):
        want = "\\Deleted" if "DELETED" in first + rest else ""
        uids = [u for u in self.uids()
                if want in self.boxes[self.name]["mail"][str(u)][0]]
        self.say("* SEARCH" + "".join(" %d" % u for u in uids))
        self.say(tag + " OK done")

    def uid_store(self, tag, uids, rest):
        how, given = re.match(r"([+-])FLAGS.SILENT \(([^)]*)\)", rest).groups()
        for uid in self.chosen(uids):
            mail = self.boxes[self.name]["mail"][str(uid)]
            have, change = set(mail[0].split()), set(given.split())
            mail[0] = " ".join(sorted(have | change if how == "+" else have - change))
        self.save()
        self.say(tag + " OK done")

    def copy(self, uids, rest):
        """What COPYUID says of it."""
        name, old = self.named(rest), self.chosen(uids)
        new = [self.add(name, *self.boxes[self.name]["mail"][str(u)]) for u in old]
        self.save()
        return "[COPYUID %d %s %s]" % (self.boxes[name]["validity"],
                                       ",".join(map(str, old)), ",".join(map(str, new)))

    def uid_copy(self, tag, uids, rest):
        self.say("%s OK %s done" % (tag, self.copy(uids, rest)))

    def uid_move(self, tag, uids, rest):
        old = self.chosen(uids)
        self.remove(old, "* OK %s moved" % self.copy(uids, rest))
        self.say(tag + " OK done")

    def expunge(self, tag, _):
        self.remove([u for u in self.uids()
                     if "\\Deleted" in self.boxes[self.name]["mail"][str(u)][0]])
        self.say(tag + " OK done")

    def uid_expunge(self, tag, uids, _):
        self.remove(self.chosen(uids))
        self.say(tag + " OK done")

    # --- the dialogue

    def play(self, tag, words):
        steps = self.chat.answer(words)
        literal = re.search(r"\{(\d+)\+\}$", words)
        if literal and "good" not in [word for word, _ in steps]:
            self.take(int(literal.group(1)))
            self.line()
        for word, rest in steps:
            text = rest.replace("$ ", tag + " ", 1) if rest.startswith("$ ") else rest
            if word == ">":
                self.say(text)
            elif word == "|":
                self.send(unescape(text))
            elif word == "*":
                n, _, text = text.partition(" ")
                for at in range(0, int(n), 1000):
                    self.send(b"".join(unescape(text.replace("$N", str(i + 1)))
                                       for i in range(at, min(at + 1000, int(n)))))
            elif word == "good":
                self.swap = text.split(" => ") if text else None
                self.good(tag, words)
                self.swap = None
            elif word == "tls":
                self.start_tls()
            elif word == "close":
                raise Closed
            elif word == "sleep":
                time.sleep(float(rest))

    def good(self, tag, words):
        verb, _, rest = words.partition(" ")
        if verb == "GREETING":
            self.say("* OK fake")
        elif hasattr(self, verb.lower()):
            getattr(self, verb.lower())(tag, rest)
        else:
            self.say(tag + " BAD what is that?")

    def serve(self):
        self.play("*", "GREETING")
        while True:
            tag, _, words = self.line().partition(" ")
            print("LOGIN" if words.startswith("LOGIN") else words, flush=True)
            if b"\n" in self.buffer:
                print("more", flush=True)
            if words.startswith("SELECT"):
                self.name = self.named(words)
            self.play(tag, words)


class Server:
    def __init__(self, options):
        self.box, self.chat, self.tls = options.box, options.chat, None
        if options.cert:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(options.cert, options.key)

    def run(self, sock):
        session = Session(self, sock)
        try:
            session.serve()
        except (Closed, OSError):
            pass
        finally:
            print("sent %d" % session.sent, flush=True)
            session.sock.close()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--port", type=int, required=True)
    p.add_argument("--box", required=True)
    p.add_argument("--chat", required=True)
    p.add_argument("--cert")
    p.add_argument("--key")
    options = p.parse_args()
    server = Server(options)
    listener = socket.create_server(("127.0.0.1", options.port))
    while True:
        sock, _ = listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=server.run, args=(sock,), daemon=True).start()


main()
