#!/usr/bin/env python3
"""flowed.py - the paragraphs of a text in format=flowed, by a decoder that is not ours

usage: flowed.py FILE

Takes the first text/plain of a message, which must be format=flowed with lines of at most 78
characters, where there are blanks (none before what looks quoted). Prints its paragraphs, one a line, each behind its quote
marks ("> ", ">> "), as RFC 3676 4 has it.
"""
import email
import email.policy
import re
import sys

policy = email.policy.default.clone(raise_on_defect=True)
message = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=policy)
part = next(p for p in message.walk() if p.get_content_type() == "text/plain")
if part.get_param("format") != "flowed" or part.get_param("delsp") is not None:
    sys.exit("no format=flowed: %s" % part["Content-Type"])
content = part.get_payload(decode=True).decode(part.get_content_charset())

paragraphs, goes_on = [], None
for line in content.replace("\r\n", "\n").removesuffix("\n").split("\n"):
    if len(line) > 78 and re.search(" [^ >]", line.lstrip("> ").removeprefix("-- ").rstrip(" ")):
        sys.exit("a line of %d characters: %s" % (len(line), line))
    text = line.lstrip(">")
    depth = len(line) - len(text)
    if text.startswith(" "):
        text = text[1:]
    if goes_on is not None:
        if depth != goes_on or text == "-- ":
            sys.exit("a paragraph that does not end before: %s" % line)
        paragraphs[-1] += text
    else:
        paragraphs.append(">" * depth + (" " if depth and text else "") + text)
    goes_on = depth if text.endswith(" ") and text != "-- " else None
if goes_on is not None:
    sys.exit("the last paragraph does not end")
sys.stdout.buffer.write(("\n".join(paragraphs) + "\n").encode())
