#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2086 # lists of words
#
# Prints what a unit test's program takes and what it runs:
#
#	see.sh BUILD NAME FOLDERS
#
#	time CPU WALL		seconds, without coverage
#	line FILE LINE 0|1	whether it runs this line; those of FOLDERS that have code
#
# The program must pass.

set -u
. tests/mutants/limits.sh

build=$(cd "$1" && pwd)
name=$2
folders=$(echo $3 | tr ' ' '|')
TIMEOUT=1800

room=$build/mutants/see/$name
rm -rf "$room"
make_room "$room"
trap 'rm -rf "$room"' EXIT

# run PROGRAM, in the room
run()
{
	(cd "$room" && run_limited "$1" $TIMEOUT $TIMEOUT output) && return
	echo "mutants: $name fails without any fault in it:" >&2
	grep -a '^\[  ERROR\|^\[   LINE\|^\[  FAILED' "$room/output" | head -n 20 >&2
	tail -n 20 "$room/output" >&2
	exit 1
}

began=$(date +%s)
run "$build/plain/run/$name"
ended=$(date +%s)
# In a pipe it would tell of that pipe's own children.
times > "$room/times"
awk -v wall=$((ended - began)) 'NR == 2 {
	split($1 "m" $2, t, /[ms]+/)
	printf "time %.2f %d\n", t[1] * 60 + t[2] + t[3] * 60 + t[4], wall }' "$room/times"

export GCOV_PREFIX="$room/counts"
run "$build/coverage/run/$name"
counts=$room/counts$build/coverage
for folder in $(cd "$counts" && find . -type d); do
	ln -s "$build/coverage/$folder"/*.gcno "$counts/$folder" 2>/dev/null
done
find "$counts" -name '*.gcda' | grep -E "^$counts/($folders)/" |
	xargs -r "${GCOV:-gcov}" -t 2>/dev/null |
	awk -F : -v folders="^($folders)/.*[.]c$" '
		/^ *-: *0:Source:/ { file = $4 ~ folders ? $4 : "" }
		file && $2 + 0 > 0 && $1 !~ /^ *-$/ { print "line", file, $2 + 0, $1 !~ /#|=/ }'
