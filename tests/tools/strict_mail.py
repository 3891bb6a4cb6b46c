#!/usr/bin/env python3
"""strict_mail.py FILE...: every part of every message is read without complaint by Python's
email package with its strict policy; prints the names of attachments."""
import email
import email.policy
import sys

for path in sys.argv[1:]:
    with open(path, "rb") as f:
        message = email.message_from_binary_file(f, policy=email.policy.strict)
    for part in message.walk():
        assert not part.defects, (path, part.get_content_type(), part.defects)
        for name, value in part.items():
            defects = getattr(value, "defects", ())
            assert not defects, (path, name, str(value), defects)
        if not part.is_multipart():
            part.get_content()
        if part.get_filename():
            print(part.get_filename())
