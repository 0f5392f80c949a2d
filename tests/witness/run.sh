#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Runs the plans of tests/witness, and says in its last line what ran on what:
#
#	tests/witness/run.sh TARGET BUILD
#
# Where Linux's package cannot be had it says so, and passes.

set -u
# shellcheck source=tests/logged.sh
. tests/logged.sh
target=$1
export BUILD="$2"
store=$BUILD/witness
log=$BUILD/log/$target

if ! why=$(tests/witness/fetch.sh "$store"); then
	echo "$target: SKIPPED: $why"
	exit 0
fi
mkdir -p "$BUILD/log"
start=$(date +%s)
logged "$log" "$BUILD/tests/witness/run" && outcome=passed || outcome=FAILED
failed=$(sed -n 's/^\[  FAILED  \] \([^0-9 ][^ ]*\)$/\1/p' "$log" | sort -u | tr '\n' ' ')
echo "$target: Linux $(cat "$store/version"), on VMware and on Hyper-V: $outcome in" \
	"$(($(date +%s) - start)) s${failed:+: $failed}"
[ "$outcome" = passed ]
