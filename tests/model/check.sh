#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Checks the models of the balloon's protocol with spin, all of their states:
#
#	tests/model/check.sh DIRECTORY-FOR-OUTPUT
#
# Then each planted fault, which must be found: a check that cannot fail is none.

set -u
cd "$(dirname "$0")" || exit
here=$(pwd)
cd - >/dev/null || exit
out=${1:?check.sh: name a directory for the output}

# Bounds for each search: seconds, MB, depth.
SECONDS_MAX=900
MEMORY_MAX=3500
DEPTH_MAX=5000000

# build MODEL PHASE [FAULT]: a verifier, in a directory of its own; says where.
build()
{
	dir=$out/$1-$2${3:+-$3}
	rm -rf "$dir"
	mkdir -p "$dir"
	live=
	flags="-DSAFETY -DNOCLAIM"
	if [ "$2" = liveness ]; then
		live=-DLIVENESS
		flags=-DNFAIR=3
	fi
	(
		cd "$dir" || exit
		# shellcheck disable=SC2086
		spin $live ${3:+-D$3} -a "$here/$1.pml" >spin.log 2>&1 ||
			{ cat spin.log >&2; exit 1; }
		# spin's own code; its warnings are not ours to mend.
		# shellcheck disable=SC2086
		gcc -w -O2 -DMEMLIM=$MEMORY_MAX $flags -o pan pan.c
	)
	echo "$dir"
}

# search DIRECTORY PHASE: runs it to the end.
search()
{
	options=
	[ "$2" = safety ] || options="-a -f"
	# shellcheck disable=SC2086
	(cd "$1" && timeout $SECONDS_MAX ./pan $options -m$DEPTH_MAX -w22 >pan.log 2>&1) ||
		{ echo "model: $1: the search did not end; see pan.log there" >&2; exit 1; }
	if grep -Eq 'max search depth too small|search was not completed|out of memory' \
		"$1/pan.log" && ! grep -q '^pan:1:' "$1/pan.log"; then
		echo "model: $1: not all states were searched; see pan.log there" >&2
		exit 1
	fi
	grep -q 'errors: ' "$1/pan.log" ||
		{ echo "model: $1: no result; see pan.log there" >&2; exit 1; }
}

# holds MODEL PHASE WHAT
holds()
{
	dir=$(build "$1" "$2")
	search "$dir" "$2"
	if ! grep -q 'errors: 0$' "$dir/pan.log"; then
		grep '^pan:1:' "$dir/pan.log" >&2 || true
		echo "model: $1, $2: does not hold: $3; to see how: cd $dir;" \
			"spin -t -p -g $here/$1.pml" >&2
		exit 1
	fi
	states=$(sed -n 's/^ *\([0-9e.+]*\) states, stored.*/\1/p' "$dir/pan.log")
	echo "$1, $2: $states states: $3"
}

# finds MODEL PHASE FAULT WHY: the fault is found, and for that reason.
finds()
{
	dir=$(build "$1" "$2" "$3")
	search "$dir" "$2"
	if ! grep '^pan:1:' "$dir/pan.log" | grep -Fq "$4"; then
		echo "model: $1, $2: $3 is planted and not found as '$4';" \
			"see $dir/pan.log" >&2
		exit 1
	fi
	echo "$1, $2: found $3: $4"
}

# try WHAT...: the next one follows, whatever comes of it.
tried=0
failed=0
try()
{
	tried=$((tried + 1))
	("$@") || failed=$((failed + 1))
}

try holds balloon safety "one owner for each frame, none lost, none used while lent, no deadlock"
try holds balloon liveness "the target is reached, and the host told so"
try holds hint safety "one owner for each block, none used while lent, each id once and while it is current, no deadlock"
try holds hint liveness "rounds end, with STOP if we end them, and hinted blocks are free after DONE"
try holds growth safety "no frame used or given in a block that is unplugged or on its way out, the target and the floor kept while it leaves"
try holds growth liveness "a block comes and leaves as the host wants it, and the target is reached"
try holds xen safety "one owner for each frame, none lost, none free that Xen has, none given twice or populated where there is one, a refused Xen not asked in a pause, no deadlock"
try holds xen liveness "the target is reached when Xen refuses no frames any more"
try holds vmware safety "one owner for each frame, none lost, none free that the host has, none locked or unlocked twice, nothing but START after RESET, no deadlock"
try holds vmware liveness "the target is reached when the host refuses no frames any more, whenever it said RESET"
try holds hyperv safety "one owner for each frame, none lost, none free that the host has, whenever the channel ends and whatever the host says, each request answered once and in its turn, no signal missed, no deadlock"
try holds hyperv liveness "each request is answered, whatever room there is"
try holds xenstore safety "one question at a time, no deadlock"
try holds xenstore liveness "the value of a node is known, whatever interrupts are lost"

