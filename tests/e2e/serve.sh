# serve.sh - a private mt-serve for a test: sourced behind lib.sh
#
# serve_conf [LINE...]	writes $T/serve.conf (more lines at its end), makes certificates
#			and the users ada (secret-a) and bob (secret-b) at example.org
# serve_start [COMMAND...]	starts it as "serve" (behind a command, like strace), waits until it is
#			ready, sets SMTP SUBMISSION SUBMISSIONS LMTP POP3 POP3S
# talk ...		tests/tools/talk

need python3 openssl

serve_conf()
{
	make_ca || exit 1
	chmod 600 key.pem
	mkdir -p mail
	cat >serve.conf <<-END
		hostname = "mail.example.org"
		domains = { "example.org", "example.net", "xn--bcher-kva.example" }
		mail_root = "$T/mail"
		users = "$T/users"
		user = "$(id -un)"
		postmaster = "bob@example.org"
		tls_certificate = "$T/cert.pem"
		tls_key = "$T/key.pem"
		smtp = { "127.0.0.1:0" }
		submission = { "127.0.0.1:0" }
		submissions = { "127.0.0.1:0" }
		lmtp = { "unix:$T/lmtp" }
		pop3 = { "127.0.0.1:0" }
		pop3s = { "127.0.0.1:0" }
		alias "info@example.org" { to = { "ada@example.org", "bob@example.org" } }
	END
	[ $# = 0 ] || printf '%s\n' "$@" >>serve.conf
	echo secret-a | mt-serve -c serve.conf user add ada@example.org &&
	echo secret-b | mt-serve -c serve.conf user add bob@example.org || exit 1
}

serve_port() # PROTOCOL
{
	sed -n "s/.*event=ready.* $1=127\.0\.0\.1:\([0-9]*\).*/\1/p" "$T/serve.log" | tail -n 1
}

serve_start()
{
	rm -f "$T/serve.log"
	start serve "$@" "$MT_BUILD/bin/mt-serve" -c "$T/serve.conf"
	wait_log serve 'event=ready' 30 || { diag "$(cat "$T/serve.log")"; exit 1; }
	SMTP=$(serve_port smtp) SUBMISSION=$(serve_port submission) LMTP=$T/lmtp
	SUBMISSIONS=$(serve_port submissions) POP3=$(serve_port pop3) POP3S=$(serve_port pop3s)
	export SMTP SUBMISSION SUBMISSIONS LMTP POP3 POP3S
}

# dialogue 'promise' ARGUMENTS-OF-TALK... <script
dialogue()
{
	local promise=$1

	shift
	cat >"$T/.script"
	"$TOP/tests/tools/talk" "$@" <"$T/.script" >"$T/.out" 2>&1
	test_line $(($? != 0)) "$promise" && return
	blame "$promise" "$(cat "$T/.out")"
}

# How many messages are in a user's Maildir.
mails() # USER@DOMAIN or USER of example.org
{
	local user=${1%@*} domain=example.org

	[[ $1 != *@* ]] || domain=${1#*@}
	find "$T/mail/$domain/$user/new" "$T/mail/$domain/$user/cur" -type f 2>/dev/null | wc -l
}

# The newest message of a user, and what lies below our trace fields.
newest() # USER
{
	ls -1t "$T/mail/example.org/$1/new"/* 2>/dev/null | head -n 1
}

below_trace() # FILE
{
	awk 'body { print; next }
	     /^(Return-Path|Delivered-To|Received):/ && !seen_received {
		if (/^Received:/) seen_received = 1
		next
	     }
	     seen_received && /^\t/ && !body && !past { next }
	     { past = 1; body = 1; print }' "$1"
}

plain_auth() # USER PASSWORD: AUTH PLAIN's response
{
	printf '\0%s\0%s' "$1" "$2" | base64 -w0
}
