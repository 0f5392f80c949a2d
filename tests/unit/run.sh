#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Runs unit test programs one after another, each to its end whatever became of
# those before, and sums up:
#
#	run.sh FOLDER PROGRAM...
#
# Programs are named without FOLDER in the sum, and what failed in them stands right
# before it; all that they printed is in FOLDER/../log/test-unit. The status is 0 only if there was a
# program and all passed.

set -u
# shellcheck source=tests/logged.sh
. tests/logged.sh
folder=$1
logs=$(dirname "$folder")/log/test-unit
shift
if [ $# -eq 0 ]; then
	echo "test-unit: no program has such a name; try TESTS='*frame*'" >&2
	exit 1
fi

# They take seconds, sanitizers and a busy machine included.
TIMEOUT=600

passed=0
failed=0
names=
for program; do
	echo "== $program"
	name=${program#"$folder/"}
	mkdir -p "$(dirname "$logs/$name")"
	logged "$logs/$name" timeout --foreground $TIMEOUT "$program"
	status=$?
	if [ $status -eq 0 ]; then
		passed=$((passed + 1))
	else
		echo "$name: failed, with status $status"
		failed=$((failed + 1))
		names="$names $name"
	fi
done
for name in $names; do
	echo "$name:"
	grep -a '^\[  ERROR\|^\[   LINE\|^\[  FAILED\|ERROR: .*Sanitizer\|runtime error:' \
		"$logs/$name" | head -n 20
done
echo "$passed programs passed, $failed failed${names:+:}$names"
[ $failed -eq 0 ]
