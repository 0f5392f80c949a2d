#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Makes a host with KVM and with a QEMU that plays Hyper-V's dynamic memory, out of Debian's Linux
# for clouds and of a QEMU that tools/qemu_next.sh has unpacked; nothing is installed:
#
#	tests/nested/fetch.sh FOLDER QEMU
#
# FOLDER/linux is the kernel, FOLDER/root what its initramfs has, without the guest, and
# FOLDER/version says which Linux it is. What is there already is left as it is. Exit status: 0, or
# 1 with a line that says why it cannot be had.

set -u
export LC_ALL=C
TIME=300 # seconds for the packages, 30 MB
MODULES='irqbypass kvm kvm-amd'
FIRMWARE='bios-256k.bin kvmvapic.bin pvh.bin'

if [ $# -ne 2 ]; then
	echo "usage: tests/nested/fetch.sh FOLDER QEMU" >&2
	exit 2
fi
# As its ld.so prints the libraries' names.
qemu=$(cd "$(dirname "$2")/root" && pwd) || exit 1
# shellcheck source=tools/own_folder.sh
. tools/own_folder.sh
# shellcheck source=tests/unpack.sh
. tests/unpack.sh
own_folder "$1"

cannot()
{
	echo "no nested KVM: $*"
	exit 1
}

# With all libraries that it names, and its own ld.so, as it is of a later suite.
copy_qemu()
{
	loader=usr/lib64/ld-linux-x86-64.so.2
	cp "$qemu/usr/bin/qemu-system-x86_64" "$root/bin/" || cannot "QEMU's packages have no program"
	cp -L "$qemu/$loader" "$root/lib64/" || cannot "QEMU's packages have no ld.so"
	"$qemu/$loader" --inhibit-cache --library-path "$qemu/usr/lib/x86_64-linux-gnu" --list \
		"$root/bin/qemu-system-x86_64" >"$work/list" 2>&1
	copy_libraries "$work/list" "$root/libraries"
	for name in $FIRMWARE; do
		cp -L "$qemu/usr/share/qemu/$name" "$root/firmware/" 2>/dev/null ||
			cp -L "$qemu/usr/share/seabios/$name" "$root/firmware/" 2>/dev/null ||
			cannot "QEMU's packages have no $name"
	done
}

[ ! -e "$folder/root" ] || exit 0
# shellcheck disable=SC2086 # a list of words
cloud_linux $TIME $MODULES
root=$work/initramfs
for name in bin dev proc sys lib64 libraries firmware modules; do
	mkdir -p "$root/$name"
done
copy_busybox "$work/root" "$root/bin"
for module in $MODULES; do
	copy_module "$work/root" "$module" "$root/modules"
done
copy_qemu
cp "$work"/root/boot/vmlinuz-* "$folder/linux" || cannot "Linux's package has no kernel"
echo "$linux" | sed 's/^linux-image-//' >"$folder/version"
# It comes last: it tells that all is there.
mv "$root" "$folder/root" || cannot "it cannot be put into $folder"
