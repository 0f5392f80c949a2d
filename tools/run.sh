#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Starts QEMU with the guest: the one place that knows QEMU's command line
# for people (`make run`, `make run-uefi`, `make demo`). Run it with --help.
# It checks what it is given, finds a name for the QMP socket that no living
# guest has, and gives back the guest's own exit status. QEMU never outlives it,
# but for a kill -9.

set -u
set -f		# EXTRA is split into words, never expanded to file names

usage()
{
	cat <<'END'
usage: [NAME=value ...] tools/run.sh [--quiet | --demo | --print]
  --quiet  for scripts: print only what the guest's commands print
  --demo   show the balloon at work without a person (tools/demo.c)
  --print  print QEMU's arguments, one a line, and start nothing
Environment:
  MEM       memory of the guest, 16M to 32T: 1G (the default), 1.5G, 64MiB,
            or bytes
  GROW      memory that may come later, up to 15T, in blocks of 2 MiB (default:
            none): a virtio-mem device, mem0, with nothing in it at the start,
            and 16 empty slots for DIMMs of 16G in all; not on microvm; up to
            2T beside any MEM, 4T beside 17M, 9T beside 33M, more beside 65M
  SWAP      size of a disk for swap (default: none); what is written there is
            in an unnamed file in TMPDIR, and goes with the guest
  COURSE    a file of `balloonctl record`, which the guest's `stress course`
            plays; not with UEFI or HYPERVISOR
  MACHINE   pc, q35 or microvm (default q35)
  FIRMWARE  default, qboot or uefi
  APPEND    the kernel's command line, as in APPEND='run="show_mem; exit 0"';
            4000 bytes at most
  BALLOON   properties of the balloon device, as in deflate-on-oom=on,
            or none for no device, as it is by default with HYPERVISOR=vmware
            and hyperv
  HYPERVISOR  plain, vmware, hyperv or xen: starts the small hypervisor for
            tests, and the guest inside it (default: none); only with ACCEL=tcg,
            from 16M on, without UEFI; xen from 17M to 1G; GROW with plain alone
  ACCEL     kvm or tcg (default: kvm where it is sure to work)
  QEMU      the program (default qemu-system-x86_64)
  EXTRA     further arguments for QEMU, separated by blanks; its devices come
            before the balloon, so that BALLOON=bus=rp finds such a bus
  NAME      of the guest and its QMP socket (default aerostat)
  BUILD     where the built guest lies (default: build, beside tools)
  TIMEOUT   seconds after which the machine is ended
At a terminal you are left at the guest's console. Else the lines of standard
input are typed there, and at the end of them it is told `exit`: so run="..."
comes to its end first, and the status tells whether all went well.
With --quiet a terminal is not read.
Exit status: the guest's own (`exit N`), 0 after poweroff, 121 if the hypervisor
died, 124 after TIMEOUT, 125 if QEMU could not start, or --quiet could not write
all that the guest has said; 126 if the guest ended without a sign of life; 128
and its number after a signal.
END
}

die()
{
	echo "run.sh: $*" >&2
	exit 125
}

# ---- what we are asked for ----

MODE=run
case ${1-} in
'') ;;
--demo) MODE=demo ;;
--print) MODE=print ;;
--quiet) MODE=quiet ;;
--help | -h) usage; exit 0 ;;
*) die "$1 is no option: --quiet, --demo, --print and --help are; what the guest" \
	"is to run goes into APPEND='run=\"show_mem; exit 0\"'" ;;
esac
[ $# -lt 2 ] || die "$2 is one argument too many: there is one option at most"

# A tree can be used from any folder; in its own, names stay short.
ROOT=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
if [ -z "${BUILD-}" ]; then
	BUILD=$ROOT/build
	[ "$ROOT" != "$(pwd -P)" ] || BUILD=build
fi

MEM=${MEM:-1G}
GROW=${GROW-}
SWAP=${SWAP-}
COURSE=${COURSE-}
MACHINE=${MACHINE:-q35}
FIRMWARE=${FIRMWARE:-default}
APPEND=${APPEND-}
BALLOON=${BALLOON-}
HYPERVISOR=${HYPERVISOR-}
QEMU=${QEMU:-qemu-system-x86_64}
EXTRA=${EXTRA-}
NAME=${NAME:-aerostat}
TIMEOUT=${TIMEOUT-}

MEM_MAX=$((32 << 40))
GROW_MAX=$((15 << 40))	# the guest takes 16T in one piece, slots and all
SLOTS=16
SLOTS_GIBI=16		# in all
APPEND_MAX=4000

# Sets SCALE to the bytes of the unit in $1, of none: 1.
choose_scale()
{
	case $1 in
	'') SCALE=1 ;;
	[kK] | [kK]B | [kK]iB) SCALE=$((1 << 10)) ;;
	[mM] | [mM]B | [mM]iB) SCALE=$((1 << 20)) ;;
	[gG] | [gG]B | [gG]iB) SCALE=$((1 << 30)) ;;
	[tT] | [tT]B | [tT]iB) SCALE=$((1 << 40)) ;;
	*) return 1 ;;
	esac
}

