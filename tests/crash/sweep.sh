# sweep.sh - kill a command at every system call that changes something
#
# A crash test sources lib.sh and this file, and says
#
#	kill_each RESET CHECK COMMAND...
#
# For each system call of KILL_CALLS and k = 1, 2, ... it calls the function RESET,
# runs COMMAND so that SIGKILL meets it (or a process or thread of it) when it enters
# the k-th call of that kind, and calls the function CHECK with "CALL k": a status
# other than 0 fails the test, and what CHECK prints is shown. The k that COMMAND
# survives ends the sweep of that call. One promise for each kind of call.

KILL_CALLS="openat write pwrite64 writev sendto fsync fdatasync close renameat2 rename
    renameat unlink unlinkat ftruncate mkdir"
# At most so many k for one call, spread evenly where there are more.
KILL_MOST=${KILL_MOST:-60}

# How often a process or thread of the command makes the call, when nobody kills it:
# strace counts for each.
count_calls() # CALL COMMAND...
{
	local call=$1

	shift
	strace -f -q -o "$T/strace.log" -e trace="$call" "$@" \
	    >"$T/.count" 2>&1 </dev/null
	awk -v call="$call(" 'index($2, call) == 1 && ++n[$1] > most { most = n[$1] }
	    END { print most + 0 }' "$T/strace.log"
}

kill_one() # CALL K COMMAND...: 0 when it was killed
{
	local call=$1 k=$2

	shift 2
	( exec 2>/dev/null
	strace -f -q -o "$T/strace.log" -e trace="$call" \
	    -e inject="$call:signal=SIGKILL:when=$k" "$@" >"$T/killed.log" 2>&1 </dev/null )
	grep -q 'killed by SIGKILL' "$T/strace.log"
}

kill_each() # RESET CHECK COMMAND...
{
	local reset=$1 check=$2 call k n step bad tried

	need strace
	shift 2
	for call in $KILL_CALLS; do
		"$reset"
		n=$(count_calls "$call" "$@")
		[ "$n" -gt 0 ] || continue
		step=$(((n + KILL_MOST - 1) / KILL_MOST)) k=1 bad=0 tried=0
		while [ "$k" -le "$n" ]; do
			"$reset"
			if kill_one "$call" "$k" "$@"; then
				tried=$((tried + 1))
				if ! "$check" "$call $k" >"$T/.check" 2>&1; then
					bad=$((bad + 1))
					diag "killed at $call $k:"
					diag "$(tail -n 10 "$T/.check")"
				fi
			fi
			k=$((k + step))
		done
		[ "$bad" = 0 ] && [ "$tried" -gt 0 ]
		test_line $? "killed at $call ($tried of $n places), $bad bad"
	done
}
