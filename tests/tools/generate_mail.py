#!/usr/bin/env python3
"""generate_mail.py - varied messages for tests and the demo, the same for the same seed

usage: generate_mail.py [--count N] [--seed N] FOLDER
       generate_mail.py --pdf FILE

Writes FOLDER/0001.eml ... with LF line ends: several charsets, 8-bit headers, long and
folded lines, attachments, HTML, nested multiparts, no final line end, empty bodies, dots
and "From " at line starts, long References, format=flowed, signatures, and all of it
mixed. Two of them no SMTP server may carry: one has a bare CR, one a NUL. All people are
user1@example.org to user9@example.org.
"""
import argparse
import base64
import binascii
import os
import quopri
import random
import zlib

WORDS = (
    "plan meeting harbour window river garden report kettle lamp paper northern quiet "
    "careful engine bridge number forest winter answer orchard ticket message letter "
    "copper yellow between morning table silver station market island"
).split()
# Text that the charset can say, with letters beyond ASCII.
TEXTS = {
    "utf-8": "Grüße, žluťoučký kůň, Ελληνικά, кириллица, 日本語, emoji 📬",
    "iso-8859-1": "Grüße, où êtes-vous, año, smørrebrød",
    "iso-8859-15": "Preis: 5 €, Œuvre, naïve",
    "windows-1252": "“quoted” – 5 € … naïve",
    "iso-8859-2": "žluťoučký kůň, zażółć gęślą jaźń",
    "koi8-r": "кириллица, привет",
    "windows-1251": "кириллица – «кавычки»",
    "iso-8859-7": "Ελληνικά γράμματα",
    "iso-2022-jp": "日本語のテキスト",
    "shift_jis": "日本語のテキスト",
    "euc-kr": "한국어 문장",
    "gb18030": "中文字符",
    "big5": "中文字元",
}
NAMES = ["", "User One", "Büro Süd", "Ελληνικά", "日本語", '"quoted, comma"', "O'Clock"]


def pdf(text):
    """A small valid PDF of one page."""
    stream = b"BT /F1 24 Tf 72 720 Td (" + text.encode("ascii") + b") Tj ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, offsets = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    xref = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % o for o in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(objects) + 1)
    return out + b"startxref\n%d\n%%%%EOF\n" % xref


