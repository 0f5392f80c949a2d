#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2016,SC2086 # $virsh is a list of words
#
# Aerostat under libvirt, without rights: defines a guest for qemu:///session,
# takes memory by `virsh setmem`, shows what libvirt and the guest say, saves,
# restores, reboots and ends it; then has one grow and shrink, where libvirt knows
# virtio-mem. Ends with 0 only if all figures agreed. Called by `make virsh-demo`;
# started by root it goes on as the user nobody.
#
#	BUILD=build tools/libvirt/demo.sh

set -eu
BUILD=${BUILD:-build}
NAME=aerostat-demo-$$

die()
{
	echo "virsh-demo: $*" >&2
	exit 1
}

# ---- as root: a folder for nobody, and on as nobody ----

if [ "$(id -u)" -eq 0 ]; then
	folder=$(mktemp -d)
	trap 'rm -rf "$folder"' EXIT
	mkdir "$folder/home" "$folder/run" "$folder/build"
	cp -r "$BUILD/aerostat.elf" "$BUILD/libvirt" "$folder/build/"
	mkdir -p "$folder/tools/libvirt"
	cp "$0" "${0%/*}/aerostat.xml.in" "$folder/tools/libvirt/"
	chown -R nobody "$folder"
	chmod 755 "$folder"
	chmod 700 "$folder/run"
	cd "$folder"
	setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups \
		env -i PATH="$PATH" HOME="$folder/home" XDG_RUNTIME_DIR="$folder/run" \
		QEMU="${QEMU:-}" BUILD=build tools/libvirt/demo.sh
	exit
fi

# ---- libvirt ----

