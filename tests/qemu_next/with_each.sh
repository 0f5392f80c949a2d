#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The integration tests that depend on QEMU most, and the short matrix, with each
# QEMU that tools/qemu_next.sh can have:
#
#	tests/qemu_next/with_each.sh BUILD
#
# Logs and tables lie beside each; BUILD/qemu-next/results has a line for each suite.
# One that cannot be had is told there and is no failure.

set -u
export BUILD="$1"
folder=$BUILD/qemu-next
failed=0

# alone PROGRAM ARGUMENTS: with both cores, as all tests under QEMU.
alone()
{
	flock -o "$BUILD/cores" "$@"
}

tools/qemu_next.sh "$folder"
: >"$folder/results"
while IFS= read -r line <&3; do
	case $line in
	*' QEMU='*) ;;
	*)
		echo "qemu-next: $line" >>"$folder/results"
		continue
		;;
	esac
	export QEMU="${line##* QEMU=}"
	export RESULTS="${QEMU%/*}"
	outcome=passed
	start=$(date +%s)
	alone "$BUILD/tests/integration/run" --next || outcome=FAILED
	tests=$(($(date +%s) - start))
	start=$(date +%s)
	alone "$BUILD/tests/matrix/run" || outcome=FAILED
	[ $outcome = passed ] || failed=1
	echo "qemu-next: ${line%: QEMU=*}: integration tests ($tests s) and" \
		"matrix ($(($(date +%s) - start)) s) $outcome" >>"$folder/results"
done 3<"$folder/summary"
cat "$folder/results"
exit $failed
