#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC1007,SC2013,SC2015,SC2034,SC2046,SC2086,SC2153,SC2254 # lists of words
#
# Whether the unit tests would notice: puts small faults, one at a time, into a copy of
# a source file, links it into programs of the unit tests, and runs those. One must fail.
# There are the faults of tests/mutants/list, each with the program that is to notice it,
# and those that sites.awk makes by rule, of which some are drawn: for them it is any
# program that runs the line. The tree itself is never changed. `make mutants` sets
#
#	BUILD HOSTCC PLAIN SANITIZED	compilers' flags, without and with sanitizers
#	MUTATED				folders in which faults are made by rule
#	SEED DRAW IN			which are drawn, how many, of files that begin so
#	FAULTS				patterns: names in the list
#
# The status is 0 if all of the list were caught, and FLOOR per cent of those drawn.

set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/mutants/limits.sh

# Half of them wait: for deadlines, and for others.
WORKERS=$((2 * $(nproc)))
# Of a hundred that are drawn: so many are to be caught, and so many must be, as a draw
# scatters.
GOAL=95
FLOOR=90

# What the calling make was told is not for the one in here.
unset MAKEFLAGS MFLAGS MAKELEVEL

tab=$(printf '\t')
made=$BUILD
mkdir -p "$made/mutants"
BUILD=$(cd "$made" && pwd)
scratch=$BUILD/mutants

die()
{
	echo "mutants: $*" >&2
	exit 1
}

# ---- Before: programs as they are, what they run ----

build_all()
{
	echo "mutants: building the unit tests, and looking what each of them runs"
	make -j$WORKERS -s BUILD="$made" PACKAGES=no HOSTCC="$HOSTCC" \
		mutants-built > "$scratch/build.log" 2>&1 && return
	tail -n 30 "$scratch/build.log" >&2
	die "the unit tests do not build, or one fails"
}

# Which program runs which line, a file per source file; what each program takes.
collect()
{
	rm -rf "$scratch/lines" "$scratch/tested"
	(cd "$BUILD/plain/seen" && find . -type f | sed 's|^\./||' | sort) > "$scratch/programs"
	while read -r name; do
		sed "s|\$| $name|" "$BUILD/plain/seen/$name"
	done < "$scratch/programs" > "$scratch/seen"
	awk '$1 == "time" { print $4, $2, $3 }' "$scratch/seen" > "$scratch/times"
	for program in $(cat "$scratch/programs"); do
		head -n 1 "$BUILD/plain/run/$program.link"
	done | tr ' ' '\n' | sed -n "s|^$made/plain/\(.*\)\.o\$|\1.c|p" | sort -u |
		grep -E "^($(echo "$MUTATED" | tr ' ' '|'))/" > "$scratch/tested"
	for folder in $(sed 's|/[^/]*$||' "$scratch/tested" | sort -u); do
		mkdir -p "$scratch/lines/$folder"
	done
	awk -v to="$scratch/lines/" '$1 == "line" { print $3, $4, $5 > (to $2) }' "$scratch/seen"
}

# Every file has a program that it is linked into, or its reason in tests/mutants/without;
# what a program runs, and is no danger, is to be tried. Prints what is wrong.
check_without()
{
	find $MUTATED -name '*.c' | sort > "$scratch/sources"
	sed -n 's/^un[a-z]* \(.*\.c\):.*/\1/p' tests/mutants/without | sort > "$scratch/without"
	sort "$scratch/tested" "$scratch/without" | comm -23 "$scratch/sources" - |
		sed 's|$|: no unit test has it, and tests/mutants/without does not say why|'
	awk '$1 == "line" && $4 { print $2 }' "$scratch/seen" | sort -u > "$scratch/run"
	sed -n 's/^untested \(.*\.c\):.*/\1/p' tests/mutants/without | sort |
		comm -12 "$scratch/run" - |
		sed 's|$|: has a unit test now: take it out of tests/mutants/without|'
	comm -13 "$scratch/sources" "$scratch/without" |
		sed 's|$|: is in tests/mutants/without, and nowhere else|'
}

# The faults of the list that are to be tried: name, file, program.
table()
{
	set -f	# FAULTS are no files
	awk '/^fault: / { name = $2 }
		/^file: / { file = $2 }
		/^test: / { print name, file, $2 }' tests/mutants/list |
	while read -r name file program; do
		for like in $FAULTS; do
			case $name in
			$like)
				echo "$name $file $program"
				break
				;;
			esac
		done
	done
	set +f
}

draw()
{
	grep "^$IN" "$scratch/tested" | grep -vxFf "$scratch/without" | while read -r file; do
		awk -f tests/mutants/sites.awk "$file"
	done > "$scratch/sites"
	[ -s "$scratch/sites" ] || die "no file with a unit test begins with '$IN'"
	awk -v seed="$SEED" -f tests/mutants/draw.awk tests/mutants/equivalent \
		"$scratch/sites" > "$scratch/drawn"
}

# ---- A fault in a program ----

