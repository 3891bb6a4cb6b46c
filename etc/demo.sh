#!/usr/bin/env bash
# demo.sh - the main job from end to end, every command shown before it runs
#
#	etc/demo.sh [MAIL]		(make demo, make demo MAIL=path)
#
# A private mt-serve on loopback with a throw-away certificate authority, two accounts, a
# letter with an attachment and its answer; then the same with every message of MAIL (a
# Maildir, a folder of Maildirs or .eml files, an mbox file, or a .tar.zst of these), or
# with 500 messages that are generated. Needs no root, touches nothing outside a temporary
# folder, leaves nothing running. DEMO_KEEP=1 keeps the folder.
set -u
TOP=$(cd "${0%/*}/.." && pwd -P)
BUILD=$(cd "$TOP" && cd "${MT_BUILD:-build}" && pwd -P) || exit 1
TOOLS=$TOP/tests/tools
MAIL_IN=
if [ $# -gt 0 ]; then
	MAIL_IN=$(realpath -e -- "$1") || exit 1
fi
D=$(mktemp -d "${TMPDIR:-/tmp}/mt-demo.XXXXXX") || exit 1
SERVER=
export PATH=$BUILD/bin:$TOOLS:$PATH HOME=$D/home LC_ALL=C.UTF-8
unset MT_CONFIG XDG_CONFIG_HOME XDG_DATA_HOME XDG_STATE_HOME XDG_CACHE_HOME \
    NOTMUCH_CONFIG NOTMUCH_PROFILE NOTMUCH_DATABASE MAILDIR
bold='' plain=''
[ ! -t 1 ] || { bold=$'\e[1m'; plain=$'\e[0m'; }

finish()
{
	local rc=$?

	trap - EXIT INT TERM HUP
	if [ -n "$SERVER" ]; then
		kill "$SERVER" 2>/dev/null
		wait "$SERVER" 2>/dev/null
	fi
	[ $rc = 0 ] || [ ! -s "$D/serve.log" ] || {
		echo "The server's last words:"
		tail -n 15 "$D/serve.log"
	}
	cd / || exit 1
	if [ -n "${DEMO_KEEP:-}" ]; then
		echo "Kept: $D"
	else
		rm -rf "$D"
	fi
	exit $rc
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

say()
{
	echo
	printf '# %s\n' "$@"
}

fail()
{
	echo "demo: $*" >&2
	exit 1
}

# run COMMAND-LINE: show it, then do it.
run()
{
	printf '%s$ %s%s\n' "$bold" "$1" "$plain"
	eval "$1" || fail "this command failed (status $?): $1"
}

show_file()
{
	printf '%s$ cat %s%s\n' "$bold" "$1" "$plain"
	cat "$1"
}

free_port()
{
	local port

	while port=$((15000 + (RANDOM * 32768 + RANDOM) % 17000)); do
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
	done
	echo "$port"
}

# --- the ground ---------------------------------------------------------------------

# A throw-away authority, and a certificate for "localhost".
make_certificates()
{
	{
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
		    -subj "/CN=throw-away CA of the demo" -keyout ca.key -out ca.pem \
		    -addext keyUsage=critical,keyCertSign &&
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		    -subj /CN=localhost -keyout key.pem -out cert.csr &&
		printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' >cert.ext &&
		openssl x509 -req -in cert.csr -CA ca.pem -CAkey ca.key -set_serial 2 -days 2 \
		    -extfile cert.ext -out cert.pem
	} >openssl.log 2>&1 || { cat openssl.log; fail "no certificate"; }
}

full_name()
{
	case $1 in
	nord) echo "Büro Nord" ;;
	sued) echo "Büro Süd" ;;
	*) echo "Alle" ;;
	esac
}

write_configurations()
{
	local smtp=$1 submissions=$2 pop3s=$3 name

	cat >serve.conf <<-END
		hostname        = "mail.example.org"
		mail_root       = "$D/server"
		domains         = { "example.org" }
		users           = "$D/users"
		user            = "$(id -un)"
		postmaster      = "nord@example.org"
		tls_certificate = "$D/cert.pem"
		tls_key         = "$D/key.pem"
		smtp            = { "127.0.0.1:$smtp" }
		submissions     = { "127.0.0.1:$submissions" }
		pop3s           = { "127.0.0.1:$pop3s" }
	END
	mkdir -p server home/.config/mt
	{
		echo 'maildir = "~/Mail"'
		for name in nord sued all; do
			head -c 18 /dev/urandom | base64 >"$name.password"
			cat <<-END
				account $name {
				  from             = "$(full_name $name) <$name@example.org>"
				  pop3             = "pop3s://$name%40example.org@localhost:$pop3s"
				  smtp             = "smtps://$name%40example.org@localhost:$submissions"
				  password_command = "cat $D/$name.password"
				  ca_file          = "$D/ca.pem"
				}
			END
		done
	} >home/.config/mt/mt.conf
}

