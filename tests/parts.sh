#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Makes the parts of a target one after another, each to its end whatever became of
# those before:
#
#	parts.sh TARGET PART...
#
# Its last lines are the last of each part, which says how much ran, and at the very end
# which parts failed; a failed one is there with the names of what failed in it, and above with
# what it said of the first failures. All that a part printed stays in BUILD/log/TARGET/PART, and
# those last lines in BUILD/log/TARGET/why and sum. MAKE and BUILD are in the environment.

set -u
# shellcheck source=tests/logged.sh
. tests/logged.sh
target=$1
shift
logs=$BUILD/log/$target
rm -rf "$logs"
mkdir -p "$logs"

# Builds what a part needs with all processors, unless the calling make was told how many.
case " ${MAKEFLAGS:-}" in
*' -j'*) jobs= ;;
*) jobs=-j$(nproc) ;;
esac

failed=
count=0
start=$(date +%s)
for part; do
	echo "== make $part"
	begin=$(date +%s)
	# shellcheck disable=SC2086 # MAKE is a command and its options
	logged "$logs/$part" $MAKE --no-print-directory $jobs "$part"
	status=$?
	seconds=$(($(date +%s) - begin))
	count=$((count + 1))
	outcome=passed
	last=$(grep -v '^ *$\|^make' "$logs/$part" | tail -n 1)
	if [ "$status" -ne 0 ]; then
		outcome=FAILED
		failed="$failed $part"
		# What did not get so far as to say what failed was not built.
		case $last in
		*FAILED* | *failed* | *wrong*) ;;
		*) last=$(grep -m 1 'error:\|Error\|\*\*\*' "$logs/$part" || echo "$last") ;;
		esac
	fi
	printf '%-18s %-6s %4d s  %s\n' "$part" $outcome $seconds "$last" >>"$logs/sum"
done

# shellcheck disable=SC2086
set -- $failed
for part; do
	echo "-- $part, from $logs/$part:"
	grep -B 5 '^\[  FAILED  \] [a-z]\|\*\*\* ' "$logs/$part" | head -n 24
done >"$logs/why"

echo
echo "== make $target"
cat "$logs/why" "$logs/sum"
if [ $# -gt 0 ]; then
	end="$target: $# of $count parts FAILED, after $(($(date +%s) - start)) s:$failed"
else
	end="$target: $count parts passed in $(($(date +%s) - start)) s"
fi
echo "$end" | tee -a "$logs/sum"
[ $# -eq 0 ]
