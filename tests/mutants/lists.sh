#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Whether all that stands in the lists `list` and `equivalent` can still be found in the
# tree: the lines of each fault, once, and each fault that a rule is said to make. Prints
# what is wrong; the status is 1 then:
#
#	lists.sh [FOLDER]	where they are, if not here

set -u
cd "$(dirname "$0")/../.." || exit 1
folder=${1:-tests/mutants}
room=$(mktemp -d) || exit 2
trap 'rm -rf "$room"' EXIT

sed -n 's/^fault: //p' "$folder/list" | sort | uniq -d |
	sed 's/$/: two faults of the list have this name/' > "$room/wrong"
awk '/^fault: / { name = $2 }
	/^file: / { print name, $2 }' "$folder/list" |
while read -r name file; do
	awk -v fault="$name" -f tests/mutants/apply.awk "$folder/list" "$file" 2>&1 >/dev/null |
		sed "s|^|$name: in $file |"
done >> "$room/wrong"

sed -n 's/^file: *//p' "$folder/equivalent" | sort -u | while read -r file; do
	[ ! -e "$file" ] || awk -f tests/mutants/sites.awk "$file"
done > "$room/sites"
awk -F '\t' 'FILENAME == ARGV[1] { made[$1, $2, $8, $9] = 1; next }
	sub(/^file: */, "") { file = $0 }
	sub(/^in: */, "") { within = $0 }
	/^-/ { old = substr($0, 2) }
	/^\+/ && !((file, within, old, substr($0, 2)) in made) {
		print file ": named as changing nothing, but no rule makes it: " old }' \
	"$room/sites" "$folder/equivalent" >> "$room/wrong"

cat "$room/wrong"
[ ! -s "$room/wrong" ]
