#!/usr/bin/env python3
"""mime_tree.py - how the parts of a message are nested, and whether it shows what it has

usage: mime_tree.py FILE [DIR]

Parses with Python's email package and the strict policy (a defect anywhere is an error).
Prints the parts, as in mixed(alternative(plain,related(html,png)),pdf), in one line, and
the fields of each leaf that say what it is. Each cid: in HTML must be the Content-ID of one
part of the multipart/related that it is in, and each such part must be shown. Writes text
into DIR as text.plain and text.html, and every file under its name.
"""
import email
import email.policy
import os
import re
import sys

policy = email.policy.default.clone(raise_on_defect=True)
message = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=policy)


def tree(part):
    name = part.get_content_subtype()
    if part.is_multipart():
        return "%s(%s)" % (name, ",".join(map(tree, part.get_payload())))
    return name


def save(part):
    name = part.get_filename() or "text." + part.get_content_subtype()
    content = part.get_payload(decode=True)
    if part.get_filename() is None and not content.endswith(b"\n"):
        content += b"\n"
    with open(os.path.join(sys.argv[2], os.path.basename(name)), "wb") as f:
        f.write(content)


def check_related(part):
    root, *files = part.get_payload()
    if part.get_param("type") != root.get_content_type():
        sys.exit("multipart/related says that its root is %s" % part.get_param("type"))
    shown = {"<%s>" % c for c in re.findall(r"cid:([^\"' )>]+)", root.get_content())}
    ids = [f["Content-ID"] for f in files]
    if shown != set(ids) or len(ids) != len(set(ids)):
        sys.exit("the HTML shows %s, and there are %s" % (shown, ids))


print(tree(message))
for part in message.walk():
    if part.get_content_type() == "multipart/related":
        check_related(part)
    if part.is_multipart():
        continue
    print(part.get_content_type(), part.get_content_charset(), part.get_param("format"),
          part["Content-Transfer-Encoding"], part.get_content_disposition(),
          part.get_filename())
    if len(sys.argv) > 2:
        save(part)