# Sets WHOLE and, of a number with a point, MILLIONTHS to the digits in $1.
read_number()
{
	WHOLE=${1%%.*}
	MILLIONTHS=
	case $1 in
	*.*)
		MILLIONTHS=${1#*.}
		[ ${#MILLIONTHS} -le 15 ] || return 1
		case $MILLIONTHS in '' | *[!0-9]*) return 1 ;; esac
		# Much less than a page, even of a TiB.
		MILLIONTHS=$(printf '%.6s' "${MILLIONTHS}000000")
		;;
	esac
	case $WHOLE in '' | *[!0-9]* | ????????????????*) return 1 ;; esac
	# Leading zeros would make an octal number.
	WHOLE=${WHOLE#"${WHOLE%%[!0]*}"}
	MILLIONTHS=${MILLIONTHS#"${MILLIONTHS%%[!0]*}"}
}

# Sets BYTES to the size that the variable $1 has as $2, or to more than MEM_MAX.
read_size()
{
	number=${2%%[!0-9.]*}
	unit=${2#"$number"}
	if ! choose_scale "$unit" || ! read_number "$number" ||
	   { [ "$SCALE" -eq 1 ] && [ "$number" != "${number%.*}" ]; }; then
		die "$1=$2 is no size: write 256M, 1.5G, 64MiB or bytes"
	fi
	if [ "${WHOLE:-0}" -gt $((MEM_MAX / SCALE)) ]; then
		BYTES=$((MEM_MAX + 1))
	else
		BYTES=$((${WHOLE:-0} * SCALE + ${MILLIONTHS:-0} * SCALE / 1000000))
	fi
}

# Sets SIZE, for QEMU, MEBI, the number of MiB in it, rounded down, and GIBI, rounded up.
check_mem()
{
	read_size MEM "$MEM"
	if [ $BYTES -lt $((1 << 20)) ] || [ $BYTES -gt $MEM_MAX ]; then
		die "MEM=$MEM is out of range: 1M to 32T can be tried" \
			"(a plain number is bytes)"
	fi
	MEBI=$((BYTES >> 20))
	GIBI=$(((BYTES + (1 << 30) - 1) >> 30))
	case $MEM in
	*[!0-9kKmMgGtT]* | *[0-9]) SIZE=$(((BYTES + 4095) / 4096 * 4096)) ;;
	*) SIZE=$MEM ;;
	esac
}

# The books of what may come, 2 MiB for 1T, lie in one piece of memory, whose size is a
# power of two. Measured: beside the firmware there is such a piece where there is more
# than twice as much memory.
check_books()
{
	least=0
	[ $GROW_MEBI -le $((2 << 20)) ] || least=17
	[ $GROW_MEBI -le $((4 << 20)) ] || least=33
	[ $GROW_MEBI -le $((9 << 20)) ] || least=65
	if [ $least -eq 65 ] && [ "$FIRMWARE" = uefi ]; then
		least=96
	fi
	[ "$MEBI" -ge $least ] ||
		die "GROW=$GROW is more than a guest of $MEM has room for in its books:" \
			"write MEM=${least}M"
}

# Sets GROW_MEBI, 0 of none. A virtio-mem device has whole blocks, which QEMU makes as
# large as the huge pages of the host's processor.
check_grow()
{
	GROW_MEBI=0
	[ -n "$GROW" ] || return 0
	[ "$MACHINE" != microvm ] ||
		die "GROW=$GROW: a microvm has no virtio-mem: take MACHINE=q35 or pc"
	read_size GROW "$GROW"
	if [ $BYTES -eq 0 ] || [ $BYTES -gt $GROW_MAX ]; then
		die "GROW=$GROW is out of range: 2M to 15T may come later" \
			"(a plain number is bytes)"
	fi
	GROW_MEBI=$((BYTES >> 21 << 1))
	if [ $((GROW_MEBI << 20)) -ne $BYTES ]; then
		less=
		[ $GROW_MEBI -eq 0 ] || less="${GROW_MEBI}M or "
		die "GROW=$GROW is no number of whole blocks, which have 2 MiB:" \
			"write $less$((GROW_MEBI + 2))M"
	fi
	check_books
}

# Sets SWAP_BYTES, 0 of none, and has the guest use the disk.
check_swap()
{
	SWAP_BYTES=0
	[ -n "$SWAP" ] || return 0
	read_size SWAP "$SWAP"
	if [ $BYTES -lt 8192 ] || [ $BYTES -gt $GROW_MAX ]; then
		die "SWAP=$SWAP is out of range: 8K to 15T"
	fi
	SWAP_BYTES=$((BYTES & ~4095))
	APPEND="swap=swap${APPEND:+ $APPEND}"
}

check_course()
{
	[ -n "$COURSE" ] || return 0
	need_file "$COURSE" "COURSE names a file that balloonctl record wrote"
	# QEMU maps it, and of an empty one tells the guest nothing.
	if [ ! -f "$COURSE" ] || [ ! -s "$COURSE" ]; then
		die "COURSE=$COURSE is no file with anything in it: name one that balloonctl" \
			"record wrote"
	fi
	[ -z "$HYPERVISOR" ] ||
		die "COURSE=$COURSE: with HYPERVISOR=$HYPERVISOR the guest itself is what" \
			"QEMU loads so: take HYPERVISOR="
	case $FIRMWARE in
	uefi) die "COURSE=$COURSE: UEFI loads no file beside the guest: take FIRMWARE=default" ;;
	esac
}

