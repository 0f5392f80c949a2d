#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Whether the unit tests would notice: puts each fault of tests/mutants/list, one
# at a time, into a copy of the tree, builds the one program that is to notice
# it, and runs that. It must fail. What survives, does not build, or does not
# apply any more, makes the status 1. The tree itself is never changed.
#
#	run.sh SCRATCH [PATTERN]
#
# SCRATCH is a directory that is made anew; with PATTERN only those faults are
# tried whose names match it. HOSTCC is the compiler.

set -u
cd "$(dirname "$0")/../.." || exit 1

# Seconds for a program as it is. With a fault in it, it has failed if it takes 30 s and
# three times as long as without: then it goes round for ever.
TIMEOUT=600
WORKERS=2

if [ $# -lt 1 ] || [ $# -gt 2 ]; then
	echo "usage: $0 SCRATCH [PATTERN]" >&2
	exit 2
fi
scratch=$1
pattern=${2:-*}

# What the calling make was told is not for the one in here.
unset MAKEFLAGS MFLAGS MAKELEVEL

# build TREE PROGRAM...: the programs by their names, in a copy of the tree
build()
{
	tree=$1
	shift
	timeout 600 make -C "$tree" BUILD=build PACKAGES=no HOSTCC="${HOSTCC:-gcc}" -s \
		$build_flags $(printf 'build/tests/%s ' "$@") > "$tree/output" 2>&1
}

# run TREE PROGRAM SECONDS
run()
{
	(cd "$1" && timeout "$3" "build/tests/$2" > output 2>&1)
}

# What failed: the first test that says so, or in which the program ended.
failed_test()
{
	awk '/^\[  (FAILED|ERROR ) / && !/--- / && !failed { failed = $0 }
		/^\[ RUN      \] / { last = $0 }
		END { sub(/^\[[^]]*\] /, "", failed); sub(/^\[[^]]*\] /, "", last)
			print failed ? failed : last ? last : "no test at all" }' "$1"
}

# A line for each fault that is to be tried: name, file, program.
table()
{
	awk '/^fault: / { name = $2 }
		/^file: / { file = $2 }
		/^test: / { print name, file, $2 }' "$scratch/list" |
	while read -r name file program; do
		case $name in
		$pattern) echo "$name $file $program" ;;
		esac
	done
}

# try TREE NAME FILE PROGRAM: prints what became of it; 0 if it was caught
try()
{
	if ! why=$(awk -v fault="$2" -f tests/mutants/apply.awk "$scratch/list" \
		"$1/original" 2>&1 > "$1/$3"); then
		echo "STALE    $2: $3: $why"
	elif ! build "$1" "$4"; then
		echo "NO BUILD $2: $3: $(grep -m 1 error "$1/output")"
	elif run "$1" "$4" "$(awk -v program="$4" '$1 == program { print $2 }' \
			"$scratch/limits")"; then
		echo "SURVIVED $2: $3: $4 passes with it"
	elif ! grep -q '^\[ RUN' "$1/output"; then
		echo "NO RUN   $2: $4 ran no test: $(head -n 1 "$1/output")"
	else
		echo "caught   $2, by $4: $(failed_test "$1/output")"
		return 0
	fi
	return 1
}

# work N: every so many-th fault from the Nth on, in a tree of its own
work()
{
	tree=$scratch/$1
	awk -v n="$1" -v workers=$WORKERS 'NR % workers == n % workers' "$scratch/table" |
	while read -r name file program; do
		cp "$tree/$file" "$tree/original"
		try "$tree" "$name" "$file" "$program"
		cp "$tree/original" "$tree/$file"
	done
}

# ---- The trees, and the tests as they are ----

# Workers do not hear of an interrupt by themselves.
trap 'trap - TERM; kill 0' INT

rm -rf "$scratch"
mkdir -p "$scratch/1"
scratch=$(cd "$scratch" && pwd)
cp tests/mutants/list "$scratch/list"
table > "$scratch/table"
total=$(grep -c . "$scratch/table")
if [ "$total" -eq 0 ]; then
	echo "mutants: no fault in tests/mutants/list has a name like '$pattern'" >&2
	exit 1
fi
twice=$(cut -d ' ' -f 1 "$scratch/table" | sort | uniq -d)
if [ -n "$twice" ]; then
	echo "mutants: two faults have the same name: $twice" >&2
	exit 1
fi

cp -R Makefile arch drivers kernel mm tests tools "$scratch/1/"
programs=$(cut -d ' ' -f 3 "$scratch/table" | sort -u)
echo "mutants: building and running, as they are:" $programs
build_flags=-j$WORKERS
if ! build "$scratch/1" $programs; then
	echo "mutants: the unit tests do not build:" >&2
	cat "$scratch/1/output" >&2
	exit 1
fi
for program in $programs; do
	began=$(date +%s)
	if ! run "$scratch/1" "$program" $TIMEOUT; then
		echo "mutants: $program fails without any fault in it, in:" \
			"$(failed_test "$scratch/1/output")" >&2
		exit 1
	fi
	echo "$program $((30 + 3 * ($(date +%s) - began)))" >> "$scratch/limits"
done
for n in $(seq 2 $WORKERS); do
	cp -Rp "$scratch/1" "$scratch/$n"
done

# ---- The faults ----

build_flags=
{
	for n in $(seq $WORKERS); do
		work "$n" &
	done
	wait
} | tee "$scratch/results"

caught=$(grep -c '^caught ' "$scratch/results")
echo "mutants: $caught of $total faults were caught"
[ "$caught" -eq "$total" ]
