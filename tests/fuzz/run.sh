#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Runs fuzz targets, two at a time, each whatever became of the others:
#
#	run.sh FOLDER SECONDS keep|forget NAME...
#
# A target begins with its seeds and, unless its finds are to be forgotten, with those of
# earlier runs. Whatever makes it fail lies in FOLDER then, as NAME-crash-..., and its
# output as NAME.log. The last line says which failed.

set -u

# run_one FOLDER SECONDS keep|forget NAME
run_one()
{
	seeds=$(pwd)/tests/fuzz/seeds/$4
	cd "$1" || exit 1
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
		exit 1
	fi
	executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$4.log")
	echo "== fuzz $4: $2 s, $executions executions"
	: >"$4.passed"
}

if [ "$1" = --one ]; then
	shift
	run_one "$@"
	exit
fi

folder=$1
seconds=$2
finds=$3
shift 3
rm -f "$folder"/*.passed
printf '%s\n' "$@" | xargs -n 1 -P 2 "$0" --one "$folder" "$seconds" "$finds"
failed=
for name; do
	[ -e "$folder/$name.passed" ] || failed="$failed $name"
done
if [ -n "$failed" ]; then
	echo "fuzz: of $# targets FAILED:$failed"
	exit 1
fi
echo "fuzz: $# targets ran for $seconds s each, none failed"