command -v virsh >/dev/null || die "virsh is not there: install libvirt-clients"
# libvirt knows no deadlines.
virsh="timeout 60 virsh -q -c qemu:///session"
XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-$HOME/.cache}
export XDG_RUNTIME_DIR
qemu=$(command -v "${QEMU:-qemu-system-x86_64}") || die "no QEMU: install qemu-system-x86"
case $(pwd)$BUILD in
*[\|\&\<\>\'\"]*) die "$(pwd): the path has characters that XML or sed would take for their own" ;;
esac
case $BUILD in
/*) kernel=$BUILD/aerostat.elf ;;
*) kernel=$(pwd)/$BUILD/aerostat.elf ;;
esac
[ -r "$kernel" ] || die "$kernel is missing: run make first"

state=$(mktemp -d)
cleanup()
{
	$virsh destroy "$NAME" >/dev/null 2>&1 || :
	$virsh undefine "$NAME" >/dev/null 2>&1 || :
	rm -rf "$state"
}
trap cleanup EXIT

show()
{
	echo "\$ $*" | sed "s|$NAME|aerostat|g; s|$state|/tmp|g; s|$virsh|virsh|g; s|$BUILD/libvirt/||g"
	"$@" | sed "s|$NAME|aerostat|g; s|$state|/tmp|g"
}

# stat NAME: one figure of dommemstat, in KiB.
stat()
{
	$virsh dommemstat "$NAME" | sed -n "s/^$1 //p"
}

# wait_for WHAT VALUE COMMAND...: what the command prints; half a minute is much for a balloon.
wait_for()
{
	what=$1 value=$2 tries=0
	shift 2
	until [ "$("$@")" = "$value" ]; do
		tries=$((tries + 1))
		[ $tries -lt 300 ] || die "waited for $what: $* is $("$@"), not $value"
		sleep 0.1
	done
}

# wait_for_statistics: the guest sends none before its driver runs.
wait_for_statistics()
{
	tries=0
	until [ -n "$(stat unused)" ]; do
		tries=$((tries + 1))
		[ $tries -lt 300 ] || die "the guest sends no statistics"
		sleep 0.1
	done
}

# guest LINE: types a line at the guest's console and shows what it says for a moment.
guest()
{
	pty=$($virsh ttyconsole "$NAME")
	echo "aerostat> $1"
	timeout 2 cat "$pty" >"$state/said" &
	timeout 10 sh -c 'printf "%s\r" "$1" >"$2"' sh "$1" "$pty"
	wait
	tr -d '\r' <"$state/said" | sed '1d; /^aerostat> *$/d'
}

sed "s|@NAME@|$NAME|; s|@KERNEL@|$kernel|; s|@CMDLINE@||; s|@QEMU@|$qemu|" \
	"${0%/*}/aerostat.xml.in" >"$state/aerostat.xml"

show $virsh define "$state/aerostat.xml"
show $virsh start "$NAME"
wait_for "the guest" 1048576 stat actual
wait_for_statistics
total=$(stat available)

show $virsh setmem "$NAME" 768M --live
# setmem ends when the target was sent; nobody but the balloon says that it was reached.
wait_for "the balloon" 786432 stat actual
wait_for "the statistics" $((total - 262144)) stat available
show $virsh dommemstat "$NAME"
show $virsh domstats --balloon "$NAME"
show "$BUILD/libvirt/balloonctl" -g "libvirt:///session#$NAME" status
guest show_mem | sed -n '/^aerostat>/p; /^MemTotal/p; /^Balloon/p; /^Ledger/p' | tee "$state/show_mem"
grep -q 'InflatedTotal:262144kB InflatedFree:0kB' "$state/show_mem" ||
	die "the guest does not say that 262144 kB are in its balloon"
grep -q '^Ledger: ok' "$state/show_mem" || die "the guest's ledger is not ok"

show $virsh save "$NAME" "$state/saved"
show $virsh restore "$state/saved"
wait_for "the restored balloon" 786432 stat actual
show $virsh setmem "$NAME" 1G --live
wait_for "the balloon to be empty" 1048576 stat actual
# The power button. A press is lost while the guest starts, so it is pressed until it is
# obeyed; for a reboot libvirt resets the guest when that has turned itself off.
timeout 60 $virsh event --domain "$NAME" --event reboot >"$state/event" &
waiter=$!
show $virsh reboot "$NAME" --mode acpi
while kill -0 $waiter 2>/dev/null; do
	sleep 1
	$virsh reboot "$NAME" --mode acpi >/dev/null || :
done
wait $waiter || die "the guest did not obey the power button: no reboot"
show $virsh shutdown "$NAME" --mode acpi
tries=0
until [ "$($virsh domstate "$NAME")" = "shut off" ]; do
	tries=$((tries + 1))
	[ $tries -lt 60 ] || die "the guest did not obey the power button: no shutdown"
	sleep 1
	$virsh shutdown "$NAME" --mode acpi >/dev/null 2>&1 || :
done
show $virsh undefine "$NAME"

# ---- Memory that grows ----

# The same guest with 2 GiB that may come, which libvirt wants to belong to a NUMA node.
sed "s|<memory unit='MiB'>1024</memory>|<maxMemory slots='16' unit='MiB'>20480</maxMemory>\n  &|
	s|<cpu mode='maximum'/>|<cpu mode='maximum'><numa>\n    <cell id='0' cpus='0' memory='1024' unit='MiB'/>\n  </numa></cpu>|
	s|<memballoon .*|<memory model='virtio-mem'>\n      <target>\n        <size unit='MiB'>2048</size>\n        <node>0</node>\n        <block unit='MiB'>2</block>\n        <requested unit='MiB'>0</requested>\n      </target>\n      <alias name='ua-mem0'/>\n    </memory>\n    &|" \
	"$state/aerostat.xml" >"$state/growing.xml"

# plugged: what libvirt says that the guest has of it, in KiB.
plugged()
{
	$virsh dumpxml "$NAME" | sed -n "s|.*<current unit='KiB'>\([0-9]*\)</current>.*|\1|p"
}

# check_lsmem SIZE: the guest must have so much of it, all of which could leave.
check_lsmem()
{
	guest lsmem | tee "$state/lsmem"
	grep -q "virtio-mem .*  *$1  *$1  *$1$" "$state/lsmem" ||
		die "the guest does not say that $1 are plugged, and could leave"
}

if ! $virsh define "$state/growing.xml" >"$state/define" 2>&1; then
	echo "virsh-demo: memory that grows is left out, as libvirt $(virsh --version) refuses it:"
	tail -n 1 "$state/define"
else
	show $virsh start "$NAME"
	wait_for_statistics
	show $virsh update-memory-device "$NAME" --alias ua-mem0 --requested-size 1GiB
	wait_for "memory to be plugged" 1048576 plugged
	check_lsmem 1G
	show "$BUILD/libvirt/balloonctl" -g "libvirt:///session#$NAME" grow 512M --wait
	check_lsmem 1536M
	show $virsh update-memory-device "$NAME" --alias ua-mem0 --requested-size 0
	wait_for "memory to be unplugged" 0 plugged
	check_lsmem 0
	show $virsh destroy "$NAME"
	show $virsh undefine "$NAME"
fi
echo "libvirt, QEMU and the guest agreed each time."
