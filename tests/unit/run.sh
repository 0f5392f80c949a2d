#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Runs unit test programs, each to its end whatever became of others, and sums up. Twice as many
# as there are processors run at a time, since those of balloonctl wait more than they work:
#
#	run.sh LOGS FOLDER PROGRAM...
#
# Programs are named without FOLDER in the sum, and what failed in them stands right
# before it. All that one prints stands together, and in the folder LOGS. The status is
# 0 only if there was a program, and each has run and passed.

set -u

# They take seconds, sanitizers and a busy machine included.
TIMEOUT=600

# run_one LOGS FOLDER PROGRAM
run_one()
{
	name=${3#"$2/"}
	log=$1/$name
	mkdir -p "${log%/*}"
	timeout --foreground $TIMEOUT "$3" >"$log" 2>&1 </dev/null
	status=$?
	if [ $status -eq 0 ]; then
		echo "$name" >>"$1.passed"
	else
		echo "$name: failed, with status $status" >>"$log"
	fi
	(
		flock 9
		echo "== $3"
		cat "$log"
	) 9>>"$1.lock"
}

if [ "$1" = --one ]; then
	shift
	run_one "$@"
	exit 0
fi

logs=$1
folder=$2
shift 2
if [ $# -eq 0 ]; then
	echo "test-unit: no program has such a name; try TESTS='*frame*'" >&2
	exit 1
fi
mkdir -p "$logs" || exit 1
rm -f "$logs.passed"
: >"$logs.passed" || exit 1
printf '%s\n' "$@" | xargs -P $(($(nproc) * 2)) -n 1 "$0" --one "$logs" "$folder"

# What left no note has failed, whether it ran or not.
names=
for program; do
	name=${program#"$folder/"}
	grep -qxF "$name" "$logs.passed" || names="$names $name"
done
rm -f "$logs.passed" "$logs.lock"
failed=0
for name in $names; do
	failed=$((failed + 1))
	echo "$name:"
	grep -a '^\[  ERROR\|^\[   LINE\|^\[  FAILED\|ERROR: .*Sanitizer\|runtime error:' \
		"$logs/$name" | head -n 20
done
echo "$(($# - failed)) programs passed, $failed failed${names:+:}$names"
[ $failed -eq 0 ]
