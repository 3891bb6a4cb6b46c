#!/usr/bin/env bash
# A body of `expect` runs under set -e, which does not see two things: a command behind
# `!`, and what fails before the last `&&` of a list. So `not` says the first, and each
# condition has a line of its own; only the last line of a body may be a list.
. "${0%/*}/../lib.sh"
need python3

cat >bodies.py <<'END'
import re, sys

QUOTED = r"""(?:'[^']*'|"(?:[^"\\]|\\.)*"|\\.|\$?[^\s'"\\;&|()<>$])"""
EXPECT = re.compile(r"^[ \t]*expect(?:_plain)?[ \t]+(%s+)(?:[ \t]|\\\n)+(%s+)" % (QUOTED, QUOTED), re.M | re.S)
STRING = re.compile(r"""'[^']*'|"(?:[^"\\]|\\.)*"|\\.""", re.S)
HEREDOC = re.compile(r"<<-?\s*(\w+)\n.*?\n\s*\1(?=\n|$)", re.S)
GROUP = re.compile(r"\$?\(([^()]*)\)")
NEGATED = re.compile(r"^(?:(?:do|then|else|\{)\s+)*!\s|(?:&&|\|\|)\s*!\s")
ASKS = re.compile(r"^(?:(?:do|then|else|\{)\s+)*(?:if|elif|while|until)\b")

# What set -e would not see in a body, whose strings are out of the way already.
def unseen(body):
    while m := GROUP.search(body):	# a subshell's status is that of its own last command
        yield from unseen(m[1])
        body = body[:m.start()] + "_" + body[m.end():]
    body = re.sub(r"\\\n|(?<=&&)\s*\n|(?<=\|)\s*\n", " ", body)
    commands = [c.strip() for c in re.split(r";|\n", body)]
    commands = [c for c in commands if c and not c.startswith("#")]
    for i, c in enumerate(commands):
        if ASKS.match(c):
            continue
        if NEGATED.search(c):
            yield c
        elif "&&" in c and "||" not in c[c.rindex("&&"):] and i < len(commands) - 1:
            yield c

def unquote(word):
    return word[1:-1] if word[0] in "'\"" else word

for path in sys.argv[1:]:
    text = open(path).read()
    calls = len(re.findall(r"^[ \t]*expect(?:_plain)?[ \t]", text, re.M))
    found = list(EXPECT.finditer(text))
    if len(found) != calls:
        print(f"{path}: {len(found)} bodies of {calls} are understood")
    for m in found:
        body = unquote(m[2]).replace('\\"', '"') if m[2][0] == '"' else unquote(m[2])
        body = STRING.sub("_", HEREDOC.sub("\n", body))
        line = text.count("\n", 0, m.start()) + 1
        for c in unseen(body):
            print(f"{path}:{line}: {c}")
END
unseen() { python3 "$T/bodies.py" "$@"; }

cat >bad.t <<'END'
expect 'a' '
	! one x
	for i in 1 2; do two && [ -e x ]; done
	three a >b && ! grep x b
	( four && five; six )
	true'
expect "b" "
	[ \"\$(seven && eight)\" = 1 ] && nine
	true
"
END
cat >good.t <<'END'
expect 'a' '
	not one "! x && y"
	if ! two && three; then
		four || { echo no; exit 1; }
	fi
	five && six || seven
	( cd x && eight )
	[ "$(cd x && nine)" = 1 ]
	ten &&
	    eleven'
END
is "$(unseen bad.t | sed 's/.*: //' | cut -c1-8 | xargs)" \
    "four && ! one x do two & three a [ _ = 1" 'what is not seen is found'
is "$(unseen good.t)" "" 'and nothing else'
verdict() { expect 'x' "$1" 2>/dev/null | cut -d' ' -f1-2; }
is "$(verdict $'not true\ntrue'; verdict $'not grep x none\ntrue'; verdict $'not false\ntrue')" \
    "not ok
not ok
ok 3" 'not ends a body wherever it stands, also when there is no answer'
cd "$TOP" || exit
is "$(unseen tests/*/*.t | grep -v '^tests/lint/bodies.t:')" "" 'set -e sees every condition of a body'
done_testing