def png(rng):
    """A valid grey PNG of 16 by 16."""
    def chunk(kind, data):
        crc = binascii.crc32(kind + data)
        return len(data).to_bytes(4, "big") + kind + data + crc.to_bytes(4, "big")
    rows = b"".join(b"\0" + rng.randbytes(16) for _ in range(16))
    head = (16).to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class Maker:
    def __init__(self, rng):
        self.rng = rng
        self.ids = ["<0@example.org>"]

    def sentence(self, n=None):
        n = n or self.rng.randint(3, 12)
        return " ".join(self.rng.choice(WORDS) for _ in range(n))

    def prose(self, lines):
        return "".join(self.sentence() + ".\n" for _ in range(lines))

    def encoded_word(self, text, charset):
        raw = text.encode(charset)
        if self.rng.random() < 0.5:
            return "=?%s?B?%s?=" % (charset, base64.b64encode(raw).decode())
        q = "".join(chr(b) if chr(b).isalnum() and b < 128 else "=%02X" % b for b in raw)
        return "=?%s?Q?%s?=" % (charset.upper(), q)

    def mailbox(self):
        name = self.rng.choice(NAMES)
        if name and not name.isascii():
            name = self.encoded_word(name, "utf-8")
        spec = "user%d@example.org" % self.rng.randint(1, 9)
        return "%s <%s>" % (name, spec) if name else spec

    def subject(self):
        kind = self.rng.randrange(6)
        if kind == 0:
            charset = self.rng.choice(sorted(TEXTS))
            return self.encoded_word(TEXTS[charset][:16], charset).encode("ascii")
        if kind == 1:               # undeclared 8-bit text, as old mail has it
            charset = self.rng.choice(["utf-8", "iso-8859-1", "koi8-r"])
            return TEXTS[charset].encode(charset)
        if kind == 2:               # folded
            return "\n\t".join(self.sentence() for _ in range(4)).encode()
        if kind == 3:
            return b"Re: " + self.sentence(3).encode()
        if kind == 4:
            return b""
        return self.sentence(30).encode()   # long, not folded

    def header(self, number):
        """The fields that every kind of message has; bytes without the empty line."""
        day = self.rng.randint(1, 28)
        fields = [
            b"From: " + self.mailbox().encode(),
            b"To: " + ",\n ".join(
                self.mailbox() for _ in range(self.rng.choice([1, 1, 2, 40]))).encode(),
            b"Subject: " + self.subject(),
            b"Date: %d %s 2024 %02d:%02d:%02d %+05d" % (
                day, self.rng.choice([b"Jan", b"May", b"Nov"]), self.rng.randrange(24),
                self.rng.randrange(60), self.rng.randrange(60),
                self.rng.choice([-800, 0, 100, 545])),
        ]
        roll = self.rng.random()
        if roll < 0.9:
            own = "<%d.%08x@example.org>" % (number, self.rng.getrandbits(32))
            self.ids.append(own)
            fields.append(b"Message-ID: " + own.encode())
        if roll < 0.4:
            count = self.rng.choice([1, 2, 5, 120])
            chain = [self.rng.choice(self.ids) for _ in range(count)]
            fields.append(b"In-Reply-To: " + chain[-1].encode())
            fields.append(b"References: " + "\n ".join(chain).encode())
        if self.rng.random() < 0.1:
            fields.append(b"X-Long: " + b"x" * self.rng.randint(990, 3000))
        if self.rng.random() < 0.1:
            fields.append(b"Received: from a.example.org by b.example.org; "
                          b"Mon, 1 Jan 2024 00:00:00 +0000")
            fields.append(b"Return-Path: <user9@example.org>")
        if self.rng.random() < 0.1:
            fields.append(b"X-Raw: " + TEXTS["iso-8859-1"].encode("iso-8859-1"))
        self.rng.shuffle(fields)
        return fields

    # --- bodies: (fields, bytes) ---

    def plain(self):
        return [], self.prose(self.rng.randint(1, 60)).encode()

    def eight_bit(self):
        charset = self.rng.choice(sorted(TEXTS))
        text = (TEXTS[charset] + "\n" + self.prose(3)) * self.rng.randint(1, 8)
        body = text.encode(charset)
        how = self.rng.choice(["8bit", "base64", "quoted-printable"])
        if charset == "iso-2022-jp":
            how = "7bit"
        if how == "base64":
            body = base64.encodebytes(body)
        elif how == "quoted-printable":
            body = quopri.encodestring(body)
        return [b"MIME-Version: 1.0",
                b'Content-Type: text/plain; charset="%s"' % charset.encode(),
                b"Content-Transfer-Encoding: " + how.encode()], body

    def undeclared(self):
        return [], TEXTS["iso-8859-1"].encode("iso-8859-1") + b"\n" + self.prose(4).encode()

    def long_lines(self):
        lines = [b"y" * self.rng.choice([997, 998, 999, 1000, 2048, 70000])
                 for _ in range(3)]
        return [], b"\n".join(lines) + b"\n"

    def dots(self):
        return [], b".\n..\n.hidden\n...\n" + self.prose(2).encode() + b".\n\n.\n"

    def from_lines(self):
        return [], (b"From the start of a line\n>From the quoted one\n\n"
                    b"From user1@example.org Mon Jan  1 00:00:00 2024\n"
                    b"Subject: not a message\n\n" + self.prose(2).encode())

    def empty(self):
        return [], self.rng.choice([b"", b"\n", b"\n\n\n", b" \n"])

    def no_end(self):
        return [], self.prose(2).encode() + b"the end without a line end"

    def flowed(self):
        text = "".join("> " * self.rng.randrange(3) + self.sentence() + " \n" +
                       self.sentence(2) + "\n" for _ in range(5))
        return ([b"MIME-Version: 1.0",
                 b"Content-Type: text/plain; charset=us-ascii; format=flowed; delsp=yes"],
                text.encode() + b"\n-- \nuser1\nexample.org\n")

    def quoted_reply(self):
        text = "On a day, user2@example.org wrote:\n"
        text += "".join("> " * self.rng.randint(1, 6) + self.sentence() + "\n"
                        for _ in range(12))
        return [], text.encode() + self.prose(2).encode() + b"-- \nsent by user1\n"

    def html(self):
        text = "<html><body><h1>%s</h1><p>%s</p><a href='http://www.example.org/'>" \
               "link</a><!-- %s --></body></html>\n" % (
                   self.sentence(3), TEXTS["utf-8"], self.sentence())
        return [b"MIME-Version: 1.0", b"Content-Type: text/html; charset=utf-8",
                b"Content-Transfer-Encoding: 8bit"], text.encode()

    def part(self, kind, data, name):
        return (b"Content-Type: %s; name=\"%s\"\n"
                b"Content-Disposition: attachment;\n filename*=utf-8''%s\n"
                b"Content-Transfer-Encoding: base64\n\n%s") % (
                    kind, name, name, base64.encodebytes(data))

    def multipart(self, depth=0):
        boundary = b"=_%08x_%d" % (self.rng.getrandbits(32), depth)
        parts = []
        for _ in range(self.rng.randint(1, 4)):
            roll = self.rng.randrange(6)
            if roll == 0 and depth < 6:
                fields, body = self.multipart(depth + 1)
                parts.append(b"\n".join(fields[1:]) + b"\n\n" + body)
            elif roll == 1:
                parts.append(self.part(b"application/pdf", pdf(self.sentence(4)),
                                       b"report%20plan.pdf"))
            elif roll == 2:
                parts.append(self.part(b"image/png", png(self.rng), b"picture.png"))
            elif roll == 3:
                inner = b"\n".join(self.header(0)) + b"\n\n" + self.prose(3).encode()
                parts.append(b"Content-Type: message/rfc822\n\n" + inner)
            elif roll == 4:
                data = self.rng.randbytes(self.rng.choice([0, 1, 1000, 60000]))
                parts.append(self.part(b"application/octet-stream", data, b"data.bin"))
            else:
                fields, body = self.rng.choice([self.eight_bit, self.html])()
                parts.append(b"\n".join(fields[1:]) + b"\n\n" + body)
        body = b"".join(b"--" + boundary + b"\n" + p + b"\n" for p in parts)
        kind = self.rng.choice([b"mixed", b"alternative", b"related"])
        preamble = self.rng.choice([b"", b"This is MIME.\n"])
        closing = self.rng.choice([b"--" + boundary + b"--\n", b""])
        return [b"MIME-Version: 1.0",
                b"Content-Type: multipart/" + kind + b";\n\tboundary=\"" + boundary +
                b"\""], preamble + body + closing

    def bare_cr(self):
        return [], b"an old Macintosh\rwrote this\n"

    def nul(self):
        return [], b"a NUL \0 is in here\n"

    def message(self, number, body):
        fields, content = body()
        return b"\n".join(self.header(number) + fields) + b"\n\n" + content


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--count", type=int, default=500)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--pdf", metavar="FILE")
    p.add_argument("folder", nargs="?")
    args = p.parse_args()
    if args.pdf:
        with open(args.pdf, "wb") as f:
            f.write(pdf("Made by the demo"))
        return
    if not args.folder:
        p.error("a folder is needed")
    m = Maker(random.Random(args.seed))
    kinds = [m.plain, m.eight_bit, m.undeclared, m.long_lines, m.dots, m.from_lines,
             m.empty, m.no_end, m.flowed, m.quoted_reply, m.html, m.multipart,
             m.multipart, m.multipart]
    os.makedirs(args.folder, exist_ok=True)
    for number in range(1, args.count + 1):
        body = kinds[number % len(kinds)]
        if number == args.count // 3:
            body = m.bare_cr
        elif number == args.count // 2:
            body = m.nul
        with open(os.path.join(args.folder, "%04d.eml" % number), "wb") as f:
            f.write(m.message(number, body))


main()
