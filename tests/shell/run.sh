#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What shellcheck says of the scripts and mandoc of the manual pages. One that is not
# installed is said to be left out.

set -u
bad=0

# A script is what begins as one; limits.sh and bash's completion are read by others.
scripts=$(git ls-files -co --exclude-standard | while read -r file; do
	[ -f "$file" ] || continue
	case $file in
	*.sh) echo "$file" ;;
	*.bash | *.zsh | *.fish) ;;
	*) head -c 64 "$file" | head -n 1 | grep -aqE '^#!.*[/ ](ba)?sh$' && echo "$file" ;;
	esac
done)

if command -v shellcheck >/dev/null; then
	# A list of words.
	# shellcheck disable=SC2086
	shellcheck -x $scripts || bad=1
	shellcheck -s bash tools/balloonctl/completion.bash || bad=1
	echo "check-shell: shellcheck has read $(echo "$scripts" | wc -l) scripts"
else
	echo "check-shell: shellcheck is not installed, and was not asked"
fi

if command -v mandoc >/dev/null; then
	for page in $(git ls-files -co --exclude-standard '*.[1-8]'); do
		mandoc -Tlint "$page" || bad=1
		echo "check-shell: mandoc has read $page"
	done
else
	echo "check-shell: mandoc is not installed, and was not asked"
fi

# The guest's page has every command that its console lists and every word that
# docs/command-line.md has; both are compared with the guest by test-docs.
commands=$(sed -n '/^aerostat> help$/,/^```$/s/^\([a-z_]*\) .*/\1/p' docs/console.md)
# shellcheck disable=SC2016 # backquotes of the page
words=$(sed -n 's/^| `\([a-z_.]*\)` .*/\1=/p' docs/command-line.md)
if [ -z "$commands" ] || [ -z "$words" ]; then
	echo "check-shell: the pages have no commands or no words"
	bad=1
fi
for name in $commands $words; do
	grep -qE "^\.B[RI]* $(echo "$name" | sed 's/[.]/[.]/g')( |$)" docs/aerostat.7 ||
		{ echo "docs/aerostat.7: there is no $name"; bad=1; }
done

for shell in zsh fish; do
	command -v $shell >/dev/null || continue
	$shell -n "tools/balloonctl/completion.$shell" || bad=1
done
exit $bad
