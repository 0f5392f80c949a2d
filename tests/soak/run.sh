#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The soak, with each QEMU from 10 on that can be had: this machine's own and those of
# tools/qemu_next.sh.
#
#	tests/soak/run.sh [--each] BUILD STOPS TARGETS [WAITS]
#
# main.c says what the numbers are, and --each.
#
# What came of it is also in BUILD/soak-results. No such QEMU is told there, and is no
# failure.

set -u
each=
if [ "$1" = --each ]; then
	each=$1
	shift
fi
export BUILD="$1"
own=${QEMU:-qemu-system-x86_64}
folder=$BUILD/qemu-next

# An earlier one answers the guest in the call: nothing is in flight when it stops.
OLDEST=10

tools/qemu_next.sh "$folder"

stops=$2
targets=$3
waits=${4:-*}
major=$("$own" --version 2>/dev/null | sed -n '1s/^QEMU emulator version \([0-9]*\)\..*/\1/p')
set --
if [ "${major:-0}" -ge $OLDEST ]; then
	set -- "$own"
fi
: >"$BUILD/soak-results"
while IFS= read -r line; do
	case $line in
	*' QEMU='*) set -- "$@" "${line##* QEMU=}" ;;
	*) echo "soak: $line" >>"$BUILD/soak-results" ;;
	esac
done <"$folder/summary"
if [ $# -eq 0 ]; then
	echo "soak: not run, as there is no QEMU from $OLDEST on" >>"$BUILD/soak-results"
	cat "$BUILD/soak-results"
	exit 0
fi

# Alone with both cores, as all tests under QEMU; a QEMU left over would not hold it.
exec 8>"$BUILD/cores"
flock 8
status=0
"$BUILD/tests/soak/run" ${each:+"$each"} "$stops" "$targets" "$waits" "$@" >>"$BUILD/soak-results" 8>&- ||
	status=1
cat "$BUILD/soak-results"
exit $status
