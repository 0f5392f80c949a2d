#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Packs dom0's initramfs: what tests/xen/fetch.sh has unpacked, the C library of this
# machine, the scripts beside this one, and files for the folder /guest:
#
#	tests/xen/dom0/pack.sh FOLDER OUT [--linux] FILE...
#
# With --linux: a Linux that can be a guest, too, of the same package, with a shell on its console.
#
# Exit status: 0, or 1 with a line that says what is missing.

set -u
export LC_ALL=C
from=$(cd "$1/dom0" && pwd) || exit 1
out=$2
shift 2
linux=no
[ "$1" != --linux ] || { linux=yes && shift; }
here=$(dirname "$0")
root=$(mktemp -d) && guest=$(mktemp -d) || exit 1
trap 'rm -rf "$root" "$guest"' EXIT

# shellcheck source=tests/unpack.sh
. tests/unpack.sh

cannot()
{
	echo "no dom0: $*"
	exit 1
}

# Modules of Linux that the tools talk to, in the order in which they are loaded.
MODULES='xen-privcmd xenfs xen-evtchn xen-gntdev xen-gntalloc'

# Programs: of Xen's own folder, and others.
TOOLS='xl xenstored xenconsoled xen-init-dom0 xentop'

mkdir -p "$root/bin" "$root/dev" "$root/proc" "$root/sys" "$root/run/xen" "$root/etc/xen" \
	"$root/tmp" "$root/var/lib/xen" "$root/var/lib/xenstored" "$root/var/log/xen" \
	"$root/var/lock" "$root/lib64" "$root/libraries" "$root/modules" "$root/guest"
ln -s ../run "$root/var/run"
: >"$root/etc/xen/xl.conf"

# ---- Programs, and the libraries that they name ----

for tool in $TOOLS; do
	cp "$from"/usr/lib/xen-*/bin/"$tool" "$root/bin/" || cannot "Xen's packages have no $tool"
done
cp "$from/usr/bin/xenstore" "$root/bin/" || cannot "Xen's packages have no xenstore"
for action in read write list; do
	ln -s xenstore "$root/bin/xenstore-$action"
done
copy_busybox "$from" "$root/bin"

own=
for folder in "$from"/usr/lib/x86_64-linux-gnu "$from"/usr/lib/xen-*/lib/x86_64-linux-gnu \
	"$from"/lib/x86_64-linux-gnu; do
	[ ! -d "$folder" ] || own=$own:$folder
done
loader=/lib64/ld-linux-x86-64.so.2
for program in $TOOLS xenstore; do
	$loader --library-path "${own#:}" --list "$root/bin/$program"
done >"$root/list" 2>&1
copy_libraries "$root/list" "$root/libraries"
# Of those that are loaded only later, pthread_cancel() wants one.
cp -L /lib/x86_64-linux-gnu/libgcc_s.so.1 "$root/libraries/"
cp -L $loader "$root/lib64/"
rm "$root/list"

# ---- Modules, scripts, the guest ----

for module in $MODULES; do
	copy_module "$from" "$module" "$root/modules"
done
echo "$MODULES" | tr ' ' '\n' >"$root/modules/order"
cp "$here/init" "$here/common" "$here/steps" "$here/witness" "$root/" || cannot "its scripts are missing"
cp "$@" "$root/guest/" || cannot "a file for the guests is missing"
chmod +x "$root/init"

# pack FOLDER OUT
pack()
{
	print_initramfs "$1" >"$2" || cannot "it cannot be packed"
}

if [ $linux = yes ]; then
	mkdir "$guest/bin" "$guest/dev" "$guest/proc" "$guest/sys"
	cp "$root/bin/busybox" "$guest/bin/"
	cp "$here/guest" "$guest/init"
	chmod +x "$guest/init"
	pack "$guest" "$root/guest/linux.cpio"
	cp "$from"/boot/vmlinuz-* "$root/guest/vmlinuz" || cannot "Linux's package has no kernel"
fi
pack "$root" "$out"
