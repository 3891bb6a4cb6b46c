#!/usr/bin/env python3
"""sync_soak.py - two users change one mailbox while mt-fetch synchronises, and is killed

usage: sync_soak.py PORT ROOT COUNT SEED

PORT is an IMAP server's, ROOT the Maildirs of user1's account, as MT_CONFIG has it. COUNT
times somebody writes, flags, moves or deletes a message on a side, often while mt-fetch runs,
which is often killed. Then mt-fetch may finish, and: both sides are equal, and each message
that nobody deleted is there once. What is not so is printed; 1.

A message is moved by one side only until mt-fetch has run to its end: two places for one
message are two messages.
"""
import collections
import hashlib
import imaplib
import os
import random
import re
import subprocess
import sys
import time

FOLDERS = ["INBOX", "Lists", "Work"]
LETTERS = {"\\Seen": "S", "\\Answered": "R", "\\Flagged": "F", "\\Draft": "D",
           "\\Deleted": "T"}


class Server:
    """What a user does in another client."""

    def __init__(self, port):
        self.m = imaplib.IMAP4("127.0.0.1", port)
        self.m.login("user1", "secret-1")

    def make(self, folder):
        self.m.create(folder)

    def messages(self, folder):
        """(UID, subject, flags, hash) of each."""
        self.m.select(folder)
        _, data = self.m.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[])")
        out = []
        for i, d in enumerate(data or []):
            if not isinstance(d, tuple):
                continue
            head = d[0].decode() + (data[i + 1].decode()
                                    if isinstance(data[i + 1], bytes) else "")
            flags = re.search(r"FLAGS \(([^)]*)\)", head).group(1).split()
            text = d[1].replace(b"\r\n", b"\n")
            out.append((re.search(r"UID (\d+)", head).group(1), subject(text),
                        "".join(sorted(LETTERS.get(f, "") for f in flags)), digest(text)))
        return out

    def pick(self, folder):
        found = self.messages(folder)
        return random.choice(found)[:2] if found else (None, None)

    def write(self, folder, text):
        self.m.append(folder, "", None, text.replace(b"\n", b"\r\n"))

    def flag(self, uid):
        self.m.uid("STORE", uid, random.choice("+-") + "FLAGS",
                   "(%s)" % random.choice(["\\Seen", "\\Flagged", "\\Answered"]))

    def delete(self, uid):
        self.m.uid("STORE", uid, "+FLAGS", "(\\Deleted)")
        self.m.uid("EXPUNGE", uid)

    def move(self, uid, to, _):
        self.m.uid("MOVE", uid, to)


class Maildirs:
    """What a user does in a mail reader."""

    def __init__(self, root):
        self.root, self.count = root, 0

    def files(self, folder):
        return [os.path.join(self.root, folder, sub, name) for sub in ("cur", "new")
                for name in os.listdir(os.path.join(self.root, folder, sub))]

    def messages(self, folder):
        out = []
        for path in self.files(folder):
            with open(path, "rb") as f:
                text = f.read()
            flags = "".join(sorted(path.partition(":2,")[2]))
            out.append((path, subject(text), flags, digest(text)))
        return out

    def pick(self, folder):
        try:
            path = random.choice(self.files(folder))
            with open(path, "rb") as f:
                return path, subject(f.read())
        except (IndexError, FileNotFoundError):
            return None, None

    def name(self):
        self.count += 1
        return "%d.M%d.soak" % (time.time(), self.count)

    def write(self, folder, text):
        name = self.name()
        tmp = os.path.join(self.root, folder, "tmp", name)
        with open(tmp, "wb") as f:
            f.write(text)
        os.rename(tmp, os.path.join(self.root, folder, "new", name))

    def rename(self, path, folder, name):
        try:
            os.rename(path, os.path.join(self.root, folder, "cur", name))
        except FileNotFoundError:
            pass

    def flag(self, path):
        base, _, flags = os.path.basename(path).partition(":2,")
        flags = set(flags) ^ {random.choice("SFR")}
        self.rename(path, os.path.relpath(os.path.dirname(os.path.dirname(path)), self.root),
                    base + ":2," + "".join(sorted(flags)))

    def delete(self, path):
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass

    def move(self, path, to, keep):
        base, _, flags = os.path.basename(path).partition(":2,")
        self.rename(path, to, (base if keep else self.name()) + ":2," + flags)


