# queue.sh - mt-send with a queue of its own, and a fake server that can have faults

need python3 openssl
make_ca || exit 1
sent=$T/Mail/test/Sent inbox=$T/Mail/test/INBOX
export XDG_STATE_HOME=$T/state
queue=$T/state/mt/queue
port=$(free_port)
mkdir out; : >options
start fake python3 "$TOP/tests/tools/fake_smtp.py" "$port" --out "$T/out" \
    --options "$T/options"
wait_port fake "$port" || exit 1
fake() # OPTION...: from now on the server has these faults; nothing was sent so far
{
	rm -rf out Mail "$queue"
	mkdir out
	: >fake.log
	[ $# = 0 ] && : >options || printf '%s\n' "$@" >options
}
now() { [ $# = 0 ] && : >options || printf '%s\n' "$@" >options; }	# as fake, and all stays
# try STATUS ARGUMENT...: send a message; errors in err
try()
{
	local want=$1

	shift
	echo text | status "$want" mt-send -s hello "$@" >stdout 2>err || { cat err; return 1; }
}
taken() { [ "$(find out -name '*.eml' | wc -l)" = "$1" ]; }	# N: messages that the server has
in_dir() { [ "$(find "$1/cur" "$1/new" -type f 2>/dev/null | wc -l)" = "$2" ]; }
# N: messages in the queue, and nothing that belongs to none
queued()
{
	[ "$(find "$queue/env" -type f | wc -l)" = "$1" ]
	[ "$(find "$queue/msg" -type f | wc -l)" = "$1" ]
	[ -z "$(find "$queue/tmp" "$queue/corrupt" -type f)" ]
}
id() { mt-send queue list -0 | tr '\0' '\n' | head -n 1; }
# The time of a queued message, moved: PYTHON changes the envelope e.
edit()
{
	python3 - "$queue/env/$(id)" "$1" <<-'END'
		import json, sys, time
		now = int(time.time())
		e = json.load(open(sys.argv[1]))
		exec(sys.argv[2])
		json.dump(e, open(sys.argv[1], "w"))
	END
}

client_conf "" "smtp://127.0.0.1:$port"
