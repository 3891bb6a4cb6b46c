#!/usr/bin/env bash
# mt-serve refuses a configuration that is wrong or unsafe, and names the line.
. "${0%/*}/../lib.sh"
. "$TOP/tests/e2e/serve.sh"

serve_conf
ok 'a good configuration: nothing is said' eval \
    '[ -z "$(mt-serve -c serve.conf check 2>&1)" ] && mt-serve -c serve.conf check'

# wrong 'promise' SED REGEX [STATUS]: the configuration, changed so, is refused so.
wrong()
{
	local rc

	sed "$2" serve.conf >wrong.conf
	mt-serve -c wrong.conf check >wrong.out 2>&1
	rc=$?
	[ $rc = "${4:-78}" ] && [[ $(cat wrong.out) =~ $3 ]]
	test_line $? "$1" || diag "status $rc, said: $(cat wrong.out)"
	[ -z "${5:-}" ] || return
	timeout 10 mt-serve -c wrong.conf >wrong.out 2>&1
	is $? "${4:-78}" '  and it does not start'
}

wrong 'an unknown word' 's/^hostname/hostnam/' \
    'wrong.conf:1: unknown word "hostnam"; did you mean "hostname"'
wrong 'no host name' '/^hostname/d' 'wrong.conf:1: hostname: missing'
wrong 'a bad host name' 's/"mail.example.org"/"mail example"/' 'conf:1: hostname: .*not a host name'
wrong 'no domain' 's/^domains.*/domains = {}/' 'conf:.*domains: missing'
wrong 'a bad domain' 's/"example.net"/"example..net"/' 'conf:2: domains: "example..net"'
wrong 'a relative path' 's/^mail_root.*/mail_root = "mail"/' 'conf:3: mail_root: .*absolute'
wrong 'no postmaster' '/^postmaster/d' 'postmaster: missing'
wrong 'a postmaster elsewhere' 's/"bob@example.org"$/"bob@example.com"/' \
    'conf:6: postmaster: .*not in one of our domains'
wrong 'a postmaster who does not exist' 's/^postmaster.*/postmaster = "eve@example.org"/' \
    'conf:6: postmaster: no user "eve@example.org"; .*user add'
wrong 'passwords without TLS' '/^tls_/d' 'conf:8: submission: passwords are taken over TLS only'
wrong 'a key without a certificate' '/^tls_certificate/d' 'conf:7: tls_key: .*belong together'
wrong 'an address that is none' 's/^smtp.*/smtp = { "127.0.0.1:0", "mx:25" }/' 'conf:9: smtp: "mx:25"'
wrong 'nowhere to listen' '/^\(smtp\|submission\|submissions\|lmtp\|pop3\|pop3s\) /d' 'nothing to listen on'
wrong 'an alias for mail elsewhere' 's/"ada@example.org", /"ada@example.com", /' \
    'conf:15: to: "ada@example.com" is not in one of our domains'
wrong 'an alias of another domain' 's/alias "info@example.org"/alias "info@example.com"/' \
    'conf:15: to: alias "info@example.com"'
wrong 'a size out of range' '$a size_max = 10' 'conf:16: size_max: 10 is not between'
wrong 'a certificate that is none' "s|cert.pem|users|" 'conf:7: tls_certificate'
wrong 'a key of another certificate' "s|key.pem|ca.key|" 'conf:7: tls_certificate'
wrong 'no such key' "s|key.pem|none.pem|" 'conf:8: tls_key: .*none.pem: No such file'
chmod 644 key.pem
wrong 'a key that all may read' '' 'conf:8: tls_key: .*others may read.*chmod 600' 78 start
chmod 600 key.pem
chmod 644 users
wrong 'password hashes that all may read' '' 'conf:4: users: .*chmod 600' 78 start
chmod 600 users
chmod 777 mail
wrong 'a mail_root that all may write' '' 'conf:3: mail_root: .*others may write' 78 start
chmod 700 mail
wrong 'a mail_root that is not there' "s|$T/mail|$T/gone|" 'conf:3: mail_root: .*No such file'
wrong 'a password file that is not there' "s|$T/users|$T/gone|" 'conf:4: users: .*user add'
wrong 'a section without an end' '$a alias "x@example.org" {' 'conf:16: this section has no end'
cp users users.good
echo nonsense >>users
wrong 'a broken password file' '' 'users:3: not "address:hash"'
cp users.good users
if [ "$(id -u)" = 0 ]; then
	wrong 'root without a user' '/^user =/d' 'user: missing: root does not serve mail'
	wrong 'a user who does not exist' 's/^user =.*/user = "nosuchuser"/' 'conf:5: user: no user'
	chmod 755 "$T"
	wrong 'a mail_root of somebody else' 's/^user =.*/user = "nobody"/' \
	    'conf:3: mail_root: .*Permission denied \(as uid'
fi
ok 'a file that is not there: 78' status 78 mt-serve -c none.conf

expect 'the sample configuration is understood' '
	rc=0
	mt-serve -c "$TOP/etc/mt-serve.conf" check >sample.out 2>&1 || rc=$?
	[ $rc = 78 ] && grep -q "tls_key: /etc/mt/key.pem: No such file" sample.out
'

# A port that is taken is no mistake of the configuration.
serve_start
sed "s/^smtp.*/smtp = { \"127.0.0.1:$SMTP\" }/; /^lmtp/d" serve.conf >taken.conf
expect 'a port that is taken: 75, with the line' '
	status 75 mt-serve -c taken.conf 2>taken.out
	grep -q "taken.conf:9: smtp: .*in use" taken.out
'

expect 'users: added, listed, changed, removed' '
	echo x | mt-serve -c serve.conf user add Cyd@Example.org
	mt-serve -c serve.conf user list >list
	printf "ada@example.org\nbob@example.org\ncyd@example.org\n" | cmp - list
	mt-serve -c serve.conf user list --json | python3 -c "
import json, sys
assert [json.loads(line)[\"address\"] for line in sys.stdin][2] == \"cyd@example.org\""
	mt-serve -c serve.conf user remove cyd@example.org
	[ "$(mt-serve -c serve.conf user list | wc -l)" = 2 ]
'
expect 'what cannot be done is said' '
	echo x | status 65 mt-serve -c serve.conf user add ada@example.org
	echo x | status 67 mt-serve -c serve.conf user passwd eve@example.org
	status 67 mt-serve -c serve.conf user remove eve@example.org
	echo x | status 64 mt-serve -c serve.conf user add eve@example.com
	echo x | status 64 mt-serve -c serve.conf user add ../eve@example.org
	echo x | status 64 mt-serve -c serve.conf user add eve+tag@example.org
	echo | status 65 mt-serve -c serve.conf user add eve@example.org
	status 64 mt-serve -c serve.conf user
	status 64 mt-serve -c serve.conf user add
	status 64 mt-serve -c serve.conf user frob ada@example.org
	status 64 mt-serve -c serve.conf check now
	[ "$(mt-serve -c serve.conf user list | wc -l)" = 2 ]
'
done_testing
