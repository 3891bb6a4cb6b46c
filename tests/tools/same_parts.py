#!/usr/bin/env python3
"""same_parts.py - whether a message that forwards another one has all its parts

usage: same_parts.py [--strict] ORIGINAL FORWARDED

Every leaf of ORIGINAL, but text/plain without a file name, and text/html where that stands
beside it in a multipart/alternative, must be in FORWARDED with the same type, the same
file name (where it has one) and, decoded, the same bytes; with CRLF read as LF where it
was not in base64. FORWARDED must have no defect; with --strict it is parsed by a
policy that raises on the first. Prints what is missing; status 0 or 1.
"""
import collections
import email
import email.policy
import sys

strict = sys.argv[1] == "--strict"
original, forwarded = sys.argv[1 + strict:]


def content(part):
    data = part.get_payload(decode=True) or b""
    encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    return data if encoding in ("base64", "binary") else data.replace(b"\r\n", b"\n")


def name(part):
    n = part.get_filename()
    if n is None or "\ufffd" in n:	# 8 bits without a charset: nobody knows
        return None
    return n.replace("\\", "/").rsplit("/", 1)[-1].strip()


def leaves(message, alternative=False):
    if message.is_multipart():
        kind = message.get_content_type()
        for part in message.get_payload():
            yield from leaves(part, kind == "multipart/alternative" or
                              (alternative and kind == "multipart/related"))
        return
    kind = message.get_content_type()
    plain = kind == "text/plain" or (kind == "text/html" and alternative)
    yield kind, name(message), content(message), plain and name(message) is None


def read(path, policy):
    return email.message_from_binary_file(open(path, "rb"), policy=policy)


loose = email.policy.default
have = collections.Counter()
for kind, filename, data, _ in leaves(read(forwarded, loose.clone(raise_on_defect=strict))):
    # Text without a name may get one, and its last line end is that of the boundary.
    for n in {filename, None}:
        for d in {data, data.rstrip(b"\n"), data.replace(b"\r\n", b"\n")}:
            have[kind, n, d] += 1
missing = 0
for kind, filename, data, shown in leaves(read(original, loose)):
    if shown:
        continue
    if not (have[kind, filename, data] or have[kind, filename, data.rstrip(b"\n")]):
        print("missing: %s %r, %d bytes: %r" % (kind, filename, len(data), data[:60]))
        missing = 1
sys.exit(missing)
