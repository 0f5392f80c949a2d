#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Runs the tests on QEMU's own Hyper-V balloon, and says in its last line what ran on what:
#
#	tests/nested/run.sh TARGET BUILD
#
# QEMU in the environment is the outer one; the inner one is the first that tools/qemu_next.sh has.
# Where that or Linux's package cannot be had it says so, and passes.

set -u
# shellcheck source=tests/logged.sh
. tests/logged.sh
# shellcheck source=tests/unpack.sh
. tests/unpack.sh
target=$1
export BUILD="$2"
store=$BUILD/nested
log=$BUILD/log/$target

skip()
{
	echo "$target: SKIPPED: $*"
	exit 0
}

cannot()
{
	skip "no nested KVM: $*"
}

tools/qemu_next.sh "$BUILD/qemu-next" || :
qemu=$(sed -n 's/.* QEMU=//p' "$BUILD/qemu-next/summary" | head -n 1)
[ -n "$qemu" ] || skip "there is no later QEMU: $(paste -s -d ';' "$BUILD/qemu-next/summary")"
why=$(tests/nested/fetch.sh "$store" "$qemu") || skip "$why"
cp tests/nested/init "$BUILD/aerostat.elf" "$store/root/" || cannot "its initramfs has no room"
chmod +x "$store/root/init"
print_initramfs "$store/root" >"$store/initramfs" || cannot "its initramfs cannot be packed"

mkdir -p "$BUILD/log"
start=$(date +%s)
logged "$log" "$BUILD/tests/nested/run" && outcome=passed || outcome=FAILED
ran=$(sed -n 's/^\[==========\] \(.*: \)\{0,1\}\([0-9]*\) test(s) run\.$/\2/p' "$log")
failed=$(sed -n 's/^\[  \(FAILED\|ERROR \)  \] \([^0-9 -][^ ]*\)$/\2/p' "$log" | sort -u |
	tr '\n' ' ')
version=$("$qemu" --version | sed -n 's/^QEMU emulator version \([^ ]*\).*/\1/p')
echo "$target: hv-balloon of QEMU $version on KVM, in Linux $(cat "$store/version"):" \
	"${ran:-0} tests $outcome in $(($(date +%s) - start)) s${failed:+: $failed}"
[ "$outcome" = passed ]