# What failed: the first test that says so, or in which the program ended.
failed_test()
{
	awk '/^\[  (FAILED|ERROR ) / && !/--- / && !failed { failed = $0 }
		/^\[ RUN      \] / { last = $0 }
		END { sub(/^\[[^]]*\] /, "", failed); sub(/^\[[^]]*\] /, "", last)
			print failed ? failed : last ? last : "no test at all" }' "$1"
}

# sources FILE PROGRAM: what is compiled anew for PROGRAM when FILE is another one: itself,
# or all that includes it
sources()
{
	case $1 in
	*.c) echo "$1" ;;
	*)
		for object in $(head -n 1 "$BUILD/plain/run/$2.link"); do
			grep -q " $1\( \|\$\)" "${object%.o}.d" || continue
			object=${object#"$made/plain/"}
			echo "${object%.o}.c"
		done
		;;
	esac
}

# compile ROOM KIND FILE FLAGS PROGRAM: into ROOM/KIND; ROOM/fault has FILE with a fault
compile()
{
	for source in $(sources "$3" "$5"); do
		[ ! -f "$1/$2/${source%.c}.o" ] || continue
		mkdir -p "$(dirname "$1/$2/$source")"
		place=$source
		[ "$source" != "$3" ] || place=$1/fault/$source
		$HOSTCC $4 -Wno-misleading-indentation -Wno-parentheses -Wno-unused \
			$(cat "$BUILD/plain/${source%.c}.fakes") -Itests/fake -I"$1/fault" -I. \
			-c -o "$1/$2/${source%.c}.o" "$place" > "$1/output" 2>&1 || return 1
	done
}

# link ROOM KIND FLAGS PROGRAM: with the objects of ROOM/KIND in their places
link()
{
	{
		read -r objects
		read -r libs
	} < "$BUILD/plain/run/$4.link"
	with=
	for object in $objects; do
		object=$2/${object#"$made/plain/"}
		if [ -f "$1/$object" ]; then
			with="$with $1/$object"
		else
			with="$with $made/$object"
		fi
	done
	$HOSTCC $3 -o "$1/program" $with $libs > "$1/output" 2>&1
}

# limits PROGRAM SLOWER: the seconds of CPU and of the wall's clock that it gets. A
# program that needs a fault to take so long goes round, or waits, for ever.
limits()
{
	awk -v program="$1" -v slower="$2" '$1 == program {
		print int(slower * (5 + 3 * $2)), int(slower * (30 + 4 * $3)) }' "$scratch/times"
}

# notice ROOM KIND FILE PROGRAM...: 0 if one of them fails, 1 if all pass, 2 if it does
# not build. With sanitizers they may take a multiple of the time.
notice()
{
	room=$1 kind=$2 file=$3
	shift 3
	case $kind in
	plain) flags=$PLAIN slower=1 SANITIZERS= how= ;;
	unit) flags=$SANITIZED slower=20 SANITIZERS=yes how=", sanitized" ;;
	esac
	rm -rf "${room:?}/$kind"
	compile "$room" $kind "$file" "$flags" "${1-}" || return 2
	for by; do
		compile "$room" $kind "$file" "$flags" "$by" || return 2
		link "$room" $kind "$flags" "$by" || return 2
		(cd "$room" && run_limited ./program $(limits "$by" $slower) output) && continue
		[ $? -ne 137 ] || how="$how, without end"
		# A program that does not even start says nothing about the fault.
		grep -q '^\[ RUN' "$room/output" || return 2
		return 0
	done
	return 1
}

# try ROOM FILE PROGRAM...: likewise; what passes without sanitizers is tried with them
try()
{
	room=$1 file=$2
	shift 2
	notice "$room" plain "$file" "$@"
	case $? in
	1) notice "$room" unit "$file" "$@" ;;
	2) return 2 ;;
	esac
}

# ---- Those of the list, and those that were drawn ----

# try_listed ROOM NAME FILE PROGRAM: prints what became of it
try_listed()
{
	rm -rf "$1/fault"
	mkdir -p "$(dirname "$1/fault/$3")"
	if ! why=$(awk -v fault="$2" -f tests/mutants/apply.awk tests/mutants/list \
		"$3" 2>&1 > "$1/fault/$3"); then
		echo "STALE    $2: $3: $why"
		return
	fi
	try "$1" "$3" "$4"
	case $? in
	0) echo "caught   $2, by $4$how: $(failed_test "$1/output")" ;;
	1) echo "SURVIVED $2: $3: $4 passes with it" ;;
	2) echo "NO BUILD $2: $3: $(grep -m 1 error "$1/output")" ;;
	esac
}

# The programs that run any of the lines FROM-TO,... of FILE: the one that is named like
# it, and then the quickest first.
programs_for()
{
	[ -f "$scratch/lines/$1" ] || return
	awk -v felt="$2" -f tests/mutants/felt.awk "$scratch/lines/$1" |
	awk -v own="${1%.c}" 'FNR == NR { felt[$1] = 1; next }
		$1 in felt { print $1 == own ? 0 : $2 + 0.05, $1 }' - "$scratch/times" |
	sort -n | cut -d ' ' -f 2
}