check_append()
{
	length=$(printf %s "$APPEND" | wc -c)
	[ "$length" -le $APPEND_MAX ] ||
		die "APPEND=$(printf '%.40s' "$APPEND")... has $length bytes:" \
			"$APPEND_MAX are the most that arrive by every way"
}

check_timeout()
{
	case $TIMEOUT in
	'') ;;
	*[!0-9.]* | *.*.* | .* | *. | 0 | 0.0 | ??????????*)
		die "TIMEOUT=$TIMEOUT is no number of seconds: write 60" ;;
	esac
}

check_words()
{
	case $MACHINE in
	pc | q35 | microvm) ;;
	*) die "MACHINE=$MACHINE is not supported: take pc, q35 or microvm" ;;
	esac
	case $FIRMWARE in
	default | qboot | uefi) ;;
	*) die "FIRMWARE=$FIRMWARE is unknown: take default, qboot or uefi" ;;
	esac
	[ "$MACHINE $FIRMWARE" != 'microvm uefi' ] ||
		die "MACHINE=microvm starts without UEFI: take FIRMWARE=default"
	case $NAME in
	'' | -* | *[!A-Za-z0-9_.-]*)
		die "NAME=$NAME: letters, digits and _ . - only" ;;
	esac
	command -v -- "$QEMU" >/dev/null ||
		die "QEMU=$QEMU is not there: install qemu-system-x86 or set QEMU="
}

# Whether the balloon is a hypervisor's, of which QEMU knows nothing.
is_hypervisors()
{
	case $HYPERVISOR in
	vmware | hyperv) [ "$BALLOON" = none ] ;;
	*) false ;;
	esac
}

# Whether balloonctl has one to set.
has_balloon()
{
	[ "$BALLOON" != none ] || is_hypervisors
}

