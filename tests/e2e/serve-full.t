#!/usr/bin/env bash
# A full disk is a temporary answer; nothing stays behind, and mt-serve goes on.
. "${0%/*}/../lib.sh"
. "$TOP/tests/e2e/serve.sh"

need_mounts
go_inside "${MOUNTS[@]}"
mkdir mail
mount -t tmpfs -o size=256k,nr_inodes=100,mode=700 tmpfs mail || exit
trap 'umount "$T/mail"; test_end' EXIT
serve_conf
serve_start
head -c 500000 /dev/zero | tr '\0' x | fold -w 70 >big.eml
dialogue 'a message that does not fit: 452 4.3.1' "$SMTP" <<END
	< ^220
	> EHLO c
	< ^250
	> MAIL FROM:<eve@example.com>
	< ^250
	> RCPT TO:<ada@example.org>
	< ^250
	> DATA
	< ^354
	file big.eml
	> .
	< ^452 4.3.1
	> MAIL FROM:<eve@example.com>
	< ^250
	> RCPT TO:<ada@example.org>
	< ^250
	> DATA
	< ^354
	> small
	> .
	< ^250
	> QUIT
	< ^221
END
is "$(mails ada) $(find mail -path '*/tmp/*' -type f | wc -l)" "1 0" \
    'nothing is left of it, and the session goes on'
dialogue 'LMTP: the same' "$LMTP" <<END
	< ^220
	> LHLO c
	< ^250
	> MAIL FROM:<eve@example.com>
	< ^250
	> RCPT TO:<ada@example.org>
	< ^250
	> RCPT TO:<info@example.org>
	< ^250
	> DATA
	< ^354
	file big.eml
	> .
	< ^452 4.3.1
	< ^452 4.3.1
	> QUIT
	< ^221
END
# Not even a name fits.
dd if=/dev/zero of=mail/fill bs=4k 2>/dev/null
i=0
while : >"mail/f$i"; do i=$((i + 1)); done 2>/dev/null
dialogue 'no room at all: said before the message is sent' "$SMTP" <<END
	< ^220
	> EHLO c
	< ^250
	> MAIL FROM:<eve@example.com>
	< ^250
	> RCPT TO:<bob@example.org>
	< ^250
	> DATA
	< ^452 4.3.1
	> QUIT
	< ^221
END
rm -f mail/f*
dialogue 'when there is room again, all is well' "$SMTP" <<END
	< ^220
	> EHLO c
	< ^250
	> MAIL FROM:<eve@example.com>
	< ^250
	> RCPT TO:<info@example.org>
	< ^250
	> DATA
	< ^354
	> hello
	> .
	< ^250
	> QUIT
	< ^221
END
is "$(mails ada) $(mails bob)" "2 1" 'and delivered'
is "$(grep -c event=died serve.log)" 0 'no process died'
stop serve
done_testing
