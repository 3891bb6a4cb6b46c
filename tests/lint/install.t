#!/usr/bin/env bash
# `make install` puts everything where it belongs and spares a sendmail that is there;
# `make uninstall` takes all of it away again, and nothing else.
. "${0%/*}/../lib.sh"

make_it()
{
	make -s -C "$TOP" B="$MT_BUILD" DESTDIR="$T/root" PREFIX=/usr "$@"
}

installed()
{
	(cd root && find . ! -type d | sort)
}

ok 'make install' make_it install
for c in "$MT_BUILD"/bin/mt*; do
	c=${c##*/}
	dir=bin
	[ "$c" != mt-serve ] || dir=sbin
	expect "$c: command, page, completion" "
		[ -x root/usr/$dir/$c ]
		[ -n \"\$(echo root/usr/share/man/man[178]/$c.[178])\" ]
		[ -s root/usr/share/bash-completion/completions/$c ]
		[ -s root/usr/share/zsh/site-functions/_$c ]
		[ -s root/usr/share/fish/vendor_completions.d/$c.fish ]
	"
done
is "$(readlink root/usr/sbin/sendmail)" /usr/bin/mt-send 'sendmail is mt-send'
is "$(readlink root/usr/bin/mailq)" /usr/bin/mt-send 'and so is mailq'
is "$(readlink root/usr/bin/newaliases)" /usr/bin/mt-send 'and newaliases'
expect 'systemd units name the installed commands' '
	grep -q "^ExecStart=/usr/sbin/mt-serve" root/usr/lib/systemd/system/mt-serve.service
	not grep -r "@[A-Z]*@" root/usr/lib/systemd
'
ok 'installing again changes nothing' make_it install
ok 'make uninstall' make_it uninstall
is "$(installed)" "" 'nothing is left'

mkdir -p root/usr/sbin
echo theirs >root/usr/sbin/sendmail
ok 'make install, where a sendmail is' make_it install
is "$(cat root/usr/sbin/sendmail)" theirs 'somebody else'\''s sendmail is left alone'
ok 'make uninstall, where it is' make_it uninstall
is "$(installed)" ./usr/sbin/sendmail 'and only that is left'
done_testing
