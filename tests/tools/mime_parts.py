#!/usr/bin/env python3
"""mime_parts.py - what Python's email package makes of a message

usage: mime_parts.py FILE [DIR]

Parses with the strict policy (a defect anywhere is an error), prints the decoded header
fields and one line per part (type, disposition, file name, SHA-256 of the decoded
content), and writes each attachment into DIR under its name.
"""
import email
import email.policy
import hashlib
import os
import sys

message = email.message_from_binary_file(
    open(sys.argv[1], "rb"),
    policy=email.policy.default.clone(raise_on_defect=True))
for name in ("From", "To", "Cc", "Bcc", "Subject", "In-Reply-To", "References"):
    if message[name] is not None:
        print("%s: %s" % (name, message[name]))
for name in ("Date", "Message-ID", "MIME-Version"):
    if len(message.get_all(name, [])) != 1:
        sys.exit("%s: %d times" % (name, len(message.get_all(name, []))))
for part in message.walk():
    if part.is_multipart():
        print("part", part.get_content_type())
        continue
    content = part.get_payload(decode=True)
    name = part.get_filename()
    print("part", part.get_content_type(), part.get_content_disposition(), name,
          hashlib.sha256(content).hexdigest())
    if part.get_content_type() == "text/plain" and name is None:
        print("text", repr(part.get_content()))
    if name and len(sys.argv) > 2:
        with open(os.path.join(sys.argv[2], os.path.basename(name)), "wb") as f:
            f.write(content)
