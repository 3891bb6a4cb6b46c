#!/usr/bin/env bash
# Two users change one mailbox, mt-fetch synchronises and is killed: nothing is lost or doubled.
# SOAK=10000 makes it long, SOAK_SEED=N repeats one.
. "${0%/*}/../lib.sh"
need python3
start_dovecot 'namespace inbox {' '  inbox = yes' '  mailbox Trash {' \
    '    special_use = \Trash' '    auto = create' '  }' '}' || exit 1
export XDG_STATE_HOME=$T/state
client_conf "" "" "imap = \"imap://user1@localhost:$DOVECOT_IMAP\""
seed=${SOAK_SEED:-7}
ok "both sides are equal in the end, each message is there once (seed $seed)" \
    "$TOP/tests/tools/sync_soak.py" "$DOVECOT_IMAP" "$T/Mail/test" "${SOAK:-300}" "$seed"
done_testing
