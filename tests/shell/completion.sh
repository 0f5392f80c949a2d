#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What zsh and fish offer at the places of a line of balloonctl, each asked by itself; a
# shell that is not installed is said to be left out. Bash has its test in
# tests/integration.
#
#	tests/shell/completion.sh BUILD

set -u
build=$1
bad=0
room=$(mktemp -d) || exit 2
trap 'rm -rf "$room"' EXIT
export XDG_RUNTIME_DIR="$room"
mkdir -m 700 "$room/aerostat-$(id -u)" "$room/bin" "$room/zsh"
: >"$room/aerostat-$(id -u)/mail.qmp"
ln -s "$(realpath "$build/tools/balloonctl")" "$room/bin/balloonctl"
PATH=$room/bin:$PATH
cp tools/balloonctl/completion.zsh "$room/zsh/_balloonctl"
balloonctl --help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p' | sort >"$room/commands"
[ -s "$room/commands" ] || exit 2
export TREE="$PWD"
# No files to offer beside guests.
mkdir "$room/empty"
cd "$room/empty" || exit 2

# shellcheck disable=SC2317 # called by expect
# fish: the first column of what it would show for the line.
offer_fish()
{
	# shellcheck disable=SC2016 # it is fish that expands it
	HOME=$room fish --no-config -c 'source $TREE/tools/balloonctl/completion.fish
		complete -C "$argv[1]"' "$1" | cut -f1
}

# shellcheck disable=SC2317 # called by expect
# zsh: an interactive one completes the line and writes down what it would show.
offer_zsh()
{
	rm -f "$room/hits" "$room/done"
	ROOM=$room LINE=$1 timeout 60 zsh -f "$room/ask.zsh" >/dev/null 2>"$room/zsh.err"
	[ ! -f "$room/hits" ] || cat "$room/hits"
}

cat >"$room/init.zsh" <<'END'
PS1=
fpath=($ROOM/zsh $fpath)
autoload -Uz compinit && compinit -u -D
unset zle_bracketed_paste
zstyle ':completion:*' completer _complete
compadd() {
	local -a hits
	if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
		builtin compadd "$@"
		return
	fi
	builtin compadd -A hits "$@"
	(( $#hits )) && print -rl -- $hits >>$ROOM/hits
	builtin compadd "$@"
}
complete_and_tell() {
	zle complete-word
	: >$ROOM/done
}
zle -N complete_and_tell
bindkey '^I' complete_and_tell
: >$ROOM/ready
END
cat >"$room/ask.zsh" <<'END'
zmodload zsh/zpty
rm -f $ROOM/ready
zpty asked zsh -f -i
zpty -w asked "source $ROOM/init.zsh"
until [[ -e $ROOM/ready ]]; do zpty -rt asked _ || sleep 0.1; done
zpty -w -n asked "$LINE"$'\t'
until [[ -e $ROOM/done ]]; do zpty -rt asked _ || sleep 0.1; done
zpty -d asked
END

# expect SHELL LINE WORD...: all of what it offers there, sorted; no WORD: the commands.
expect()
{
	shell=$1 line=$2
	shift 2
	if [ $# -gt 0 ]; then
		printf '%s\n' "$@" | sort >"$room/wanted"
	else
		cp "$room/commands" "$room/wanted"
	fi
	"offer_$shell" "$line" | sort -u >"$room/offered"
	if cmp -s "$room/wanted" "$room/offered"; then
		echo "ok - $shell: $line"
	else
		echo "not ok - $shell: $line"
		diff "$room/wanted" "$room/offered"
		bad=$((bad + 1))
	fi
}

for shell in zsh fish; do
	if ! command -v $shell >/dev/null; then
		echo "completion: $shell is not installed, and was not asked"
		continue
	fi
	expect "$shell" 'balloonctl '
	expect "$shell" 'balloonctl stat' stats status
	expect "$shell" 'balloonctl -t 9 -g mail stat' stats status
	expect "$shell" 'balloonctl -g m' mail
	expect "$shell" 'balloonctl set 1G --w' --wait
	expect "$shell" 'balloonctl -g mail set 1G --w' --wait
	expect "$shell" 'balloonctl watch m' mail
	expect "$shell" 'balloonctl watch --in' --interval
done
[ $bad -eq 0 ] || echo "completion: $bad not as wanted"
exit $((bad > 0))
