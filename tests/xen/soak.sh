#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The tests on real Xen so many times, with this machine's QEMU and each later one:
#
#	tests/xen/soak.sh BUILD TIMES
#
# A line for each group and QEMU says how many passed, and from how short to how long a machine
# ran; the targets of each run are others. What a failed one printed stays beside the others in
# BUILD/log. Where Xen's packages cannot be had it says so, and passes.

set -u
export BUILD="$1"
times=$2
store=$BUILD/xen

skip()
{
	echo "soak: on Xen: SKIPPED: $*"
	exit 0
}

[ "$times" -gt 0 ] || exit 0
why=$(tests/xen/fetch.sh "$store" dom0) || skip "$why"
why=$(tests/xen/dom0/pack.sh "$store" "$store/dom0.cpio" "$BUILD/aerostat.elf") || skip "$why"
tools/qemu_next.sh "$BUILD/qemu-next" >/dev/null || :
mkdir -p "$BUILD/log"

# repeat GROUP QEMU: a line in $store/soak.
repeat()
{
	version=$("$2" --version 2>/dev/null | sed -n '1s/^QEMU emulator version \([^ ]*\).*/\1/p')
	good=0
	: >"$store/times"
	for number in $(seq "$times"); do
		log=$BUILD/log/soak-xen-$1-${version:-none}
		if QEMU=$2 "$BUILD/tests/xen/run" "$1" >"$log" 2>&1; then
			good=$((good + 1))
		else
			mv "$log" "$log.failed-$number"
			cp "$BUILD/log/xen-$1.serial" "$log.failed-$number.serial"
		fi
		sed -n 's/^xen: .*: \([0-9.]*\) s from .*/\1/p' "$log" "$log.failed-$number" \
			2>/dev/null >>"$store/times"
	done
	outcome=passed
	[ $good -eq "$times" ] || outcome=FAILED
	echo "soak: Xen $(cat "$store/version"), QEMU $version, $1: $good of $times $outcome," \
		"$(sort -n "$store/times" | sed -n '1p') to $(sort -n "$store/times" | tail -n 1) s" |
		tee -a "$store/soak"
}

: >"$store/soak"
{
	echo "${QEMU:-qemu-system-x86_64}"
	sed -n 's/.* QEMU=//p' "$BUILD/qemu-next/summary" 2>/dev/null
} >"$store/qemus"
while IFS= read -r qemu <&3; do
	repeat first "$qemu"
	repeat domains "$qemu"
done 3<"$store/qemus"
! grep -q FAILED "$store/soak"
