# SPDX-License-Identifier: BSD-2-Clause
# bash completion for balloonctl. Commands and options come from its own --help,
# so that there is nothing to keep in step here.

_balloonctl_guests()
{
	local folder socket

	folder=${XDG_RUNTIME_DIR:-/tmp}/aerostat-$(id -u)
	for socket in "$folder"/*.qmp; do
		socket=${socket##*/}
		[ "$socket" = '*.qmp' ] || printf '%s\n' "${socket%.qmp}"
	done
}

_balloonctl()
{
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local program=${COMP_WORDS[0]} command='' words i

	COMPREPLY=()
	# Readline ends words at = and :, which a guest's URI has, too.
	if [ "$previous" = = ] && [ "${COMP_WORDS[COMP_CWORD - 2]}" = --guest ]; then
		previous=--guest
	fi
	if [ "$previous" = = ] && [ "${COMP_WORDS[COMP_CWORD - 2]}" = --timeout ]; then
		previous=--timeout
	fi
	if [ "$previous" = -t ] || [ "$previous" = --timeout ]; then
		return
	fi
	if [ "$previous" = -g ] || [ "$previous" = --guest ]; then
		case $current in
		*/*) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
		*) mapfile -t COMPREPLY < <(compgen -W "$(_balloonctl_guests)" -- "$current") ;;
		esac
		return
	fi
	# The first word that is neither an option nor its value.
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-g | --guest)
			[ "${COMP_WORDS[i + 1]}" != = ] || i=$((i + 1))
			i=$((i + 1))
			while [ "${COMP_WORDS[i + 1]}" = : ]; do i=$((i + 2)); done ;;
		-t | --timeout)
			[ "${COMP_WORDS[i + 1]}" != = ] || i=$((i + 1))
			i=$((i + 1)) ;;
		-*) ;;
		*) command=${COMP_WORDS[i]} && break ;;
		esac
	done
	case $command,$current in
	,-*) words='--guest --help --timeout --version' ;;
	,*) words=$("$program" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p') ;;
	*,-*) words=$("$program" "$command" --help 2>/dev/null |
		grep -o -- '--[a-z][a-z-]*' | sort -u) ;;
	watch,* | export,*) words=$(_balloonctl_guests) ;;
	*)
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

complete -F _balloonctl balloonctl