try finds balloon safety FAULT_REUSED_BEFORE_ACK "(app&lent)==0"
try finds balloon safety FAULT_DEFLATING_FREED "(app&lent)==0"
try finds balloon safety FAULT_RESET_NOT_WAITED_FOR "(app&lent)==0"
try finds balloon safety FAULT_FORGOTTEN_ON_RESET "==7)"
try finds balloon safety FAULT_BELOW_WITHOUT_BIT "deflate_on_oom"
try finds balloon safety FAULT_NO_HOLD_OFF "chased"
try finds balloon safety FAULT_RESET_TAKEN_FOR_SILENCE "unanswered"
try finds balloon safety FAULT_FREED_AT_RETRY "(app&lent)==0"
try finds balloon safety FAULT_WRONG_AFTER_RETRY "unanswered"
try finds balloon liveness FAULT_CLEARED_UNREAD "acceptance cycle"
try finds balloon liveness FAULT_CLEARED_LATE "acceptance cycle"

try finds hint safety FAULT_RELEASED_BEFORE_BACK "(app&lent)==0"
try finds hint safety FAULT_IN_FLIGHT_RECLAIMED "(app&lent)==0"
try finds hint safety FAULT_FORGOTTEN_ON_RESET "==7)"
try finds hint safety FAULT_ID_TAKEN_TWICE "rounds"
try finds hint safety FAULT_ID_NOT_WITHDRAWN "violated (config_id==id)"
try finds hint safety FAULT_NOT_HINTED_ANEW "(hinted& ~(fresh"
try finds hint safety FAULT_STOP_OF_NOTHING "(told&&"
try finds hint liveness FAULT_NO_STOP "acceptance cycle"

try finds growth safety FAULT_IN_FLIGHT_BLOCK_CLAIMED "==5)"
try finds growth safety FAULT_LENT_BLOCK_CLAIMED "==5)"
try finds growth safety FAULT_USED_BEFORE_PLUGGED "(plugged||"
try finds growth safety FAULT_BUSY_TAKEN_FOR_ACK "asked==1)"
try finds growth safety FAULT_FLOOR_PASSED ">=1)"
try finds growth safety FAULT_ASKED_BACK_FIRST ">=seen)"
try finds growth liveness FAULT_STRETCH_INFLATED "acceptance cycle"
try finds growth liveness FAULT_NOT_WOKEN "acceptance cycle"

try finds xen safety FAULT_COUNT_IGNORED "(balloon==xens)"
try finds xen safety FAULT_PARTIAL_FREED "((xens&extent)=="
try finds xen safety FAULT_BLOCK_NOT_WHOLE "((xens&extent)=="
try finds xen safety FAULT_TAIL_FORGOTTEN "==31)"
try finds xen safety FAULT_NO_PAUSE "!(paused)"
try finds xen liveness FAULT_NO_FALLBACK "acceptance cycle"
try finds xen liveness FAULT_GIVES_UP "acceptance cycle"

try finds vmware safety FAULT_REFUSED_ARRIVES "|refused)&hosts)==0)"
try finds vmware safety FAULT_KEPT_FREED "|refused)&hosts)==0)"
try finds vmware safety FAULT_FREED_BEFORE_UNLOCK "==3)"
try finds vmware safety FAULT_BALLOON_KEPT "((hosts&batch)=="
try finds vmware safety FAULT_NOT_STARTED "!(told)"
try finds vmware liveness FAULT_POLLED_ONCE "acceptance cycle"
try finds vmware liveness FAULT_SET_ASIDE_FOR_EVER "acceptance cycle"

try finds hyperv safety FAULT_FREED_WITH_THE_CHANNEL "&hosts)==0)"
try finds hyperv safety FAULT_TAKEN_BACK_UNSEEN "==3)"
try finds hyperv safety FAULT_OWED_OVERWRITTEN "(kind==head)"
try finds hyperv safety FAULT_GIVEN_WITHOUT_ROOM "invalid end state"
try finds hyperv safety FAULT_ROOM_NOT_ASKED_FOR "invalid end state"
try finds hyperv safety FAULT_UNMASKED_LATE "invalid end state"

try finds xenstore safety FAULT_ASKED_TWICE "!(asked)"
try finds xenstore liveness FAULT_NO_LOOK "acceptance cycle"
try finds xenstore liveness FAULT_CLEARED_LATE "acceptance cycle"
try finds xenstore liveness FAULT_EVENT_WHILE_READING "acceptance cycle"
try finds xenstore liveness FAULT_WATCHED_LATE "acceptance cycle"

if [ $failed -gt 0 ]; then
	echo "model: $failed of $tried searches FAILED" >&2
	exit 1
fi
echo "model: $tried searches, each as it should be"
