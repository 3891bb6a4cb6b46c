#!/usr/bin/env bash
# mt-send --draft, --edit and resume: what is written is never lost
. "${0%/*}/../lib.sh"
. "$TOP/tests/e2e/queue.sh"

drafts=$T/Mail/test/Drafts
draft() { ls "$drafts"/cur/*; }
left() { find "$T/state/mt/edit" -type f 2>/dev/null | wc -l; }
# editor COMMAND...: what it does with the file "$1"
editor()
{
	printf '#!/bin/sh\nset -e\n%s\n' "$*" >"$T/editor"
	chmod +x "$T/editor"
	export EDITOR=$T/editor
	unset VISUAL
}
# on_terminal WANTED COMMAND...: with a terminal, on which answers are typed; what it shows
# is in screen.
on_terminal()
{
	python3 - "$answer" "$@" >screen 2>&1 <<-'END' || { cat screen; return 1; }
		import fcntl, os, pty, subprocess, sys, termios
		ours, theirs = pty.openpty()
		p = subprocess.Popen(sys.argv[3:], stdin=theirs, stdout=theirs, stderr=theirs,
		    start_new_session=True,
		    preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
		os.close(theirs)
		screen = b""
		asked = False
		while True:
		    try:
		        piece = os.read(ours, 4096)
		    except OSError:
		        break
		    screen += piece
		    if (b"[Y/n]" in screen or b"attach]" in screen) and not asked:
		        asked = True
		        os.write(ours, sys.argv[1].encode() + b"\n")
		print(screen.decode().replace("\r", ""))
		status = p.wait()
		print("status", status)
		sys.exit(status != int(sys.argv[2]))
	END
}
answer=n
printf 'a file\n' >'a file.txt'

fake
expect '--draft sends nothing, keeps all of it, and prints where' '
	echo "draft text" | mt-send --draft -s hello -b hidden@x.y -A "a file.txt" b@x.y >path
	taken 0
	[ ! -e "$queue/env" ] || queued 0
	[ "$(cat path)" = "$(draft)" ]
	draft | grep -q ":2,DS$"
	grep -q "^Bcc: hidden@x.y" "$(draft)"
	grep -q "^draft text" "$(draft)"'
expect 'resume sends it as it is, but for Bcc and a new Date, and takes the draft away' '
	sed -i "s/^Date: .*/Date: Thu, 01 Jan 2026 00:00:00 +0000/" "$(draft)"
	id=$(sed -n "s/^Message-ID: //p" "$(draft)")
	mt-send resume "$(draft)"
	taken 1; in_dir "$sent" 1
	[ -z "$(ls "$drafts"/cur)" ]
	grep -q "^RCPT TO:<hidden@x.y>" out/1.env
	not grep -q hidden out/1.eml
	not grep -q "01 Jan 2026" out/1.eml
	grep -q "^Message-ID: $id" out/1.eml
	grep -q "^Bcc: hidden@x.y" "$sent"/cur/*
	python3 "$TOP/tests/tools/mime_parts.py" out/1.eml | grep -q "a file"'
expect 'another program'"'"'s draft with 8-bit fields is sent as it is' '
	fake
	printf "%s\n" "Date: Thu, 01 Jan 2026 00:00:00 +0000" "Message-ID: <a@x.y>" "To: b@x.y" \
	    "From: user1@example.org" "Subject: Grüße" "" text >other.eml
	mt-send resume other.eml
	taken 1; in_dir "$inbox" 0
	grep -q "^Subject: Grüße" out/1.eml'
expect 'a draft of ours to an address that is not ASCII needs SMTPUTF8' '
	fake
	echo text | mt-send --draft -s x "ü@x.y" >path
	status 69 mt-send resume "$(cat path)" 2>err
	grep "no SMTPUTF8" err
	taken 0'
expect 'a draft needs no recipient, and cannot be sent without one' '
	fake
	echo text | mt-send --draft -s x >path
	status 65 mt-send resume "$(cat path)" 2>err
	grep "no To, Cc or Bcc" err
	[ -e "$(cat path)" ]
	taken 0'
expect 'what cannot be queued stays a draft' '
	fake
	echo text | mt-send --draft -s x b@x.y >path
	: >file
	XDG_STATE_HOME=$T/file status 74 mt-send resume "$(cat path)" 2>err
	[ -e "$(cat path)" ]
	taken 0'
expect 'a message that is no draft is sent, but never removed' '
	mkdir -p Mail/other/cur
	cp "$(cat path)" Mail/other/cur/1.x:2,S
	mt-send resume Mail/other/cur/1.x:2,S 2>err
	taken 1
	[ -e Mail/other/cur/1.x:2,S ]
	grep "stays" err'
expect 'resume of a draft by its id' '
	fake
	echo text | mt-send --draft -s x b@x.y >path
	id=$(sed -n "s/^Message-ID: <\(.*\)>/\1/p" "$(draft)")
	mt-index new -q || mt-index new
	mt-send resume "id:$id"
	taken 1
	[ -z "$(ls "$drafts"/cur)" ]'

editor 'sed -i "s/^To:.*/To: c@x.y/; s/^Subject:.*/Subject: edited/" "$1"; echo more >>"$1"'
expect '--edit sends what the editor leaves' '
	fake
	on_terminal 0 mt-send --edit -s hello b@x.y
	taken 1; queued 0; in_dir "$sent" 1
	grep -q "^To: c@x.y" out/1.eml
	grep -q "^Subject: edited" out/1.eml
	grep -q "^more" out/1.eml
	[ "$(left)" = 0 ]'
expect 'it takes text from a pipe, and runs on the terminal all the same' '
	fake
	on_terminal 0 sh -c "echo from a pipe | mt-send --edit b@x.y"
	taken 1
	grep -q "^from a pipe" out/1.eml
	grep -q "^more" out/1.eml'
editor 'printf "Attach: $HOME/../a file.txt\n\nwith it" >>"$1"; sed -i "/^$/{x;s/^/x/;/^x$/{x;d};x}" "$1"'
expect 'files are attached and left out by their Attach lines' '
	fake
	on_terminal 0 mt-send --edit -s x --body-file /dev/null b@x.y
	taken 1
	python3 "$TOP/tests/tools/mime_parts.py" out/1.eml | grep -q "a file"
	editor "grep -v ^Attach \"\$1\" >new; echo more >>new; cat new >\"\$1\""
	fake
	on_terminal 0 mt-send --edit -s x -A "a file.txt" b@x.y
	taken 1
	not grep -q multipart out/1.eml'
editor 'true'
expect 'an edit without a change sends nothing, and keeps a draft of what there was' '
	fake
	on_terminal 65 mt-send --edit -s hello b@x.y
	grep "nothing was changed" screen
	grep -q "^Subject: hello" "$(draft)"
	[ "$(left)" = 0 ]
	taken 0'
expect 'where nothing was said at all, there is no draft' '
	fake
	on_terminal 65 mt-send --edit b@x.y
	[ ! -d "$drafts" ] || in_dir "$drafts" 0
	[ "$(left)" = 0 ]'
editor ': >"$1"'
expect 'an edit that leaves nothing sends nothing, and keeps a draft of what there was' '
	fake
	on_terminal 65 mt-send --edit -s hello b@x.y
	grep "the message is empty, and nothing is sent" screen
	not grep "Edit it again" screen
	grep -q "^Subject: hello" "$(draft)"
	on_terminal 65 mt-send resume --edit "$(draft)"
	grep -q "^Subject: hello" "$(draft)"
	[ "$(left)" = 0 ]
	taken 0'
editor 'echo written >>"$1"; exit 3'
expect 'an editor that fails sends nothing; what it wrote is a draft' '
	fake
	on_terminal 69 mt-send --edit -s hello b@x.y
	grep "exit status 3" screen
	grep -q "^written" "$(draft)"
	taken 0'
editor 'echo "half sent" >>"$1"; kill -9 $PPID'
expect 'killed while it is edited: the text is where the editor left it' '
	fake
	on_terminal -9 mt-send --edit -s hello b@x.y
	[ "$(left)" = 1 ]
	grep -q "half sent" "$T"/state/mt/edit/*
	editor "echo again >>\"\$1\""
	on_terminal 0 mt-send resume --edit "$T"/state/mt/edit/*
	taken 1
	grep -q "half sent" out/1.eml
	[ "$(left)" = 0 ]'
editor 'grep -q nobody "$1" && sed -i "s/nobody/b@x.y/" "$1" || sed -i "s/^To:.*/To: nobody/" "$1"; echo x >>"$1"'
expect 'an address that is none: it says so, and asks to edit again' '
	fake
	answer=y on_terminal 0 mt-send --edit -s hello c@x.y
	grep "line 2: recipient \"nobody\"" screen
	taken 1
	grep -q "^RCPT TO:<b@x.y>" out/1.env'
expect 'who does not want to keeps the text, and can go on later' '
	fake
	answer=n on_terminal 65 mt-send --edit -s hello c@x.y
	taken 0
	[ "$(left)" = 1 ]
	grep "the text is kept in .*resume --edit" screen
	on_terminal 0 mt-send resume --edit "$T"/state/mt/edit/*
	taken 1
	[ "$(left)" = 0 ]'
editor 'sed -i "s/^old/new/" "$1"; grep -q ^Bcc:.hid "$1"'
expect 'resume --edit: text, Bcc and subject in the editor, attachments kept byte for byte' '
	fake
	head -c 5000 /dev/urandom >bytes.bin
	echo "old text" | mt-send --draft -s "grün" -b hid@x.y -A bytes.bin b@x.y >path
	on_terminal 0 mt-send resume --edit "$(cat path)"
	taken 1
	[ -z "$(ls "$drafts"/cur)" ]
	grep -q "^RCPT TO:<hid@x.y>" out/1.env
	python3 - <<-END
		import email, email.policy
		m = email.message_from_binary_file(open("out/1.eml", "rb"), policy=email.policy.strict)
		text, file = m.iter_parts()
		assert text.get_content().strip() == "new text", text
		assert file.get_content() == open("bytes.bin", "rb").read()
		assert file.get_filename() == "bytes.bin"
		assert m["Subject"] == "grün"
	END'
editor true
expect 'resume --edit without a change: the draft stays, and there is no second one' '
	fake
	echo text | mt-send --draft -s x b@x.y >path
	on_terminal 65 mt-send resume --edit "$(cat path)"
	[ "$(draft)" = "$(cat path)" ]
	[ "$(left)" = 0 ]
	taken 0'
editor 'exit 3'
expect 'resume --edit with an editor that fails, or is none: the draft stays' '
	fake
	echo text | mt-send --draft -s x b@x.y >path
	on_terminal 69 mt-send resume --edit "$(cat path)"
	[ "$(draft)" = "$(cat path)" ]
	EDITOR=/none on_terminal 78 mt-send resume --edit "$(cat path)"
	[ "$(draft)" = "$(cat path)" ]
	[ "$(left)" = 0 ]
	taken 0'
expect 'a draft that is more than text is not edited, and stays' '
	fake
	printf "<p>x</p>" >page.html
	echo text | mt-send --draft --html page.html -s x b@x.y >path
	on_terminal 65 mt-send resume --edit "$(cat path)"
	grep "multipart/alternative" screen
	mt-send resume "$(cat path)"
	taken 1'
editor 'echo "see the attached file" >>"$1"'
expect 'text that was typed and cannot be sent becomes a draft' '
	fake
	on_terminal 65 mt-send --edit -s hello b@x.y
	taken 0
	grep -q "see the attached file" "$(draft)"
	fake
	XDG_STATE_HOME=$T/state on_terminal 66 mt-send --edit --no-check -s x -A missing.pdf b@x.y
	grep -q "^Attach: missing.pdf" "$(draft)"
	status 65 mt-send resume "$(draft)" 2>err
	grep -e "--edit" err'
expect 'text that was typed for nobody becomes a draft, too' '
	fake
	python3 - <<-END
		import fcntl, os, pty, subprocess, sys, termios
		ours, theirs = pty.openpty()
		p = subprocess.Popen(["mt-send", "-s", "hello", "nobody:;"], stdin=theirs,
		    stdout=theirs, stderr=theirs, start_new_session=True,
		    preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
		os.write(ours, b"what I typed\n\x04")
		sys.exit(p.wait() != 64)
	END
	grep "what I typed" "$(draft)"'
expect 'no terminal for the editor: 66, nothing is lost' '
	fake
	echo "piped text" | setsid -w mt-send --edit -s x b@x.y >out.txt 2>err || echo "$?" >st
	[ "$(cat st)" = 66 ]
	grep "no terminal" err
	grep -q "piped text" "$(draft)"'
expect '--save none keeps no copy, --save FOLDER keeps it there, others are 64' '
	fake
	echo x | mt-send --save none -s x b@x.y
	in_dir "$sent" 0
	echo x | mt-send --save test/Archive -s x b@x.y
	in_dir Mail/test/Archive 1
	in_dir "$sent" 0
	echo x | mt-send --save auto -s x b@x.y
	in_dir "$sent" 1
	echo x | status 64 mt-send --save ../x -s x b@x.y'

done_testing