check_hypervisor()
{
	least=16
	case $HYPERVISOR in
	'') return ;;
	plain) ;;
	xen) least=17 ;;	# its store and what it knows of frames take 400 KiB more
	# What is shown is the hypervisor's own; with BALLOON= virtio's is beside it.
	vmware | hyperv) BALLOON=${BALLOON:-none} ;;
	*) die "HYPERVISOR=$HYPERVISOR is unknown: take plain, vmware, hyperv or xen, or" \
		"nothing for none" ;;
	esac
	[ "$FIRMWARE" != uefi ] ||
		die "HYPERVISOR=$HYPERVISOR loads the guest by PVH, never by UEFI: take" \
			"FIRMWARE=default or qboot"
	[ "$HYPERVISOR" != xen ] || [ "$MEBI" -le 1024 ] ||
		die "MEM=$MEM is too much for HYPERVISOR=xen: 1G is the most"
	# Under 16M QEMU would put the guest's file over the hypervisor.
	[ "$MEBI" -ge $least ] ||
		die "MEM=$MEM is too little for HYPERVISOR=$HYPERVISOR: ${least}M is the least"
	if [ $MODE = demo ] && is_hypervisors; then
		die "the demo moves QEMU's balloon device, and HYPERVISOR=$HYPERVISOR has none:" \
			"start it at a terminal, or with APPEND=, and set a target by balloonctl"
	fi
	# It would take that memory for none of the guest's, and refuse it.
	[ $GROW_MEBI -eq 0 ] || [ "$HYPERVISOR" = plain ] ||
		die "GROW=$GROW: HYPERVISOR=$HYPERVISOR does not know what virtio-mem brings:" \
			"only plain goes with it"
	ACCEL=${ACCEL:-tcg}
	case $ACCEL in
	kvm | kvm,*) die "HYPERVISOR=$HYPERVISOR runs on TCG's processor: take ACCEL=tcg" ;;
	esac
}

# /dev/kvm alone says little: it can open and still not run a kernel.
choose_accel()
{
	if [ -z "${ACCEL-}" ]; then
		ACCEL=tcg
		if [ -w /dev/kvm ] &&
		   grep -qwE 'vmx|svm' /proc/cpuinfo 2>/dev/null; then
			ACCEL=kvm
		fi
	fi
	case $ACCEL in
	kvm | kvm,* | tcg | tcg,*) ;;
	*) die "ACCEL=$ACCEL is unknown: take kvm or tcg" ;;
	esac
}

need_file()
{
	[ -r "$1" ] || die "$1 is missing: $2"
}

# Prints the first of the files that is there.
first_file()
{
	for file; do
		[ -r "$file" ] && echo "$file" && return
	done
	die "no OVMF firmware at $1: install the package ovmf"
}

# QEMU's option parser takes a comma as a separator unless it is doubled.
comma_safe()
{
	printf '%s\n' "$1" | sed 's/,/,,/g'
}

# ---- a folder for the socket, and a name in it ----

make_folder()
{
	uid=$(id -u)
	DIR=${XDG_RUNTIME_DIR:-/tmp}/aerostat-$uid
	[ -d "${DIR%/*}" ] || DIR=/tmp/aerostat-$uid
	mkdir -m 700 "$DIR" 2>/dev/null
	# A socket in somebody else's folder is somebody else's to replace.
	if [ ! -d "$DIR" ] || [ -L "$DIR" ]; then
		die "$DIR is not a folder"
	fi
	[ "$(stat -c %u "$DIR")" = "$uid" ] ||
		die "$DIR belongs to somebody else; set XDG_RUNTIME_DIR"
	chmod 700 "$DIR" || die "cannot make $DIR private"
}

# The lock is held by this shell and by QEMU, through file descriptor 9: a
# name is free again when both have ended, however they did. Whoever ends in
# good order removes the file; one that was waiting for it sees that, and makes
# another.
choose_name()
{
	name=$NAME
	n=1
	while :; do
		LOCK=$DIR/$name.lock
		exec 9>"$LOCK" || die "cannot write to $DIR"
		if ! flock -n 9; then
			n=$((n + 1))
			name=$NAME-$n
		elif [ "$(stat -Lc %i /proc/self/fd/9)" = \
				"$(stat -c %i "$LOCK" 2>/dev/null)" ]; then
			break
		fi
	done
	SOCKET=$DIR/$name.qmp
	[ ${#SOCKET} -le 107 ] ||
		die "$SOCKET is too long for a socket: set a shorter NAME"
	rm -f "$SOCKET"
}

# ---- QEMU's arguments ----

# One word for firmware and way of loading.
boot_way()
{
	case $FIRMWARE in
	uefi)
		if [ -n "$APPEND" ]; then
			echo uefi-kernel
		else
			echo uefi-disk
		fi ;;
	*) echo "$FIRMWARE" ;;
	esac
}

