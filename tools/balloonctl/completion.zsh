#compdef balloonctl
# SPDX-License-Identifier: BSD-2-Clause
# zsh completion for balloonctl. Commands and options come from its own --help,
# so that there is nothing to keep in step here.

_balloonctl_guests()
{
	local -a guests

	guests=(${XDG_RUNTIME_DIR:-/tmp}/aerostat-$UID/*.qmp(N:t:r))
	_alternative "guests:guest:compadd -a guests" 'sockets:QMP socket:_files'
}

_balloonctl_commands()
{
	local -a commands

	commands=(${(f)"$($program --help 2>/dev/null |
		sed -n 's/^  \([a-z][a-z]*\)  *\(.*\)/\1:\2/p' | tr -s ' ')"})
	_describe command commands
}

_balloonctl_words()
{
	local command=${words[1]}
	local -a options

	if [[ ${words[CURRENT]} == -* ]]; then
		options=(${(f)"$($program $command --help 2>/dev/null |
			grep -o -- '--[a-z][a-z-]*' | sort -u)"})
		compadd -a options
		return
	fi
	case $command in
	watch | export) _balloonctl_guests ;;
	*) _files ;;
	esac
}

_balloonctl()
{
	local program=${words[1]} curcontext=$curcontext state
	local -A opt_args

	_arguments -C \
		'(-g --guest)'{-g,--guest=}'[the guest]:guest:_balloonctl_guests' \
		'(-t --timeout)'{-t,--timeout=}'[seconds for all answers]:seconds:' \
		'(- *)'{-h,--help}'[say what it can do]' \
		'(- *)'{-V,--version}'[say its version]' \
		'1:command:_balloonctl_commands' \
		'*::word:->word' && return
	[[ $state != word ]] || _balloonctl_words
}

_balloonctl "$@"
