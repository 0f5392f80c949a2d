#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Whether what README.md and docs/ point to is there: links, and in backquotes
# the paths of files (those with a slash; tools/check_conformance.sh has a page of
# its own). Not whether a page of the web is there. And whether every command and
# every word of the command line has its place.

set -u
cd "$(dirname "$0")/../.." || exit 2
bad=0

complain()
{
	echo "$page: $1 leads nowhere"
	bad=1
}

for page in README.md docs/*.md; do
	links=$(grep -o '](\([^)#]*\)' "$page" | sed 's/^](//' | grep -v '^[a-z]*:' | sort -u)
	for link in $links; do
		[ -e "$(dirname "$page")/$link" ] || complain "the link to $link"
	done
	[ "$page" != docs/conformance.md ] || continue
	# shellcheck disable=SC2016 # backquotes of the pages
	paths=$(grep -oE '`[a-z0-9_.]+/[a-z0-9_./]*\.(c|h|S|sh|awk|md|1|pml)`' "$page" |
		tr -d '`' | sort -u)
	for path in $paths; do
		case $path in
		build/*) ;;
		*) [ -e "$path" ] || complain "$path" ;;
		esac
	done
done

# place PAGE WHAT PATTERN: the names in the code that PATTERN finds, in quotes.
place()
{
	page=$1
	names=$(grep -rhoE --include='*.c' "$3" kernel drivers mm | sed 's/[^"]*"//; s/".*//' |
		sort -u)
	[ -n "$names" ] || complain "a search for each $2"
	for name in $names; do
		grep -qE "^(#|\\|).*\`$name[ \`]" "$page" || {
			echo "$page: no place for $2 $name"
			bad=1
		}
	done
}

place docs/console.md command '^COMMAND\("[a-z_]+"'
place docs/command-line.md word \
	'(command_line_option\([a-z_>-]+, |define OPTION )"[a-z_.]+"'
exit "$bad"
