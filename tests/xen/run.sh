#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Runs a group of the tests on real Xen, and says in its last line what ran on what:
#
#	tests/xen/run.sh TARGET BUILD first|domains|witness [SUMMARY]
#
# With this machine's QEMU (or the one in QEMU), or with each in a summary of
# tools/qemu_next.sh. Where Xen's packages cannot be had it says so, and passes.

set -u
# shellcheck source=tests/logged.sh
. tests/logged.sh
target=$1
export BUILD="$2"
group=$3
store=$BUILD/xen

skip()
{
	echo "$target: SKIPPED: $*"
	exit 0
}

# Later ones tell Xen of another register than CR2: Linux dies early.
if [ "$group" = witness ]; then
	version=$("${QEMU:-qemu-system-x86_64}" --version 2>/dev/null | sed -n '1s/^QEMU emulator version //p')
	case $version in
	7.2*) ;;
	*) skip "a Linux domain wants QEMU 7.2 (docs/hypervisors.md), and this is ${version:-none}" ;;
	esac
fi

set=hypervisor
[ "$group" = first ] || set=dom0
why=$(tests/xen/fetch.sh "$store" $set) || skip "$why"
if [ $set = dom0 ]; then
	linux=
	[ "$group" != witness ] || linux=--linux
	why=$(tests/xen/dom0/pack.sh "$store" "$store/dom0.cpio" $linux "$BUILD/aerostat.elf") ||
		skip "$why"
fi

# run QEMU: a line of what came of it goes to $results.
results=$store/results-$target
: >"$results"
run()
{
	version=$("$1" --version 2>/dev/null | sed -n '1s/^QEMU emulator version \([^ ]*\).*/\1/p')
	log=$BUILD/log/$target-${version:-none}
	mkdir -p "$BUILD/log"
	start=$(date +%s)
	QEMU=$1 logged "$log" "$BUILD/tests/xen/run" "$group" && outcome=passed || outcome=FAILED
	ran=$(sed -n 's/^\[==========\] \(.*: \)\{0,1\}\([0-9]*\) test(s) run\.$/\2/p' "$log")
	failed=$(sed -n 's/^\[  \(FAILED\|ERROR \)  \] \([^0-9 -][^ ]*\)$/\2/p' "$log" | sort -u |
		tr '\n' ' ')
	echo "Xen $(cat "$store/version"), QEMU ${version:-that does not start}: ${ran:-0} tests" \
		"$outcome in $(($(date +%s) - start)) s${failed:+: $failed}" >>"$results"
}

if [ $# -lt 4 ]; then
	run "${QEMU:-qemu-system-x86_64}"
else
	sed -n 's/.* QEMU=//p' "$4" >"$store/qemus"
	[ -s "$store/qemus" ] || skip "there is no later QEMU: $(paste -s -d ';' "$4")"
	while IFS= read -r qemu <&3; do
		run "$qemu"
	done 3<"$store/qemus"
fi
echo "$target: $(paste -s -d ';' "$results" | sed 's/;/; /g')"
! grep -q FAILED "$results"