start_server()
{
	local port=$1 i

	printf '%s$ mt-serve -c serve.conf 2>serve.log &%s\n' "$bold" "$plain"
	mt-serve -c serve.conf 2>serve.log &
	SERVER=$!
	for ((i = 0; i < 200; i++)); do
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return
		kill -0 "$SERVER" 2>/dev/null || break
		sleep 0.05
	done
	fail "mt-serve does not answer"
}

# --- one letter and its answer ------------------------------------------------------

# sha256_of_pdf MESSAGE: the checksum of its attached PDF, by somebody else's MIME parser.
sha256_of_pdf()
{
	python3 -c '
import email, hashlib, sys
message = email.message_from_binary_file(open(sys.argv[1], "rb"))
for part in message.walk():
    if part.get_content_type() == "application/pdf":
        print(hashlib.sha256(part.get_payload(decode=True)).hexdigest())' "$1"
}

one_letter()
{
	local letter sum

	say "1. A letter with a non-ASCII subject and an attachment, by TLS with a login:"
	generate_mail.py --pdf Übersicht.pdf || fail "no PDF"
	run "printf 'Guten Tag,\n\nanbei die Übersicht für den Winter.\n' |
  mt-send -a nord -s 'Grüße: die Übersicht für Süd' -A Übersicht.pdf 'Büro Süd <sued@example.org>'"
	say "The server has it on disk before it says so:"
	run "find server -type f -path '*/new/*'"

	say "2. The other side collects it by POP3 with TLS, indexes, searches, reads:"
	run "mt-fetch -a sued --delete"
	run "mt-index new -v"
	run "mt-index search 'subject:Übersicht'"
	run "mt-index show 'subject:Übersicht and to:sued' | tee shown"
	grep -q 'anbei die Übersicht für den Winter' shown || fail "the text is not there"
	grep -q 'Übersicht.pdf' shown || fail "the attachment is not listed"

	say "The attachment is the file that was sent, byte for byte:"
	letter=$(find home/Mail/sued/INBOX -type f -path '*/[cn]*/*')
	sum=$(sha256_of_pdf "$letter")
	run "sha256sum Übersicht.pdf"
	echo "$sum  in the message that arrived"
	[ "$sum" = "$(sha256sum <Übersicht.pdf | cut -d' ' -f1)" ] ||
	    fail "the attachment has changed"

	say "3. An answer:"
	run "printf 'Vielen Dank, sie ist angekommen.\n' | mt-send -a sued reply '$letter'"
	run "mt-fetch -a nord --delete"
	run "mt-index new -v"
	run "mt-index search from:sued and to:nord"
	run "mt-index show 'from:sued and to:nord' | tee shown"
	grep -q 'Vielen Dank, sie ist angekommen' shown || fail "the answer is not there"
	grep -q 'Re: Grüße: die Übersicht für Süd' shown || fail "not an answer to that subject"
}

# Every file below a folder with its checksum and its name, sorted.
checksums()
{
	(cd "$1" && find . -name .notmuch -prune -o -type f -print0 | sort -z |
	    xargs -0 -r sha256sum)
}

back_up()
{
	say "4. A backup; the mail is deleted; the backup brings it back:"
	checksums home/Mail >before.sums
	run "mt-backup -r repo init"
	run "mt-backup -r repo create -v home/Mail"
	run "mt-backup -r repo list"
	run "rm -rf home/Mail"
	run "mt-backup -r repo restore -v"
	run "mt-backup -r repo verify -v"
	checksums home/Mail >after.sums
	cmp before.sums after.sums || fail "the restored mail differs"
	echo "$(wc -l <after.sums) files are back, byte for byte (SHA-256 and names compared)."
}

# --- the same with much mail --------------------------------------------------------

# timed COMMAND-LINE: run it; ELAPSED has the seconds.
timed()
{
	local start=${EPOCHREALTIME/[.,]/}

	run "$1"
	ELAPSED=$(awk -v us=$((${EPOCHREALTIME/[.,]/} - start)) 'BEGIN { printf "%.2f", us / 1e6 }')
}

# row STEP IN OUT BYTES SECONDS BODIES: one line of the table at the end.
row()
{
	printf '%-8s %8s %8s %9s %8s %8s  %s\n' "$1" "$2" "$3" \
	    "$(awk -v n="$4" 'BEGIN { printf "%.1f", n / 1e6 }')" "$5" \
	    "$(awk -v n="$3" -v s="$5" 'BEGIN { printf "%.0f", (s > 0 ? n / s : 0) }')" \
	    "$6" >>table
}

