#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Runs unit test programs one after another, each to its end whatever became of
# those before, and sums up:
#
#	run.sh FOLDER PROGRAM...
#
# Programs are named without FOLDER in the sum. The status is 0 only if there
# was a program and all passed.

folder=$1
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
	timeout --foreground $TIMEOUT "$program"
	status=$?
	if [ $status -eq 0 ]; then
		passed=$((passed + 1))
	else
		name=${program#"$folder/"}
		echo "$name: failed, with status $status"
		failed=$((failed + 1))
		names="$names $name"
	fi
done
echo "$passed programs passed, $failed failed${names:+:}$names"
[ $failed -eq 0 ]
