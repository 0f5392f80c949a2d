#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Starts QEMU with the guest: the one place that knows QEMU's command line
# for people (`make run`, `make run-uefi`, `make demo`). Run it with --help.
# It checks what it is given, finds a name for the QMP socket that no living
# guest has, and gives back the guest's own exit status.

set -u
set -f		# EXTRA is split into words, never expanded to file names

usage()
{
	cat <<'END'
usage: [NAME=value ...] tools/run.sh [--demo | --print]
  --demo   show the balloon at work without a person (tools/demo.c)
  --print  print QEMU's arguments, one a line, and start nothing
Environment:
  MEM       memory of the guest, 16M to 32T (default 1G)
  MACHINE   pc, q35 or microvm (default q35)
  FIRMWARE  default, qboot or uefi
  APPEND    the kernel's command line, as in APPEND='run="show_mem; exit 0"'
  BALLOON   properties of the balloon device, as in deflate-on-oom=on,
            or none for no device
  ACCEL     kvm or tcg (default: kvm where it is sure to work)
  QEMU      the program (default qemu-system-x86_64)
  EXTRA     further arguments for QEMU, separated by blanks
  NAME      of the guest and its QMP socket (default aerostat)
  BUILD     where the built guest lies (default build)
Exit status: the guest's own (`exit N`), 0 after poweroff, 125 if QEMU could
not start.
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
--help | -h) usage; exit 0 ;;
*) usage >&2; exit 125 ;;
esac

MEM=${MEM:-1G}
MACHINE=${MACHINE:-q35}
FIRMWARE=${FIRMWARE:-default}
APPEND=${APPEND-}
BALLOON=${BALLOON-}
QEMU=${QEMU:-qemu-system-x86_64}
EXTRA=${EXTRA-}
NAME=${NAME:-aerostat}
BUILD=${BUILD:-build}

# Sets MEBI to the number of MiB in $MEM, rounded down.
check_mem()
{
	number=${MEM%[kKmMgGtT]}
	case $number in
	'' | *[!0-9]* | 0* | ??????????*)
		die "MEM=$MEM is no size: write 256M, 1G or 1T" ;;
	esac
	case $MEM in
	*[kK]) MEBI=$((number / 1024)) ;;
	*[mM]) MEBI=$number ;;
	*[gG]) MEBI=$((number * 1024)) ;;
	*[tT]) MEBI=$((number * 1024 * 1024)) ;;
	*) die "MEM=$MEM has no unit: write ${MEM}M or ${MEM}G" ;;
	esac
	if [ "$MEBI" -lt 1 ] || [ "$MEBI" -gt $((32 * 1024 * 1024)) ]; then
		die "MEM=$MEM is out of range: 1M to 32T can be tried"
	fi
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
# name is free again when both have ended, however they did.
choose_name()
{
	name=$NAME
	n=1
	while :; do
		exec 9>"$DIR/$name.lock" || die "cannot write to $DIR"
		flock -n 9 && break
		n=$((n + 1))
		name=$NAME-$n
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
choose_accel

CPU=max
# 40 bits of address, the default of TCG, end at 1 TiB.
[ "$MEBI" -le $((900 * 1024)) ] || CPU=max,phys-bits=46

set -- "$QEMU" -nodefaults -no-user-config -display none \
	-name "$NAME" -accel "$ACCEL" -cpu "$CPU" \
	-machine "$MACHINE,memory-backend=ram" \
	-object "memory-backend-ram,id=ram,size=$MEM,reserve=off" \
	-device isa-debug-exit,iobase=0xf4,iosize=4

case $(boot_way) in
default | qboot)
	need_file "$BUILD/aerostat.elf" "run make first"
	set -- "$@" -kernel "$BUILD/aerostat.elf" -append "$APPEND"
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

# A microvm has no PCI, but places for virtio devices in memory.
device=virtio-balloon-pci
[ "$MACHINE" != microvm ] || device=virtio-balloon-device
case $BALLOON in
none) ;;
'') set -- "$@" -device "$device,id=balloon0" ;;
*) set -- "$@" -device "$device,id=balloon0,$BALLOON" ;;
esac

# shellcheck disable=SC2086 # words are what EXTRA is for
set -- "$@" $EXTRA

# ---- run ----

if [ $MODE = print ]; then
	printf '%s\n' "$@"
	exit 0
fi

if [ $MODE = demo ]; then
	need_file "$BUILD/tools/demo" "run make first"
	exec "$BUILD/tools/demo" "$@"
fi

make_folder
choose_name

# socat reads best, but only perl-base is on every Debian.
if command -v socat >/dev/null; then
	dialogue="socat -t1 - UNIX-CONNECT:$SOCKET"
else
	dialogue="perl -MIO::Socket::UNIX -e '\$s = IO::Socket::UNIX->new(shift) or die \$!; print \$s <STDIN>; \$s->flush; shutdown \$s, 1; print <\$s>' $SOCKET"
fi
left=$((MEBI * 768 * 1024))
cat <<END
QEMU: $MACHINE, $MEM, $ACCEL, firmware $FIRMWARE
QMP:  $SOCKET
      A line to copy; its value is the number of bytes LEFT to the guest:
printf '%s\n' '{"execute":"qmp_capabilities"}' '{"execute":"balloon","arguments":{"value":$left}}' '{"execute":"query-balloon"}' | $dialogue
END

set -- "$@" -qmp "unix:$(comma_safe "$SOCKET"),server=on,wait=off"
if [ -t 0 ]; then
	echo "Keys: Ctrl-A C monitor and back (there: balloon $((MEBI * 3 / 4)))," \
		"Ctrl-A B then m: show_mem at any time, Ctrl-A X leaves"
	set -- "$@" -chardev stdio,id=con,mux=on,signal=off \
		-serial chardev:con -mon chardev=con,mode=readline
else
	set -- "$@" -chardev stdio,id=con -serial chardev:con
fi

# QEMU's own failure to start is status 1 as well as the guest's `exit 0`,
# ((0 << 1) | 1); only the former comes with a complaint on stderr.
ERRORS=$DIR/$name.err
trap 'rm -f "$SOCKET" "$ERRORS"' EXIT
trap : INT
"$@" 2>"$ERRORS"
status=$?
cat "$ERRORS" >&2

if [ $status -eq 1 ] && grep -q "^[^ ]*${QEMU##*/}: " "$ERRORS" &&
   grep "^[^ ]*${QEMU##*/}: " "$ERRORS" | grep -qv ': warning: '; then
	exit 125
fi
# A signal that kills QEMU can look the same (137 as the guest's 68), but
# never as success.
[ $((status & 1)) -eq 0 ] || status=$((status >> 1))
exit $status
