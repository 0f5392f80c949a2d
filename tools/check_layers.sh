#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Includes and calls point one way: down, from floor to floor, and within a
# floor never in a circle: neither of sources that call each other, nor of headers
# that include each other. (A source that includes a header does not thereby depend
# on the one that implements it: what it calls tells.)
#
#   tools/check_layers.sh [ROOT [OBJECTS]]
#
# ROOT is the tree, without it this one; OBJECTS a folder in which each source's
# object has the source's path, without it what `make` has compiled for the guest.
# tests/style/layers.sh plants an offender for each rule.

set -u
export LC_ALL=C
cd "${1:-$(dirname "$0")/..}" || exit 2
objects=${2:-${BUILD:-build}/guest}
bad=0

# The floors, lowest first: those who belong there.
FLOORS='
^kernel/lib/
^arch/
^mm/
^kernel/task/
^drivers/(serial|acpi|pci|pvpanic|xen|hyperv)/
^drivers/virtio/
^drivers/balloon/[^/]*$
^drivers/(balloon/port|mem|block)/
^kernel/
'

# Calls that may go up: caller, symbol, reason.
CALLS_UP='
arch/x86_64/boot_pvh kernel_main the end of booting is the start of the kernel
arch/x86_64/boot_efi kernel_main likewise
'

sources()
{
	find arch drivers kernel mm tools -name '*.[ch]' 2>/dev/null | sort
}

# complain RULE: reads offending lines on standard input; fails if there are any.
complain()
{
	sed "a\\    $1" | grep . && return 1
	return 0
}

# forbid RULE FILES-PATTERN INCLUDES-PATTERN
forbid()
{
	sources | grep -E "$2" | xargs grep -nE "^#include \"($3)" /dev/null |
		complain "$1" || bad=1
}

forbid 'only arch/x86_64 sees arch/x86_64' \
	'^(arch/[a-z_]*\.h|kernel|mm|drivers|tools)' 'arch/x86_64/'
forbid 'drivers/virtio does not know the devices' '^drivers/virtio/' 'drivers/(balloon|mem|block)/'
forbid 'a device driver speaks to virtio, never to PCI' '^drivers/(balloon|mem|block)/' 'drivers/pci'
forbid 'the core of the balloon knows no hypervisor' \
	'^drivers/balloon/[^/]*$' 'drivers/(virtio|pci|balloon/port)'
forbid 'a port sees of the balloon'"'"'s core only balloon_port.h and balloon_stats.h' \
	'^drivers/balloon/port/' 'drivers/balloon/balloon(\.|_[^ps]|_p[^o]|_st[^a]|_sta[^t]|_stat[^s])'
forbid 'the guest does not include host programs' '^(arch|mm|drivers|kernel)/' '(tools|tests)'
forbid 'includes are relative to the root' '.' '[^/"]*"'

sources | grep -E '^(mm|drivers|kernel)/' |
	xargs grep -nE '__asm__|\basm\b *(volatile)? *\(|__x86_64__' /dev/null |
	complain 'assembly and the machine belong into arch/' || bad=1

# mm/frame_map.h says who includes it, and who changes what it shows.
map_readers='^mm/(frame(_blocks|_bulk|_change|_dump|_map|_map_make|_region|_section)?|ledger)\.c$'
sources | grep -vE "$map_readers" | xargs grep -nE '^#include "mm/frame_map.h"' /dev/null |
	complain 'mm/frame_map.h is for the files that it names' || bad=1
sources | grep '^mm/.*c$' | grep -vE '^mm/frame_(map|map_make|section)\.c$' |
	xargs grep -nE 'frame_map\.[][a-z_.]+ *([-+]?=[^=]|\+\+|--)|(bitset_(add|remove|init)|memset).*frame_map' \
	/dev/null | complain 'only the three files that mm/frame_map.h names change the frame map' || bad=1

# A header that host programs include stays free of the guest's machine, and says so.
tool_headers=$(sources | grep -v '^tools/' | grep '\.h$' |
	xargs grep -lzE 'Host([[:space:]]|\*)+programs([[:space:]]|\*)+include' /dev/null)
sources | grep '^tools/' | xargs grep -nE '^#include "(arch|kernel|mm|drivers)/' /dev/null |
	grep -vF "${tool_headers:-none}" |
	complain 'host programs include only headers that say "Host programs include this file"' ||
	bad=1

# One line for each include ("includes FILE HEADER") and for each symbol that an
# object defines or calls ("defines FILE SYMBOL", "calls FILE SYMBOL"). Sources are
# named without their suffix, as objects are; an object without one ("source FILE")
# is left over.
facts()
{
	find arch drivers kernel mm -name '*.[cS]' 2>/dev/null | sed -E 's/^(.*)\.[cS]$/source \1/'
	sources | grep -v '^tools/' | xargs grep -oE '^#include "[^"]+' /dev/null |
		sed -E 's/^(.*):#include "(.*)$/includes \1 \2/; s/\.c / /'
	find "$objects" -name '*.o' -exec nm -A -g {} + |
		awk -v skip=$((${#objects} + 2)) '{
			line = substr($0, skip)
			dot = index(line, ".o:")
			print ($(NF - 1) == "U" ? "calls " : "defines ") substr(line, 1, dot - 1), $NF
		}'
}

[ -n "$(find "$objects" -name '*.o' -print -quit 2>/dev/null)" ] || {
	echo "check_layers: no objects in $objects: run make check-layers"
	exit 2
}

# shellcheck disable=SC2016
facts | awk -v floors="$FLOORS" -v calls_up="$CALLS_UP" '
BEGIN {
	floor_count = split(floors, pattern, "\n")
	count = split(calls_up, lines, "\n")
	for (i = 1; i <= count; i++)
		if (split(lines[i], word, " ") > 1)
			may_call[word[1], word[2]] = 1
}

function floor(file,    i) {
	for (i = 1; i <= floor_count; i++)
		if (pattern[i] != "" && file ~ pattern[i])
			return i
	return floor_count
}

# An arrow from a file to another: up is wrong, and so is a circle of level ones.
function arrow(from, to, how) {
	if (from == to)
		return
	if (floor(to) > floor(from)) {
		print from " " how ", which lies higher: " to
		bad = 1
	} else if (floor(to) == floor(from) && !((from, to) in level))
		level[from, to] = how
}

$1 == "source" { known[$2] = 1 }
$1 == "defines" && $2 in known { definer[$3] = $2 }
$1 == "calls" && $2 in known { caller[++calls] = $2; called[calls] = $3 }
$1 == "includes" { arrow($2, $3, "includes " $3) }

END {
	for (i = 1; i <= calls; i++)
		if (called[i] in definer && !((caller[i], called[i]) in may_call))
			arrow(caller[i], definer[called[i]], "calls " called[i])

	# An arrow that comes from where none ends, or ends where none begins, is in no circle.
	do {
		split("", begins)
		split("", ends)
		for (a in level) {
			split(a, file, SUBSEP)
			begins[file[1]] = ends[file[2]] = 1
		}
		removed = 0
		for (a in level) {
			split(a, file, SUBSEP)
			if (!(file[1] in ends) || !(file[2] in begins)) {
				delete level[a]
				removed = 1
			}
		}
	} while (removed)
	for (a in level) {
		split(a, file, SUBSEP)
		print "in a circle: " file[1] " " level[a] ": " file[2] | "sort"
		bad = 1
	}
	exit bad
}' || bad=1

[ "$bad" -eq 0 ] && echo "layers: ok"
exit "$bad"
