#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Whether every file, function and test that docs/conformance.md names in
# backquotes is there. What they do is for people to read, not for this.

set -u
cd "$(dirname "$0")/.." || exit 2
page=docs/conformance.md
bad=0

complain()
{
	echo "$page names $1, and there is no such $2"
	bad=1
}

# column N [SED]: the backquoted words of a column; 4 is the place, 5 the test.
# shellcheck disable=SC2016
column()
{
	awk -F ' *[|] *' -v n="$1" 'NF == 7 { print $(n + 1) }' "$page" | sed "${2:-}" |
		grep -o '`[^`]*`' | tr -d '`' | sort -u
}

# shellcheck disable=SC2016
files=$(grep -o '`[a-z0-9_/]*\.[ch]`' "$page" | tr -d '`' | sort -u)
for file in $files; do
	[ -e "$file" ] || [ -e "drivers/$file" ] ||
		find drivers -name "$file" 2>/dev/null | grep -q . || complain "$file" file
done
names=$(column 4 | grep -E '^[A-Za-z_][A-Za-z0-9_]*$')
for name in $names; do
	grep -rqw --include='*.[ch]' -e "$name" drivers mm kernel arch ||
		complain "$name" "name in the code"
done
# What is in parentheses there says how, and is no test's name.
tests=$(column 5 's/([^)]*)//g' | grep -E '^[a-z0-9_]+$')
for name in $tests; do
	grep -rqF --include='*_test.c' "static void $name(void **state)" tests ||
		complain "$name" test
done

# A page that was not read would be right as well.
if [ -z "$files" ] || [ -z "$names" ] || [ -z "$tests" ]; then
	echo "$page: its tables are not as $0 expects them"
	bad=1
fi
count()
{
	echo "$1" | grep -c .
}
[ "$bad" -ne 0 ] ||
	echo "conformance: ok; it names $(count "$files") files, $(count "$names") names, $(count "$tests") tests"
exit "$bad"
