#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Unpacks Debian's Linux for clouds, which has the drivers of VMware's and Hyper-V's balloon, and
# makes of it a guest for tests/hypervisor; nothing is installed:
#
#	tests/witness/fetch.sh FOLDER
#
# FOLDER/guest is the kernel's ELF file with the initramfs behind it, FOLDER/vmbus.aml the device by
# which Linux looks for VMBus, FOLDER/version says which Linux it is. What is there already is left
# as it is. Exit status: 0, or 1 with a line that says why it cannot be had.

set -u
export LC_ALL=C
TIME=300 # seconds for the packages, 30 MB
MODULES='hv_vmbus hv_balloon vmw_vmci vmw_balloon'

if [ $# -ne 1 ]; then
	echo "usage: tests/witness/fetch.sh FOLDER" >&2
	exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/own_folder.sh
. tools/own_folder.sh
# shellcheck source=tests/unpack.sh
. tests/unpack.sh
own_folder "$1"

cannot()
{
	echo "no Linux: $*"
	exit 1
}

# ---- Linux, as it lies in its package ----

fetch()
{
	# shellcheck disable=SC2086 # a list of words
	cloud_linux $TIME $MODULES
	echo "$linux" | sed 's/^linux-image-//' >"$work/version"
}

# number FILE OFFSET BYTES: of a file, little-endian.
number()
{
	od -An -v -t "u$3" -j "$2" -N "$3" "$1" | tr -d ' '
}

# ---- The kernel's ELF file ----

# Where it begins in the bzImage, how long it is, and by what it is packed
# (Documentation/x86/boot.rst).
unpack_kernel()
{
	image=$(echo "$work"/root/boot/vmlinuz-*)
	setup=$(number "$image" 497 1)
	start=$(((setup + 1) * 512 + $(number "$image" 584 4)))
	# The last four bytes say how long it is when it is unpacked.
	length=$(($(number "$image" 588 4) - 4))
	tail -c +$((start + 1)) "$image" | head -c $length >"$work/packed"
	case $(od -An -t x1 -N 4 "$work/packed" | tr -d ' ') in
	02214c18) program=lz4 ;;
	28b52ffd) program=zstd ;;
	fd377a58) program=xz ;;
	*) cannot "its kernel is packed in a way that is not known here" ;;
	esac
	command -v $program >/dev/null || cannot "its kernel is packed by $program, which is not installed"
	$program -dc <"$work/packed" >"$work/kernel" 2>"$work/log" ||
		cannot "$program cannot unpack its kernel"
}

# Behind the file there are relocations; the table of sections is the last thing that is its own.
cut_kernel()
{
	sections=$(number "$work/kernel" 40 8)
	size=$(number "$work/kernel" 58 2)
	end=$((sections + size * $(number "$work/kernel" 60 2)))
	head -c $end "$work/kernel" >"$work/guest"
	# The initramfs begins at the next page.
	truncate -s %4096 "$work/guest"
}

# ---- The initramfs ----

pack()
{
	mkdir -p "$work/initramfs/bin" "$work/initramfs/modules"
	cp "$here/init" "$work/initramfs/init" || cannot "its first program is missing"
	chmod +x "$work/initramfs/init"
	copy_busybox "$work/root" "$work/initramfs/bin"
	for module in $MODULES; do
		copy_module "$work/root" "$module" "$work/initramfs/modules"
	done
	print_initramfs "$work/initramfs" >>"$work/guest" ||
		cannot "the initramfs cannot be packed"
}

# ---- VMBus, as Linux looks for it ----

# Scope (\_SB) { Device (VMBS) { _HID "VMBus", _UID 0, _STA 15, _CRS with an interrupt } }
write_table()
{
	printf '\020\064\\_SB_\133\202\054VMBS\010_HID\015VMBus\000\010_UID\000\010_STA\012\017' \
		>"$work/vmbus.aml"
	printf '\010_CRS\021\010\012\005\042\200\000\171\000' >>"$work/vmbus.aml"
}

[ ! -e "$folder/guest" ] || exit 0
fetch
unpack_kernel
cut_kernel
pack
write_table
# The guest comes last: it tells that all is there.
mv "$work/vmbus.aml" "$work/version" "$folder/" || cannot "it cannot be put into $folder"
mv "$work/guest" "$folder/guest" || cannot "it cannot be put into $folder"