def subject(text):
    m = re.search(rb"^Subject: (.*)$", text, re.M)
    return m.group(1).decode() if m else "?"


def digest(text):
    return hashlib.sha256(text).hexdigest()[:12]


class Soak:
    def __init__(self, port, root):
        self.sides = [Server(port), Maildirs(root)]
        self.written, self.deleted, self.moved = [], set(), set()
        self.kills = self.runs = 0
        self.ends = []
        self.story = collections.defaultdict(list)

    def text(self):
        n = len(self.written)
        self.written.append("m%d" % n)
        # Some have no Message-ID: they are known by their file's name.
        head = b"" if n % 10 == 0 else b"Message-ID: <m%d@soak>\n" % n
        return head + b"Subject: m%d\n\n" % n + b"text %d\n" % n * random.randint(1, 50)

    def change(self):
        side, folder = random.choice(self.sides), random.choice(FOLDERS)
        what = random.choice(["write", "write", "flag", "flag", "delete", "move"])
        if what == "write":
            side.write(folder, self.text())
            self.tell(self.written[-1], side, what, folder)
            return
        key, name = side.pick(folder)
        if key is None:
            return
        to = random.choice([f for f in FOLDERS if f != folder])
        if what == "flag":
            side.flag(key)
        elif what == "delete":
            self.deleted.add(name)
            side.delete(key)
        elif name in self.moved:
            return
        else:
            self.moved.add(name)
            side.move(key, to, int(name[1:]) % 10 == 0 or random.random() < 0.5)
        self.tell(name, side, what, folder, to if what == "move" else "")

    def tell(self, name, side, *words):
        self.story[name].append("run %d: %s %s" % (
            self.runs, "there" if side is self.sides[0] else "here", " ".join(words)))

    def sync(self, changes=0, kill=False):
        before = set(self.moved)
        p = subprocess.Popen(["mt-fetch"], stderr=subprocess.PIPE, text=True)
        self.runs += 1
        for _ in range(changes):
            self.change()
        if kill:
            time.sleep(random.uniform(0, 0.06))
            p.kill()
            self.kills += 1
        err = p.communicate()[1]
        if p.returncode not in (0, 75, -9):
            sys.exit("mt-fetch: status %d: %s" % (p.returncode, err))
        if p.returncode == 0:
            self.moved -= before
        self.ends.append("%d:%d" % (self.runs, p.returncode))
        return p.returncode

    def check(self):
        wrong, seen = [], collections.defaultdict(list)
        for folder in FOLDERS + ["Trash"]:
            there, here = (sorted(m[1:] for m in s.messages(folder)) for s in self.sides)
            if there != here:
                wrong.append("%s: only there %s, only here %s" % (
                    folder, sorted(set(there) - set(here)), sorted(set(here) - set(there))))
                wrong.append("%d there, %d here" % (len(there), len(here)))
            for m in here:
                seen[m[0]].append(folder)
        for name in self.written:
            if name not in self.deleted and len(seen[name]) != 1:
                wrong.append("%s is in %s: %s" % (
                    name, seen[name], "; ".join(self.story[name])))
        if wrong:
            wrong.append("how the runs ended: " + " ".join(self.ends))
        return wrong


def main():
    port, root, count, seed = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
    random.seed(seed)
    soak = Soak(port, root)
    for folder in FOLDERS[1:]:
        soak.sides[0].make(folder)
    for _ in range(30):
        soak.sides[0].write("INBOX", soak.text())
    if soak.sync() != 0:
        sys.exit("the first run failed")
    for _ in range(count // 5):
        for _ in range(random.randint(0, 4)):
            soak.change()
        soak.sync(random.randint(0, 3), random.random() < 0.5)
    # What the last changes and kills have left, then what came to Trash.
    for _ in range(4):
        status = soak.sync()
    wrong = soak.check()
    if status != 0:
        wrong.append("the last run ended with %d" % status)
    print("%d messages, %d deleted, %d runs, %d kills, seed %s" % (
        len(soak.written), len(soak.deleted), soak.runs, soak.kills, seed))
    print("\n".join(wrong))
    sys.exit(1 if wrong else 0)


main()
