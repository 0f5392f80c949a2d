#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Runs a program of many cmocka groups, and says in a last line how many tests ran and
# which failed:
#
#	sum_up.sh NAME LOG PROGRAM [ARGUMENT...]
#
# What the program printed stays in LOG. The status is the program's.

set -u
# shellcheck source=tests/logged.sh
. tests/logged.sh
name=$1
log=$2
shift 2
mkdir -p "$(dirname "$log")"
logged "$log" "$@"
status=$?
# The names stand at the end of their group once more; one that could not even be set up or
# torn down is an error.
names=$(sed -n 's/^\[  \(FAILED\|ERROR \)  \] \([^0-9 -][^ ]*\)$/\2/p' "$log" | sort -u | tr '\n' ' ')
ran=$(sed -n 's/^\[==========\] .*: \([0-9]*\) test(s) run\.$/\1/p; s/^\[==========\] \([0-9]*\) test(s) run\.$/\1/p' "$log" |
	awk '{ sum += $1 } END { print sum + 0 }')
if [ "$status" -eq 0 ]; then
	echo "$name: $ran tests passed"
else
	echo "$name: of $ran tests FAILED: ${names:-none, but the program ended with $status}"
fi
exit "$status"