# describe FILE FUNCTION LINE OLD NEW
describe()
{
	case $2 in
	-) printf '%s:%s: %s  =>  %s\n' "$1" "$3" "$4" "$5" ;;
	*) printf '%s:%s: in %s(): %s  =>  %s\n' "$1" "$3" "$2" "$4" "$5" ;;
	esac
}

# try_drawn ROOM FILE FUNCTION FROM TO FELT OLD NEW: prints what became of it; 2 if it
# does not build
try_drawn()
{
	what=$(describe "$2" "$3" "$4" "$7" "$8")
	rm -rf "$1/fault"
	mkdir -p "$(dirname "$1/fault/$2")"
	NEW=$8 awk -v file="$2" -v from="$4" -v to="$5" 'NR == 1 { print "#line 1 \"" file "\"" }
		NR == from { print ENVIRON["NEW"] }
		NR < from || NR > to { print }
		NR > from && NR <= to { print "" }' "$2" > "$1/fault/$2"
	programs=$(programs_for "$2" "$6")
	try "$1" "$2" $programs
	case $? in
	0) printf '%s\n' "caught   $what  [$by$how: $(failed_test "$1/output")]" ;;
	1) printf '%s\n' "SURVIVED $what  [${programs:+passes: }$(passing $programs)]" ;;
	2) return 2 ;;
	esac
}

passing()
{
	case $# in
	0) echo "no test runs it" ;;
	1 | 2 | 3) echo "$*" ;;
	*) echo "$1 and $(($# - 1)) more" ;;
	esac
}

# work_list N: every so many-th fault from the Nth on, in a room of its own
work_list()
{
	awk -v n="$1" -v workers=$WORKERS 'NR % workers == n % workers' "$scratch/table" |
	while read -r name file program; do
		try_listed "$scratch/$1" "$name" "$file" "$program"
	done
}

# work_drawn N: likewise, until its share is done. What does not build is passed over,
# and so is what is known to change nothing.
work_drawn()
{
	left=$(((DRAW + WORKERS - $1) / WORKERS))
	awk -v n="$1" -v workers=$WORKERS 'NR % workers == n % workers' "$scratch/drawn" |
	while IFS=$tab read -r known file function from to felt site rule old new; do
		[ $left -gt 0 ] || break
		if [ "$known" = known ]; then
			what=known
		elif try_drawn "$scratch/$1" "$file" "$function" "$from" "$to" "$felt" \
			"$old" "$new"; then
			left=$((left - 1))
			continue
		else
			what='no build'
		fi
		printf '%-8s %s\n' "$what" \
			"$(describe "$file" "$function" "$from" "$old" "$new")"
	done
}

# both FUNCTION: all workers at once
both()
{
	for n in $(seq $WORKERS); do
		make_room "$scratch/$n"
		$1 "$n" 2> "$scratch/$n/errors" &
	done
	wait
}

# ---- The end ----

count()
{
	grep -c "^$1 " "$2"
}

# What a log that is cut at its beginning still has.
sum_up()
{
	status=0
	sed 's/^/LISTS    /' "$scratch/wrong"
	[ ! -s "$scratch/wrong" ] || status=1
	if [ -s "$scratch/listed" ]; then
		grep -v '^caught ' "$scratch/listed" && status=1
	fi
	if [ -s "$scratch/results" ]; then
		grep '^SURVIVED ' "$scratch/results"
	fi
	if [ -s "$scratch/listed" ]; then
		echo "mutants: $(count caught "$scratch/listed") of $(grep -c . \
			"$scratch/table") faults of the list were caught"
	fi
	caught=$(count caught "$scratch/results")
	tried=$((caught + $(count SURVIVED "$scratch/results")))
	[ $tried -gt 0 ] || return $status
	echo "mutants: $caught of $tried drawn by SEED=$SEED${IN:+ in $IN} were caught:" \
		"$((100 * caught / tried)) %, $FLOOR % must be, and $GOAL % is the goal; besides," \
		"$(count known "$scratch/results") change nothing and" \
		"$(count 'no build' "$scratch/results") do not compile"
	[ $((100 * caught)) -ge $((FLOOR * tried)) ] || status=1
	return $status
}

# Workers do not hear of it by themselves.
trap 'trap - INT TERM; kill 0' INT TERM

build_all
# Each fault is another file; a cache has none of them.
export CCACHE_DISABLE=1
collect
tests/mutants/lists.sh > "$scratch/wrong"
check_without >> "$scratch/wrong"
: > "$scratch/listed"
: > "$scratch/results"
: > "$scratch/table"
[ -n "$IN" ] && [ -z "$FAULTS" ] || {
	FAULTS=${FAULTS:-*} table > "$scratch/table"
	[ -s "$scratch/table" ] || die "no fault in tests/mutants/list has a name like '$FAULTS'"
	both work_list | tee "$scratch/listed"
}
[ -n "$FAULTS" ] || {
	draw
	both work_drawn | tee "$scratch/results"
}
sum_up
