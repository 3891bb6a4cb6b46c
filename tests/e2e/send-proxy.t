#!/usr/bin/env bash
# mt-send through a SOCKS and an HTTP proxy, and through none that nobody asked for
. "${0%/*}/../lib.sh"
. "$TOP/tests/e2e/queue.sh"

proxy=$(free_port)
start proxy python3 "$TOP/tests/tools/fake_proxy.py" "$proxy"
wait_port proxy "$proxy" || exit 1
# via URL: the account goes through this proxy, to a host that only the proxy knows
via() { client_conf "" "smtp://mail.example.org:$port" 'allow_plaintext = yes' "proxy = \"$1\""; }
asked() { sort -u proxy.log | tr '\n' ' '; }

fake --starttls --cert "$T/cert.pem" --key "$T/key.pem"
for kind in socks5h http; do
	client_conf "" "smtp://localhost:$port" "proxy = \"$kind://127.0.0.1:$proxy\""
	fake --starttls --cert "$T/cert.pem" --key "$T/key.pem"
	: >proxy.log
	expect "$kind: the message goes by it, with TLS to the server" "
		try 0 b@x.y
		taken 1
		[ \"\$(asked)\" = '${kind%h} localhost $port ' ]
	"
done
expect 'the proxy resolves the name: a certificate of another is refused, which names it' '
	via "socks5h://127.0.0.1:$proxy"
	fake --starttls --cert "$T/cert.pem" --key "$T/key.pem"
	: >proxy.log
	try 69 --no-queue b@x.y
	grep "mail.example.org: the server.s certificate is refused" err
	[ "$(asked)" = "socks5 mail.example.org $port " ]
	taken 0'
expect 'a proxy that is not there: queued, and it says so' '
	client_conf "" "smtp://localhost:$port" "proxy = \"socks5h://127.0.0.1:1\""
	try 0 b@x.y
	grep "queued: localhost: no connection to the proxy: Connection refused" err
	queued 1; taken 0'
expect 'the proxies of the environment are not used' '
	client_conf "" "smtp://localhost:$port"
	fake --starttls --cert "$T/cert.pem" --key "$T/key.pem"
	: >proxy.log
	export http_proxy="http://127.0.0.1:$proxy" all_proxy="socks5h://127.0.0.1:$proxy"
	try 0 b@x.y
	taken 1
	[ ! -s proxy.log ]'
done_testing
