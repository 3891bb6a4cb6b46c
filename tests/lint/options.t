#!/usr/bin/env bash
# One option table says it all: --help, the manual page and completion agree with it,
# for every command.
. "${0%/*}/../lib.sh"

need mandoc

# Options of a table: "-s", "--subject", one a line.
table_options()
{
	awk -F'\t' '$3 == "option" { if ($4 != "") print "-" $4; if ($5 != "") print "--" $5 }' "$1" |
	    sort -u
}

# Options that a manual page marks up: the words behind Fl.
page_options()
{
	awk '/^\./ {
		for (i = 1; i <= NF; i++) {
			word = $i
			sub(/^\./, "", word)
			if (word == "Fl" && i < NF && $(i + 1) ~ /^[-A-Za-z0-9]/) {
				option = $(i + 1)
				sub(/[=,.:;|)].*$/, "", option)
				print "-" option
			}
		}
	}' "$1" | sort -u
}

# No line above 80 columns.
narrow()
{
	awk 'length($0) > 80 { print FILENAME ": " $0; wide = 1 } END { exit wide }' "$1"
}

# The two readers of options see what they should.
printf 'x\t\toption\ts\tsubject\tTEXT\t\thelp\n' >t.table
printf '.It Fl s , Fl -subject Ns = Ns Ar text\nnot Fl x\n.Op Fl n\n' >t.page
is "$(table_options t.table | xargs)" "--subject -s" 'options of a table are read'
is "$(page_options t.page | xargs)" "--subject -n -s" 'options of a page are read'
printf '%081d\n' 0 >t.wide
expect 'a line of 81 columns is seen' 'not narrow t.wide'

for bin in "$MT_BUILD"/bin/mt*; do
	c=${bin##*/}
	expect "$c --print-options gives a table" "
		$c --print-options >$c.table
		[ -s $c.table ] && awk -F'\t' 'NF != 8 { exit 1 }' $c.table
	"
	expect "$c --help: standard output, status 0, 80 columns" "
		status 0 $c --help >$c.help 2>$c.err
		[ -s $c.help ] && [ ! -s $c.err ] && narrow $c.help
	"
	expect "$c --help has every option and verb" "
		table_options $c.table | while read -r o; do
			grep -qE -- \"(^|[ ,])\$o([ ,=]|\\\$)\" $c.help || { echo \"no \$o\"; exit 1; }
		done
		cut -f2,3 $c.table | sed -n 's/\tverb\$//p' | grep . | while read -r v; do
			grep -qE \"^  \$v \" $c.help || { echo \"no verb \$v\"; exit 1; }
			status 0 $c \$v --help >verb.help
			narrow verb.help
		done
	"
	expect "$c --version" "$c --version | grep -q '^$c [0-9]'"
	expect "$c refuses an unknown option with status 64" "
		status 64 $c --no-such-option 2>err
		grep -q -- --no-such-option err
	"
	page=$(echo "$TOP"/man/"$c".[178])
	if ! ok "$c has a manual page" test -f "$page"; then
		continue
	fi
	is "$(comm -23 <(table_options "$c.table") <(page_options "$page") | xargs)" "" \
	    "$c: the page describes every option"
	is "$(comm -13 <(table_options "$c.table") <(page_options "$page") | xargs)" "" \
	    "$c: the page has no option that does not exist"
	is "$(cut -f2,3 "$c.table" | sed -n 's/\tverb$//p' | grep . | while read -r v; do
		grep -qE "^\.(It|Ss|Nm|Ic|Cm).*\b$v\b" "$page" || echo "$v"
	done)" "" "$c: the page has every verb"
	expect "$c: completion knows every option, in three shells" "
		table_options $c.table | while read -r o; do
			name=\${o#-}
			name=\${name#-}
			for f in bash/$c zsh/_$c fish/$c.fish; do
				grep -qE \"[|*]-{0,2}\$name[][|+=]| -[sl] \$name \" \
				    $MT_BUILD/completion/\$f || { echo \"\$f: \$o\"; exit 1; }
			done
		done
	"
done

for page in "$TOP"/man/*.[1-8]; do
	ok "mandoc finds nothing in ${page##*/}" mandoc -T lint -W warning "$page"
done
done_testing
