#!/usr/bin/env bash
# Completion completes: verbs, options, files, folders and accounts, in bash, zsh and
# fish, for a table with every shape that an option can have.
. "${0%/*}/../lib.sh"

mkdir -p fake out work/folder
cat >fake/mt-demo <<'END'
#!/bin/sh
cat <<'TABLE' | tr @ '\t'
mt-demo@@verb@@@TO...@@send it
mt-demo@@option@s@subject@TEXT@@the 'subject': [one] line
mt-demo@@option@A@attach@FILE[:TYPE]@file@a file to attach
mt-demo@reply@verb@@@[MSG]...@file@answer a message
mt-demo@reply@option@@all@@@to everybody
mt-demo@rebuild@verb@@@@@again
mt-demo@*@option@a@account@NAME@account@which account
mt-demo@*@option@@dir@DIR@dir@a folder
mt-demo@*@option@h@help@@@this text
TABLE
END
chmod +x fake/mt-demo
: >work/file.eml
printf 'maildir = "~/Mail"\naccount work {\n}\naccount "wonder" {\n}\naccount home {\n}\n' \
    >mt.conf
export MT_CONFIG=$T/mt.conf
ok 'generate writes completion for three shells' \
    "$TOP/shell-completion/generate" "$T/fake" "$T/out"
cd work || exit

# complete SHELL WORDS...: what is offered for the last word, on one line, sorted.
complete_bash()
{
	bash --norc -c '
		compopt() { :; }
		. "$1"
		shift
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*"
		_mt_demo
		printf "%s\n" "${COMPREPLY[@]}"' bash "$T/out/bash/mt-demo" "$@" |
	    sort | xargs
}

complete_fish()
{
	local line

	line=$(printf '%s ' "$@")
	fish --no-config -c "source $T/out/fish/mt-demo.fish; complete -C '${line% }'" |
	    cut -f1 | sort | xargs
}

# zsh completes only in a terminal, which zpty gives it. What compadd is offered goes into
# a file; another file says that completion has ended.
mkdir "$T/zdot"
cat >"$T/zdot/.zshrc" <<END
PS1=
fpath=($T/out/zsh \$fpath)
autoload -Uz compinit
compinit -u -D
note-matches() {
	compadd() {
		local -a hits
		builtin compadd -O hits "\$@"
		print -rl -- \$hits >>$T/zsh.out
		builtin compadd "\$@"
	}
	_main_complete
	: >$T/zsh.done
}
zle -C note complete-word note-matches
bindkey '^I' note
: >$T/zsh.ready
END
complete_zsh()
{
	local line

	line=$(printf '%s ' "$@")
	rm -f "$T"/zsh.*
	# shellcheck disable=SC2016	# expanded by zsh
	ZDOTDIR=$T/zdot zsh -f -c '
		wait_for() {
			local i
			for ((i = 0; i < 400; i++)); do
				[[ -e $1 ]] && return
				sleep 0.05
			done
		}
		zmodload zsh/zpty
		zpty z zsh -d -i
		wait_for $1.ready
		zpty -n -w z "$2"$'\''\t'\''
		wait_for $1.done
		zpty -d z' zsh "$T/zsh" "${line% }" >/dev/null
	sort -u "$T/zsh.out" 2>/dev/null | grep -v '^$' | xargs
}

for shell in bash zsh fish; do
	if ! command -v $shell >/dev/null; then
		skip "$shell" "no $shell here"
		continue
	fi
	c=complete_$shell
	is "$($c mt-demo re)" "rebuild reply" "$shell: verbs"
	like " $($c mt-demo reply --) " ' --all ' "$shell: options of the verb"
	like " $($c mt-demo reply --) " ' --account ' "$shell: and those of every verb"
	expect "$shell: not those of another verb" "$c mt-demo reply -- >words; not grep -q subject words"
	is "$($c mt-demo --sub)" "--subject" "$shell: options of the form without a verb"
	is "$($c mt-demo reply -a wo)" "wonder work" "$shell: accounts"
	like " $($c mt-demo -A "fi") " ' file.eml ' "$shell: files for an option"
	like " $($c mt-demo reply "fi") " ' file.eml ' "$shell: files for a verb"
	like " $($c mt-demo --dir fo) " ' folder/? ' "$shell: folders"
done
is "$(complete_bash mt-demo reply --account = wo)" "wonder work" 'bash: --account=WORD'
for f in "$MT_BUILD"/completion/bash/*; do
	ok "bash reads ${f##*/}" bash -n "$f"
done
for f in "$MT_BUILD"/completion/zsh/*; do
	! command -v zsh >/dev/null || ok "zsh reads ${f##*/}" zsh -n "$f"
done
for f in "$MT_BUILD"/completion/fish/*; do
	! command -v fish >/dev/null || ok "fish reads ${f##*/}" fish -n "$f"
done
done_testing