check_mem
# Less, and the firmware never gets to start anything, nor says so.
if [ "$FIRMWARE" = uefi ] && [ "$MEBI" -lt 64 ]; then
	die "MEM=$MEM is too little for UEFI firmware: 64M is the least"
fi
check_words
check_grow
check_swap
check_course
check_append
check_timeout
check_hypervisor
choose_accel

# The hypervisor's control block lies in the machine's memory, and balloonctl reaches it there:
# this name says so, and a memfd is a file of QEMU's own, which leaves nothing behind.
RAM=ram
memory=memory-backend-ram,id=$RAM
if [ -n "$HYPERVISOR" ]; then
	RAM=hypervisor-ram
	memory=memory-backend-memfd,id=$RAM,share=on
fi

CPU=max
# 40 bits of address, the default of TCG, end at 1 TiB.
[ $((MEBI + GROW_MEBI)) -le $((900 * 1024)) ] || CPU=max,phys-bits=46

set -- "$QEMU" -nodefaults -no-user-config -display none \
	-name "$NAME" -accel "$ACCEL" -cpu "$CPU" \
	-machine "$MACHINE,memory-backend=$RAM" \
	-object "$memory,size=$SIZE,reserve=off" \
	-device isa-debug-exit,iobase=0xf4,iosize=4

case $(boot_way) in
default | qboot)
	need_file "$BUILD/aerostat.elf" "run make first"
	if [ -z "$HYPERVISOR" ]; then
		set -- "$@" -kernel "$BUILD/aerostat.elf" -append "$APPEND"
		[ -z "$COURSE" ] || set -- "$@" -initrd "$COURSE"
	else
		# It loads its -initrd. What it is to be it reads where the guest does not look;
		# it says something only when it dies.
		need_file "$BUILD/hypervisor.elf" "run make build/hypervisor.elf first"
		set -- "$@" -kernel "$BUILD/hypervisor.elf" \
			-initrd "$BUILD/aerostat.elf" -append "$APPEND" \
			-fw_cfg "name=opt/aerostat/hypervisor,string=$HYPERVISOR" \
			-chardev file,id=hypervisor,path=/dev/stderr,append=on \
			-device isa-debugcon,iobase=0xe9,chardev=hypervisor
	fi
	[ "$FIRMWARE" = default ] || set -- "$@" -bios qboot.rom
	;;
uefi-kernel)
	# Only this way does a command line reach the loader.
	need_file "$BUILD/aerostat.efi" "run make first"
	ovmf=$(first_file /usr/share/ovmf/OVMF.fd /usr/share/qemu/OVMF.fd) ||
		exit 125
	set -- "$@" -bios "$ovmf" -kernel "$BUILD/aerostat.efi" \
		-append "$APPEND"
	;;
uefi-disk)
	need_file "$BUILD/esp.img" "run make first"
	code=$(first_file /usr/share/OVMF/OVMF_CODE_4M.fd \
		/usr/share/OVMF/OVMF_CODE.fd) || exit 125
	vars=$(first_file "$(echo "$code" | sed s/_CODE/_VARS/)") || exit 125
	# snapshot=on: nothing is ever written to either, so that every start
	# finds fresh variables (those of a pc would mislead a q35).
	set -- "$@" \
	    -drive "if=pflash,unit=0,format=raw,readonly=on,file=$code" \
	    -drive "if=pflash,unit=1,format=raw,snapshot=on,file=$vars" \
	    -drive "if=ide,format=raw,snapshot=on,file=$(comma_safe "$BUILD/esp.img")"
	;;
esac

# Whole GiB, which QEMU wants to be whole pages.
if [ $GROW_MEBI -ne 0 ]; then
	most=$((GIBI + (GROW_MEBI + 1023) / 1024 + SLOTS_GIBI))
	set -- "$@" -m "slots=$SLOTS,maxmem=${most}G" \
		-object "memory-backend-ram,id=grow,size=${GROW_MEBI}M,reserve=off"
fi

# shellcheck disable=SC2086 # words are what EXTRA is for
set -- "$@" $EXTRA

