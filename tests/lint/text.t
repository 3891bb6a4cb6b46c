#!/usr/bin/env bash
# What every file must be: lines that fit, no paths of somebody's machine, and scripts
# without what shellcheck warns of.
. "${0%/*}/../lib.sh"

cd "$TOP" || exit
if git ls-files >"$T/files" 2>/dev/null && [ -s "$T/files" ]; then
	:
else
	find . -path ./build -prune -o -type f -print | sed 's|^\./||' >"$T/files"
fi
grep -vE '^(LICENSE|tests/data/|tests/fuzz/corpus/)' "$T/files" | while read -r f; do
	[ ! -f "$f" ] || echo "$f"
done >"$T/ours"
mapfile -t ours <"$T/ours"
mapfile -t code < <(grep -E '^(libmt|cmd|tests)/.*\.[ch]$' "$T/ours")
mapfile -t scripts < <(grep -lE '^#!.*\b(sh|bash)$' "${ours[@]}"; echo tests/lib.sh)

is "$(grep -nE '(^|[^A-Za-z0-9_.-])/(root|home/[a-z]+|work|Users)/' "${ours[@]}" |
    grep -v '^tests/lint/text.t:')" "" "no paths of somebody's machine"
is "$(grep -nE '[[:space:]]+$' "${code[@]}")" "" 'no blanks at the ends of lines of code'
is "$(for f in "${code[@]}"; do
	expand "$f" | grep -nE '^.{101}' | sed "s|^|$f:|"
done)" "" 'code fits 88 columns, or 100 where it reads better'
is "$(for f in "${code[@]}"; do tail -c 1 "$f" | od -An -c | grep -q '\\n' || echo "$f"; done)" \
    "" 'files end with a newline'
if command -v shellcheck >/dev/null; then
	ok 'shellcheck accepts the scripts' shellcheck -x -S warning \
	    -e SC2010,SC2034,SC2154 "${scripts[@]}"
else
	skip 'shellcheck' 'no shellcheck here'
fi
done_testing
