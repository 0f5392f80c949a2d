#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Runs one fuzz target: run.sh FOLDER SECONDS keep|forget NAME. It begins with
# the seeds and, unless its finds are to be forgotten, with those of earlier
# runs. Whatever makes it fail lies in FOLDER then, as NAME-crash-... Exit
# status 255 tells xargs to begin no other.

set -eu

seeds=$(pwd)/tests/fuzz/seeds/$4
cd "$1"
if [ "$3" = keep ]; then
	corpus=$4.corpus
	mkdir -p "$corpus"
else
	corpus=$(mktemp -d)
	trap 'rm -rf "$corpus"' EXIT
fi
if ! "./$4" -max_total_time="$2" -timeout=60 -rss_limit_mb=2048 -verbosity=0 \
	-print_final_stats=1 -artifact_prefix="$4-" "$corpus" "$seeds" >"$4.log" 2>&1; then
	echo "== fuzz $4: failed"
	tail -n 60 "$4.log"
	exit 255
fi
executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$4.log")
echo "== fuzz $4: $2 s, $executions executions"