# A microvm has no PCI, but places for virtio devices in memory.
device=virtio-balloon-pci
[ "$MACHINE" != microvm ] || device=virtio-balloon-device
case $BALLOON in
none) ;;
'') set -- "$@" -device "$device,id=balloon0" ;;
*) set -- "$@" -device "$device,id=balloon0,$BALLOON" ;;
esac
[ $GROW_MEBI -eq 0 ] ||
	set -- "$@" -device virtio-mem-pci,id=mem0,memdev=grow,requested-size=0

# Nothing, and above it a file of QEMU's own, without a name: nothing is left behind.
[ $SWAP_BYTES -eq 0 ] ||
	set -- "$@" -drive "if=none,id=swap,driver=null-co,size=$SWAP_BYTES,read-zeroes=on,snapshot=on" \
		-device "virtio-blk-${device#virtio-balloon-},drive=swap,serial=swap,id=swap-disk"

if [ $MODE = print ]; then
	printf '%s\n' "$@"
	exit 0
fi

if [ $MODE = demo ]; then
	need_file "$BUILD/tools/demo" "run make first"
	exec "$BUILD/tools/demo" "$@"
fi

# ---- What a person is told ----

# Prints a line that executes commands, each an argument, without balloonctl. socat reads
# best, but only perl-base is on every Debian.
raw_line()
{
	if command -v socat >/dev/null; then
		dialogue="socat -t1 - UNIX-CONNECT:$SOCKET"
	else
		dialogue="perl -MIO::Socket::UNIX -e '\$s = IO::Socket::UNIX->new(shift) or die \$!; print \$s <STDIN>; \$s->flush; shutdown \$s, 1; print <\$s>' $SOCKET"
	fi
	printf '%s ' "printf '%s\\n'" "'{\"execute\":\"qmp_capabilities\"}'"
	for command; do
		printf '%s ' "'{\"execute\":$command}'"
	done
	printf '%s\n' "| $dialogue"
}

# A line for balloonctl, as far as it is there, or else QMP's commands for the same.
print_line()
{
	balloonctl=$BUILD/tools/balloonctl
	arguments=$1
	shift
	if [ -x "$balloonctl" ]; then
		echo "$(readlink -f "$balloonctl") -g $SOCKET $arguments"
	elif is_hypervisors; then
		echo "balloonctl -g $SOCKET $arguments (\`make tools\` builds it)"
	else
		raw_line "$@"
	fi
}

print_how_to()
{
	left=$((MEBI * 3 / 4))
	echo "QEMU: $MACHINE, $MEM${GROW:+ and up to $GROW more}, $ACCEL, firmware $FIRMWARE${HYPERVISOR:+, hypervisor $HYPERVISOR}${SWAP:+, swap $SWAP}"
	echo "QMP:  $SOCKET"
	if has_balloon; then
		echo "A line to copy, which leaves the guest $left MiB:"
		print_line "set ${left}M --wait" \
			"\"balloon\",\"arguments\":{\"value\":$((MEBI * 768 * 1024))}" \
			'"query-balloon"'
	fi
	if [ -n "$GROW" ]; then
		echo "And one by which it grows by all that may come, $GROW_MEBI MiB:"
		print_line "grow ${GROW_MEBI}M --wait" \
			"\"qom-set\",\"arguments\":{\"path\":\"mem0\",\"property\":\"requested-size\",\"value\":$((GROW_MEBI << 20))}" \
			'"query-memory-devices"'
	fi
	[ $INTERACTIVE = yes ] || return 0
	there="balloon $left"
	has_balloon || there="no balloon"
	! is_hypervisors || there="not the balloon, which is balloonctl's"
	there="$there${GROW:+, qom-set mem0 requested-size ${GROW_MEBI}M}"
	printf '%s\n' "Keys: Ctrl-A C monitor and back (there: $there)" \
		"      Ctrl-A B then m: show_mem at any time; Ctrl-A X leaves"
}

# ---- Helpers that run beside QEMU; TERM ends them, and what they wait for ----

# A TERM from before the trap is lost: who sends it makes the file first.
begin_helper()
{
	exec 9>&-
	: &			# so that $! is ours
	wait $!
	trap 'kill $! 2>/dev/null; exit 0' TERM
	trap '' INT HUP
	[ ! -e "$TEMP/end" ] || exit 0
}

# Runs a command and waits for it, so that a signal need not.
wait_for()
{
	"$@" &
	wait $!
}

