#!/usr/bin/env bash
# Includes point downwards only, outside libraries have one home each, every header
# stands alone, and every module has a test (libmt/README, "The layers").
. "${0%/*}/../lib.sh"

cd "$TOP" || exit

# Every include of our own that climbs or strays: "file: include".
strays()
{
	grep -noE '^#include "[^"]+"' /dev/null "$@" | awk -F'[:"]' '
	BEGIN {
		split("base:1 net:2 message:2 maildir:2 smtp:3 imap:3 pop3:3 auth:3 " \
		    "filter:3 conf:3 queue:4 send:5 fetch:5 serve:5 index:5 backup:5", list, " ")
		for (i in list) {
			split(list[i], pair, ":")
			layer[pair[1]] = pair[2]
		}
	}
	{
		n = split($1, path, "/")
		own = path[n - 1]
		m = split($4, include, "/")
		to = m > 1 ? include[1] : own
		if (own == "cmd") {
			ok = to == "cmd" || to in layer
		} else if (to == own) {
			ok = m > 1 || $4 == ""
		} else {
			ok = (own in layer) && (to in layer) && layer[to] < layer[own] &&
			    to != "conf"
		}
		if (!ok)
			print $1 ":" $2 ": " $4
	}'
}

# Every include of an outside library away from its home.
homeless()
{
	grep -noE '^#[[:space:]]*include <[^>]+>' /dev/null "$@" | sed 's/#[[:space:]]*include <//; s/>//' |
	while IFS=: read -r file line header; do
		case $header in
		curl/*) home='libmt/net/*' ;;
		openssl/*) home='libmt/net/* libmt/auth/* libmt/base/digest.* libmt/backup/*' ;;
		unbound.h) home='libmt/net/dns*' ;;
		gmime/*) home='libmt/message/*' ;;
		notmuch.h) home='libmt/index/*' ;;
		sqlite3.h) home='libmt/fetch/*' ;;
		confuse.h) home='libmt/conf/*' ;;
		zlib.h) home='libmt/net/*' ;;
		zstd*.h | zdict.h) home='libmt/backup/*' ;;
		jansson.h) home='libmt/base/json.* libmt/index/* cmd/*' ;;
		libxml/*) home='libmt/message/*' ;;
		magic.h) home='libmt/message/* libmt/send/*' ;;
		idn2.h) home='libmt/message/* libmt/net/* libmt/smtp/path.c' ;;
		seccomp.h | linux/landlock.h) home='libmt/base/sandbox.*' ;;
		crypt.h) home='libmt/auth/* libmt/serve/*' ;;
		gio/*) home= ;;
		*) continue ;;
		esac
		found=
		for h in $(set -f; echo $home); do
			# shellcheck disable=SC2053	# a pattern
			[[ $file == $h ]] && found=1
		done
		[ -n "$found" ] || echo "$file:$line: $header"
	done
}

ours=(libmt/*/*.[ch] cmd/*.[ch])
is "$(strays "${ours[@]}")" "" 'includes point downwards'
is "$(set -f; homeless "${ours[@]}")" "" 'outside libraries stay in their homes'

# The two checks can fail.
mkdir -p "$T"/libmt/{base,send,smtp}
cd "$T" || exit
printf '#include "net/conn.h"\n' >libmt/base/x.c
printf '#include "fetch/plan.h"\n#include <curl/curl.h>\n' >libmt/send/y.c
printf '#include "base/err.h"\n#include "smtp/path.h"\n#include <glib.h>\n' >libmt/smtp/z.c
is "$(strays libmt/*/*.c | cut -d: -f1 | xargs)" "libmt/base/x.c libmt/send/y.c" \
    'climbing and straying are seen'
is "$(homeless libmt/*/*.c | cut -d: -f1)" "libmt/send/y.c" 'a library away from home is seen'
cd "$TOP" || exit

# The compiler, with the flags of the build.
flags=$(make -s B="$MT_BUILD" print-flags) || flags=
for h in libmt/*/*.h cmd/*.h; do
	echo "$h"
done >"$T/headers"
expect 'every header compiles alone' '
	[ -n "$flags" ]
	[ -s "$T/headers" ]
	xargs -P 4 -n 1 sh -c "${CC:-gcc} $flags -Werror -Icmd -fsyntax-only \
	    -include libmt/base/banned.h -x c \$1 || exit 255" sh <"$T/headers"
'
expect 'the first line of every file says what it owns' '
	for f in "${ours[@]}"; do
		head -n 2 "$f" | grep -qF "* ${f##*/} - " || { echo "$f"; exit 1; }
	done
'
bare=
for f in libmt/*/*.c; do
	test=tests/unit/${f#libmt/}
	[ -e "$test" ] || bare+=" $f"
done
[ -z "$bare" ] || diag "no unit test of their own:$bare"
done_testing
