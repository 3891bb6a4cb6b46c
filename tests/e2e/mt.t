#!/usr/bin/env bash
# mt.t - the front door
. "${0%/*}/../lib.sh"

client_conf pop3s://a@localhost smtps://a@localhost
expect 'mt alone prints the commands, and that is no success' '
	status 64 mt >out
	grep "mt fetch" out'
expect 'mt help COMMAND is COMMAND --help' '
	mt help fetch >a
	mt-fetch --help >b
	cmp a b
	mt help mt-fetch >c
	cmp a c'
expect 'mt COMMAND runs mt-COMMAND with its arguments and status' '
	mt fetch --version >out
	grep "^mt-fetch " out
	status 64 mt fetch --nonsense 2>err
	grep "^mt-fetch: unknown option --nonsense" err'
expect 'a command that is none is named' '
	status 64 mt fetsch 2>err
	grep fetsch err
	status 64 mt help fetsch 2>err
	grep fetsch err'
expect 'mt accounts lists the accounts' '
	[ "$(mt accounts)" = test ]
	[ "$(mt accounts -0 | od -An -c | tr -d " ")" = "test\\0" ]
	for both in "-0 --json" "--json -0"; do
		mt accounts $both | tail -c 2 | cmp - <(printf "}\0")
	done
	mt accounts --json | python3 -c "
import json, sys
o = json.loads(sys.stdin.readline())
assert o[\"name\"] == \"test\" and o[\"pop3\"] == \"pop3s://a@localhost\", o"'
expect 'a configuration that is wrong is named with its line' '
	echo "acount x {}" >bad.conf
	status 78 mt accounts -C bad.conf 2>err
	grep "bad.conf:1: " err'
done_testing