# How many there were so far; each line of input makes one.
count_prompts()
{
	grep -ac '^aerostat> ' "$TEMP/log" 2>/dev/null
}

# Waits for so many. A guest that was reset may owe some for ever.
wait_for_prompts()
{
	silence=0
	now=$(count_prompts)
	while [ "${now:-0}" -lt "$1" ] && [ $silence -lt 600 ]; do
		before=$now
		wait_for sleep 0.1
		now=$(count_prompts)
		silence=$((silence + 1))
		[ "$now" = "$before" ] || silence=0
	done
}

# The guest keeps 16384 bytes that are typed ahead, and loses what comes after them.
type_lines()
{
	lines=$(count_prompts)
	ahead=0
	while IFS= read -r line <&3 || [ -n "$line" ]; do
		printf '%s\r' "$line"
		lines=$((lines + 1))
		ahead=$((ahead + ${#line} + 1))
		if [ $ahead -gt 2000 ]; then
			wait_for_prompts $lines
			ahead=0
		fi
	done
}

# What comes before the guest listens would be lost. At the end it is told to go, and
# told again, as nobody knows whether a guest that was reset has heard it.
feed()
{
	begin_helper
	until grep -aq '^aerostat> ' "$TEMP/log" 2>/dev/null; do
		wait_for sleep 0.1
	done
	if [ $MODE = run ] || [ ! -t 3 ]; then
		type_lines
	fi
	while :; do
		printf 'exit\r'
		wait_for sleep 2
	done
}

watch_time()
{
	begin_helper
	wait_for sleep "$TIMEOUT"
	: >"$TEMP/late"
	kill -TERM "$qemu"
	wait_for sleep 5
	kill -KILL "$qemu"
}

# What the guest's commands print: no firmware, no log of the boot, no prompts, not what
# was typed at them, not its last words. What is wrong goes to standard error. (A prompt that
# is shown again below a line of the log has a blank before it, and a backspace.)
commands_only()
{
	sed -un 's/\r//g
		s/^ \x08//
		/^warning: /{ w /dev/stderr
			d; }
		/^exit: status 1, as this failed: /{ w /dev/stderr
			d; }
		/^aerostat> /{ h; d; }
		x; /./!{ x; d; }
		x
		/^# exit [0-9]*$/d
		p'
}

# ---- Run ----

# What the guest says is looked for in a file, and would never be found on a full disk.
check_room()
{
	head -c 65536 /dev/zero 2>/dev/null >"$TEMP/room" ||
		die "no room for a log of 64 KiB in $DIR: make some, or set XDG_RUNTIME_DIR"
	rm "$TEMP/room"
}

# shellcheck disable=SC2317 # a trap calls it
pass_on()
{
	signal=$1
	[ -z "$qemu" ] || kill -s "$1" "$qemu" 2>/dev/null
}

# shellcheck disable=SC2317 # a trap calls it
clean_up()
{
	[ -z "$terminal" ] || stty "$terminal" <&3
	[ -z "$TEMP" ] || rm -rf "$TEMP"
	rm -f "$SOCKET" "$LOCK"
}

# $1 to the end: QEMU. Sets `qemu`.
start()
{
	if [ $INTERACTIVE = yes ]; then
		terminal=$(stty -g <&3)
		"$@" <&3 2>"$TEMP/err" &
		qemu=$!
		return
	fi
	mkfifo "$TEMP/in" "$TEMP/out" || die "cannot write to $TEMP"
	# Open at both ends, so that nobody waits for the other to open it.
	exec 8<>"$TEMP/in"
	if [ $MODE = quiet ]; then
		(exec 8>&- 9>&-; commands_only <"$TEMP/out") &
		filter=$!
		"$@" <&8 >"$TEMP/out" 2>"$TEMP/err" &
	else
		"$@" <&8 2>"$TEMP/err" &
	fi
	qemu=$!
	feed >"$TEMP/in" &
	helpers="$helpers $!"
}

# Sets `status` to QEMU's; a signal interrupts a `wait`, and is no status.
wait_for_qemu()
{
	while :; do
		wait "$qemu"
		status=$?
		kill -0 "$qemu" 2>/dev/null || break
	done
}

# That nobody reads on (SIGPIPE) is the reader's own choice.
end_helpers()
{
	: >"$TEMP/end"
	for helper in $helpers; do
		kill "$helper" 2>/dev/null
		wait "$helper"
	done
	[ -z "$filter" ] || wait "$filter" || [ $? -eq 141 ] || unwritten=yes
}

# Prints the number of the signal that ended QEMU in good order; it says 0 then.
signal_of_qemu()
{
	sed -n 's/.*: terminating on signal \([0-9]*\).*/\1/p' "$TEMP/err" | head -n 1
}

# QEMU's own failure to start is status 1 as well as the guest's `exit 0`,
# ((0 << 1) | 1); only the former comes with a complaint on stderr.
has_complaint()
{
	grep "^[^ ]*${QEMU##*/}: " "$TEMP/err" | grep -qv ': warning: '
}

# A machine that resets before the kernel runs, with -no-reboot, ends as well as one that
# did what it was asked.
has_lived()
{
	grep -aq 'Aerostat .* booted by ' "$TEMP/log" 2>/dev/null
}

check_life()
{
	has_lived && return
	echo "run.sh: the guest ended without a sign of life: its kernel never ran" >&2
	exit 126
}

# Where nothing takes a status, the guest's last line has it.
status_of_last_line()
{
	tail -c 256 "$TEMP/log" 2>/dev/null | tr -d '\r' |
		sed -n '/./{ h; }; ${ x; s/^# exit \([0-9]\{1,3\}\)$/\1/p; }'
}

end()
{
	cat "$TEMP/err" >&2
	if [ -e "$TEMP/late" ]; then
		late=
		has_lived || late=", without a word of its kernel on the console"
		echo "run.sh: ended after TIMEOUT=$TIMEOUT seconds$late" >&2
		exit 124
	fi
	case $signal in
	HUP) exit 129 ;;
	INT) exit 130 ;;
	TERM) exit 143 ;;
	esac
	if [ "$status" -eq 1 ] && has_complaint; then
		exit 125
	fi
	if [ "$status" -eq 0 ]; then
		number=$(signal_of_qemu)
		[ -z "$number" ] || exit $((128 + number))
		number=$(status_of_last_line)
		status=${number:-0}
	elif [ $((status & 1)) -eq 1 ]; then
		# A signal that kills QEMU can look the same (137 as the guest's
		# 68), but never as success.
		status=$((status >> 1))
	fi
	[ "$status" -ne 0 ] || check_life
	if [ -n "$unwritten" ] && [ "$status" -eq 0 ]; then
		echo "run.sh: cannot write all that the guest has said" >&2
		exit 125
	fi
	exit "$status"
}

