#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The integration tests that depend on QEMU most, and the short matrix, with each
# QEMU that tools/qemu_next.sh can have, with all of them at a time:
#
#	tests/qemu_next/with_each.sh BUILD
#
# What they say, logs and tables lie beside each; BUILD/qemu-next/results has a line
# for each suite. One that cannot be had is told there and is no failure.

set -u
export BUILD="$1"
folder=$BUILD/qemu-next

# with_this LINE: of the summary; what came of it goes to `result` beside the QEMU.
with_this()
{
	export QEMU="${1##* QEMU=}"
	export RESULTS="${QEMU%/*}"
	start=$(date +%s)
	outcome=passed
	"$BUILD/tests/integration/run" --next >"$RESULTS/tests" 2>&1 || outcome=FAILED
	tests=$(($(date +%s) - start))
	"$BUILD/tests/matrix/run" >"$RESULTS/cells" 2>&1 || outcome=FAILED
	cells=$(($(date +%s) - start - tests))
	[ $outcome = passed ] || cat "$RESULTS/tests" "$RESULTS/cells"
	echo "qemu-next: ${1%: QEMU=*}: integration tests ($tests s) and matrix ($cells s)" \
		"$outcome" >"$RESULTS/result"
}

tools/qemu_next.sh "$folder"

# Alone with both cores, as all tests under QEMU; a QEMU left over would not hold it.
exec 8>"$BUILD/cores"
flock 8
while IFS= read -r line <&3; do
	case $line in
	*' QEMU='*)
		program=${line##* QEMU=}
		echo "qemu-next: ${program%/*}/result: nothing came of it: FAILED" \
			>"${program%/*}/result"
		with_this "$line" 3<&- 8>&- &
		;;
	esac
done 3<"$folder/summary"
wait

while IFS= read -r line <&3; do
	case $line in
	*' QEMU='*) program=${line##* QEMU=} && cat "${program%/*}/result" ;;
	*) echo "qemu-next: $line" ;;
	esac
done 3<"$folder/summary" >"$folder/results"
cat "$folder/results"
# All of it in the last line, too.
echo "qemu-next: $(sed 's/^qemu-next: //' "$folder/results" | paste -s -d ';' | sed 's/;/; /g')"
! grep -q FAILED "$folder/results"