# compare_step STEP OUT SECONDS: the messages there are those of INPUT; a row says so.
compare_step()
{
	local counts

	counts=$(compare_mail.py --apart apart "$INPUT" "$2") ||
	    fail "$1: messages are missing or have changed ($counts)"
	# shellcheck disable=SC2086	# three numbers
	row "$1" $counts "$3" "all unchanged"
}

find_input()
{
	local archive

	INPUT=input
	if [ -z "$MAIL_IN" ]; then
		say "5. The same with 500 generated messages (make demo MAIL=path takes yours):"
		run "generate_mail.py --count 500 input"
		return
	fi
	say "5. The same with the messages of $MAIL_IN:"
	mkdir input
	case $MAIL_IN in
	*.tar.zst | *.tar)
		tar -xf "$MAIL_IN" -C input || fail "cannot unpack $MAIL_IN"
		return ;;
	esac
	for archive in "$MAIL_IN"/*.tar.zst; do
		[ -e "$archive" ] || { INPUT=$MAIL_IN; break; }
		tar -xf "$archive" -C input || fail "cannot unpack $archive"
	done
}

send_all()
{
	local total sent size

	timed "mt-send inject -a all -t all@example.org --json --keep-bcc '$INPUT' >sent.json || [ \$? = 65 ]"
	jq -r 'select(.result == "unfit") | .path' sent.json >apart
	total=$(grep -c . sent.json)
	sent=$(jq -r 'select(.result == "sent") | .path' sent.json | wc -l)
	APART=$(wc -l <apart)
	if [ $((sent + APART)) != "$total" ]; then
		jq -c 'select(.result != "sent" and .result != "unfit")' sent.json | head -n 10
		fail "of $total messages, $((total - sent - APART)) were not taken"
	fi
	if [ "$APART" -gt 0 ]; then
		echo "SMTP cannot carry $APART of $total messages; they are not sent and counted apart:"
		jq -r 'select(.result == "unfit") | "  \(.path): \(.text)"' sent.json
	fi
	size=$(jq -s 'map(select(.result == "sent") | .size) | add // 0' sent.json)
	row send "$((total - APART))" "$sent" "$size" "$ELAPSED" "each taken by a 250"
}

mass()
{
	local left

	find_input
	export HOME=$D/mass
	mkdir -p "$HOME/.config/mt"
	cp "$D/home/.config/mt/mt.conf" "$HOME/.config/mt/"

	send_all
	compare_step receive server/example.org/all "$ELAPSED"

	timed "mt-fetch -a all --delete"
	compare_step fetch mass/Mail/all/INBOX "$ELAPSED"
	left=$(find server/example.org/all -type f -path '*/[cn]*/*' | wc -l)
	[ "$left" = 0 ] || fail "$left messages are still on the server"

	timed "mt-index new -v"
	run "mt-index count -o files '*' | tee indexed"
	[ "$(cat indexed)" = "$(find mass/Mail/all/INBOX -type f -path '*/[cn]*/*' | wc -l)" ] ||
	    fail "not every message is in the index"
	compare_step index mass/Mail/all/INBOX "$ELAPSED"

	checksums mass/Mail >before.sums
	run "mt-backup -r repo2 init"
	timed "mt-backup -r repo2 create -v mass/Mail"
	compare_step backup mass/Mail/all/INBOX "$ELAPSED"
	run "rm -rf mass/Mail"
	timed "mt-backup -r repo2 restore -v"
	checksums mass/Mail >after.sums
	cmp before.sums after.sums || fail "the restored mail differs"
	compare_step restore mass/Mail/all/INBOX "$ELAPSED"

	say "Messages by count and by the SHA-256 of every one; fields that sending and" \
	    "receiving put on top are left aside. The server answers when a message is on" \
	    "disk: send and receive take one time."
	printf '%-8s %8s %8s %9s %8s %8s  %s\n' step in out MB seconds msg/s bodies
	cat table
	[ "$APART" = 0 ] || echo "$APART more counted apart: SMTP cannot carry them."
}

main()
{
	local smtp submissions pop3s name

	cd "$D" || exit 1
	: >table
	say "A private server in $D: its configuration, and the clients'."
	make_certificates
	smtp=$(free_port) submissions=$(free_port) pop3s=$(free_port)
	write_configurations "$smtp" "$submissions" "$pop3s"
	show_file serve.conf
	show_file home/.config/mt/mt.conf
	for name in nord sued all; do
		run "mt-serve -c serve.conf user add $name@example.org <$name.password"
	done
	run "mt-serve -c serve.conf check"
	start_server "$pop3s"
	one_letter
	back_up
	mass
	say "All is well. Stopping the server and removing $D."
}

main