# Standard input, which may be closed, as 3.
if (exec 3<&0) 2>/dev/null; then
	exec 3<&0
else
	exec 3</dev/null
fi
INTERACTIVE=no
if [ $MODE = run ] && [ -t 3 ]; then
	INTERACTIVE=yes
fi
qemu='' signal='' terminal='' filter='' helpers='' status='' unwritten='' TEMP=''

make_folder
choose_name
trap clean_up EXIT
trap 'pass_on HUP' HUP
trap 'pass_on INT' INT
trap 'pass_on TERM' TERM
trap 'exit 141' PIPE		# of our own lines; or else nothing is cleaned up
TEMP=$(mktemp -d "$DIR/$name.XXXXXX") || die "cannot write to $DIR"
check_room

[ $MODE = quiet ] || print_how_to
chardev="stdio,id=con,logfile=$(comma_safe "$TEMP/log")"
set -- "$@" -qmp "unix:$(comma_safe "$SOCKET"),server=on,wait=off" \
	-serial chardev:con
if [ $INTERACTIVE = yes ]; then
	start "$@" -chardev "$chardev,mux=on,signal=off" \
		-mon chardev=con,mode=readline
else
	start "$@" -chardev "$chardev"
fi
# A signal that came before there was a QEMU.
[ -z "$signal" ] || kill -s "$signal" "$qemu"
if [ -n "$TIMEOUT" ]; then
	watch_time &
	helpers="$helpers $!"
fi
wait_for_qemu
end_helpers
if [ $MODE = quiet ] && [ -s "$TEMP/log" ] &&
   ! grep -aq '^aerostat> ' "$TEMP/log"; then
	echo "run.sh: the guest has not come to its prompt; it said last:" >&2
	tail -n 20 "$TEMP/log" >&2
fi
end
