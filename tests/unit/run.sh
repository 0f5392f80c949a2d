#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Runs unit test programs, as many at a time as there are processors, each to its end
# whatever became of others, and sums up:
#
#	run.sh FOLDER PROGRAM...
#
# Programs are named without FOLDER in the sum, and what failed in them stands right
# before it. All that one prints stands together, and in FOLDER/../log/test-unit.
# The status is 0 only if there was a program and all passed.

set -u

# They take seconds, sanitizers and a busy machine included.
TIMEOUT=600

# run_one FOLDER LOGS PROGRAM
run_one()
{
	log=$2/${3#"$1/"}
	mkdir -p "${log%/*}"
	timeout --foreground $TIMEOUT "$3" >"$log" 2>&1 </dev/null
	status=$?
	[ $status -eq 0 ] || echo "${3#"$1/"}: failed, with status $status" >>"$log"
	(
		flock 9
		echo "== $3"
		cat "$log"
	) 9>>"$2.lock"
	return $status
}

if [ "$1" = --one ]; then
	shift
	run_one "$@" || echo "${3#"$1/"}" >>"$2.failed"
	exit 0
fi

folder=$1
logs=$(dirname "$folder")/log/test-unit
shift
if [ $# -eq 0 ]; then
	echo "test-unit: no program has such a name; try TESTS='*frame*'" >&2
	exit 1
fi
mkdir -p "$logs"
: >"$logs.failed"
printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 "$0" --one "$folder" "$logs"

names=$(sort "$logs.failed")
failed=$(wc -l <"$logs.failed")
rm -f "$logs.failed" "$logs.lock"
for name in $names; do
	echo "$name:"
	grep -a '^\[  ERROR\|^\[   LINE\|^\[  FAILED\|ERROR: .*Sanitizer\|runtime error:' \
		"$logs/$name" | head -n 20
done
echo "$(($# - failed)) programs passed, $failed failed${names:+: $(echo "$names" | tr '\n' ' ')}"
[ "$failed" -eq 0 ]
