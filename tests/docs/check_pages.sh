#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Whether what README.md and docs/ point to is there: links, and in backquotes
# the paths of files (those with a slash; tools/check_conformance.sh has a page of
# its own). Not whether a page of the web is there. And whether every command, every
# word of the command line, and all that a port must supply has its place.

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
	names=$(grep -rhoE --include='*.[ch]' "$3" kernel drivers mm | sed 's/[^"]*"//; s/".*//' |
		sort -u)
	[ -n "$names" ] || complain "a search for each $2"
	for name in $names; do
		grep -qE "^(#|\\|).*\`${name}[ \`]" "$page" || {
			echo "$page: no place for $2 $name"
			bad=1
		}
	done
}

place docs/console.md command '^COMMAND\("[a-z_]+"'
place docs/command-line.md word 'define OPTION_[A-Z]+ "[a-z_.]+"'

# What the foreign kernel supplies is what its page lists.
page=docs/porting.md
supplied=$(cat tests/porting/foreign_kernel.c tests/porting/arch/*.h | grep -v '^static [^i]' |
	sed -nE 's/^[a-z][a-z0-9_ ]* \*?([a-z0-9_]+)\(.*\)$/\1/p' | grep -v '^kernel_' | sort -u)
[ -n "$supplied" ] || complain "a search for what is supplied"
for name in $supplied; do
	grep -q "\`$name()\`" "$page" || {
		echo "$page: does not list $name()"
		bad=1
	}
done
exit "$bad"
