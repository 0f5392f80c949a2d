#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Whether `make test` holds on a busy machine: so many runs of it in a row, beside two
# loops that never rest:
#
#	under_load.sh RUNS
#
# MAKE and BUILD are in the environment. The last line says how many passed, and which parts
# failed in the others, whose output stays in BUILD/log/under-load.

set -u
[ "$1" -gt 0 ] || exit 0
logs=$BUILD/log/under-load
mkdir -p "$logs"
loops=
trap 'kill $loops 2>/dev/null' EXIT
trap 'exit 1' HUP INT TERM
for loop in 1 2; do
	sh -c 'while :; do :; done' "load-$loop" &
	loops="$loops $!"
done

passed=0
run=0
failed=
while [ $run -lt "$1" ]; do
	run=$((run + 1))
	if $MAKE --no-print-directory test >"$logs/$run" 2>&1; then
		passed=$((passed + 1))
	else
		failed="$failed; run $run: $(grep '^test: .* parts FAILED' "$logs/$run" ||
			echo 'it was not run to its end')"
	fi
	echo "under load: run $run: $(grep '^test: ' "$logs/$run" || tail -n 1 "$logs/$run")"
done
echo "under load: $passed of $1 runs of make test passed$failed"
[ $passed -eq "$1" ]
