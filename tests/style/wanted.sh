#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# A goal that is asked for what nobody has ends with one line that names what there is, and
# nothing is built or run before; what is there is taken (tests/wanted.mk).

set -u
cd "$(dirname "$0")/../.." || exit 2
unset MAKEFLAGS MFLAGS MAKELEVEL TESTS PAGES FUZZ WAITS FAULTS IN TIME SEED DRAW COUNT RUNS
bad=0
cases=0

# ask GOAL VARIABLE=VALUE...: stores what make says, and its status
ask()
{
	cases=$((cases + 1))
	said=$(${MAKE:-make} -n PACKAGES=no "$@" 2>&1)
	status=$?
}

complain()
{
	echo "wanted: make $*: status $status: $(printf '%s\n' "$said" | tail -n 3)"
	bad=1
}

# refused WORDS GOAL VARIABLE=VALUE...: WORDS are in the one line
refused()
{
	words=$1
	shift
	ask "$@"
	case $status:$said in
	0:* | *'
'*) complain "$@" ;;
	*"$words"*) ;;
	*) complain "$@" ;;
	esac
}

# taken GOAL VARIABLE=VALUE...
taken()
{
	ask "$@"
	[ $status -eq 0 ] || complain "$@"
}

refused "TESTS=nosuch: no unit test program has such a name; there are " test-unit TESTS=nosuch
refused "'*uart16550*' would be drivers/serial/uart16550 " test-unit TESTS=uart16550
refused "TESTS=nosuch: no test under QEMU has such a name; there are " test-integration TESTS=nosuch
refused "'*at_its_floor*' would be stops_at_its_floor_and_lives." test-integration \
	TESTS=at_its_floor
refused "no page has such a name; there are README.md docs/" test-docs PAGES=docs/nosuch.md
refused "no fuzz target has such a name; there are acpi balloon" fuzz FUZZ='acpi nosuch'
refused "no fuzz target has such a name" fuzz-short FUZZ=nosuch
refused "no kind of wait has such a name; there are inflate deflate" test-stops WAITS=nosuch
refused "FAULTS=nosuch: no fault of the list has such a name; there are " mutants FAULTS=nosuch
refused "IN=nosuch: no folder or file has such a name; there are drivers " mutants IN=nosuch
refused "TIME=0: a whole number is wanted, from 1 on" fuzz TIME=0
refused "TIME=1m: a whole number is wanted" fuzz TIME=1m
refused "DRAW=-1: a whole number is wanted, from 0 on" mutants DRAW=-1
refused "SEED=x: a whole number is wanted" mutants SEED=x
refused "COUNT=abc: a whole number is wanted, from 1 on" test-soak COUNT=abc
refused "RUNS=x: a whole number is wanted" test-soak RUNS=x

taken test-unit TESTS='mm/* kernel/shell'
taken test-integration TESTS='stops_at_its_floor_and_lives boots_on_*'
taken test-docs PAGES='README.md docs/console.md'
taken fuzz FUZZ='acpi pci' TIME=1
taken test-stops WAITS='*flate reset'
taken mutants FAULTS='*packed* host-*'
taken mutants IN=kernel/sh DRAW=0 SEED=7
# What another goal is asked for is no matter.
taken test-docs TESTS=nosuch FUZZ=nosuch

[ $bad -eq 0 ] && echo "wanted: ok, $cases cases"
exit $bad
