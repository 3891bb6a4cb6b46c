#!/usr/bin/env python3
"""compare_mail.py - whether the same messages came out as went in, byte for byte

usage: compare_mail.py [--apart FILE] IN OUT

Sending and receiving put trace fields on top of a message; everything below them must
be what it was. IN and OUT are Maildirs, mbox files, .eml files or folders of these;
messages are compared as SHA-256 of their bytes, with LF as line end and one at the very
end, as SMTP has it. OUT's messages may have more fields on top, of the names in TRACE.

--apart names messages of IN that were not sent, one path a line, and are left out.

Prints "IN-COUNT OUT-COUNT BYTES-OUT" and ends with 0 when both hold the same messages,
each as often; otherwise it says on standard error what is missing and what is new.
"""
import argparse
import collections
import hashlib
import os
import re
import sys

TRACE = {b"return-path", b"received", b"delivered-to", b"authentication-results",
         b"received-spf", b"x-original-to"}
TRACE_LINES = 60
FROM_LINE = re.compile(
    rb"^From [^\n]*\d\d:\d\d[^\n]*\n(?=[!-9;-~]+[ \t]*:|\n)|\AFrom [^\n]*\n", re.M)


def normal(data):
    data = data.replace(b"\r\n", b"\n")
    return data if data.endswith(b"\n") else data + b"\n"


def mbox(path, data):
    """The messages of an mboxrd file, by name."""
    data = data.replace(b"\r\n", b"\n")
    starts = list(FROM_LINE.finditer(data))
    for number, m in enumerate(starts, 1):
        end = starts[number].start() if number < len(starts) else len(data)
        text = data[m.end():end]
        if text.endswith(b"\n\n") or text == b"\n":
            text = text[:-1]
        yield "%s:%d" % (path, number), re.sub(rb"(?m)^>(>*From )", rb"\1", text)


def messages(path):
    """Every message below a path, as (name, bytes)."""
    if os.path.isfile(path):
        with open(path, "rb") as f:
            data = f.read()
        if data.startswith(b"From "):
            yield from mbox(path, data)
        else:
            yield path, data
        return
    is_maildir = all(os.path.isdir(os.path.join(path, d)) for d in ("cur", "new"))
    for name in sorted(os.listdir(path)):
        below = os.path.join(path, name)
        if os.path.islink(below) or (is_maildir and name == "tmp"):
            continue
        if os.path.isdir(below):
            if is_maildir or not name.startswith("."):
                yield from messages(below)
        elif not is_maildir and not name.startswith("."):
            yield from messages(below)


def digest_below_trace(data, wanted):
    """The first digest in `wanted` of what stands below trace fields."""
    data = normal(data)
    at = 0
    whole = None
    for _ in range(TRACE_LINES):
        digest = hashlib.sha256(memoryview(data)[at:]).digest()
        whole = whole or digest
        if wanted.get(digest, 0) > 0:
            return digest
        end = data.find(b"\n", at) + 1
        line = data[at:end]
        name = line.split(b":", 1)[0].strip().lower()
        if line[:1] not in (b" ", b"\t") and name not in TRACE:
            break
        at = end
    return whole


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--apart", metavar="FILE")
    p.add_argument("came_in", metavar="IN")
    p.add_argument("came_out", metavar="OUT")
    args = p.parse_args()
    apart = set()
    if args.apart:
        with open(args.apart, encoding="utf-8", errors="surrogateescape") as f:
            apart = {line.rstrip("\n") for line in f}
    wanted = collections.Counter()
    names = {}
    for name, data in messages(args.came_in):
        if name in apart:
            continue
        digest = hashlib.sha256(normal(data)).digest()
        wanted[digest] += 1
        names[digest] = name
    count_in = sum(wanted.values())
    count_out = size = 0
    strange = []
    for name, data in messages(args.came_out):
        count_out += 1
        size += len(data)
        digest = digest_below_trace(data, wanted)
        if wanted.get(digest, 0) > 0:
            wanted[digest] -= 1
        else:
            strange.append(name)
    missing = [names[d] for d in +wanted]
    print(count_in, count_out, size)
    for name in missing[:10]:
        print("missing: %s" % name, file=sys.stderr)
    for name in strange[:10]:
        print("not among those that went in: %s" % name, file=sys.stderr)
    sys.exit(1 if missing or strange else 0)


main()
