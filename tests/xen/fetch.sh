#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Unpacks Debian's Xen below a folder and installs nothing (the hypervisor's package, once
# installed, would be what the machine boots):
#
#	tests/xen/fetch.sh FOLDER hypervisor	FOLDER/hypervisor: Xen itself
#	tests/xen/fetch.sh FOLDER dom0		FOLDER/dom0: Linux, xl, xenstored and what
#						they need; the hypervisor, too
#
# From the mirror that apt on this machine has, of the suite that it has, the versions that
# apt-cache tells. What is there already is left as it is. FOLDER/version is Xen's version.
# Exit status: 0, or 1 with a line that says why it cannot be had.

set -u
export LC_ALL=C

# Seconds for the packages: the hypervisor's is a few MB, and `make test` waits for it where a
# network swallows what it is sent; dom0's are 76 MB.
HYPERVISOR_TIME=60
DOM0_TIME=300

if [ $# -ne 2 ]; then
	echo "usage: tests/xen/fetch.sh FOLDER hypervisor|dom0" >&2
	exit 2
fi
# shellcheck source=tools/own_folder.sh
. tools/own_folder.sh
# shellcheck source=tests/unpack.sh
. tests/unpack.sh
own_folder "$1"
set=$2

cannot()
{
	echo "no Xen: $*"
	exit 1
}

# ---- What apt has ----

# libraries PACKAGE...: those of Xen's own that they need.
libraries()
{
	apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
		--no-replaces --no-enhances "$@" 2>/dev/null |
		grep -E '^lib(xen|yajl|fdt)[^:]*$' | sort -u
}

# ---- The sets ----

# Packed it is of no use to a boot loader that looks for its header, as QEMU does.
fetch_hypervisor()
{
	package=$(depends xen-system-amd64 '^xen-hypervisor-[0-9.]*-amd64$') ||
		cannot "apt knows no xen-system-amd64; apt-get update may help"
	download $HYPERVISOR_TIME "$package"
	unpack "$work/hypervisor" './boot/xen-*.gz'
	gunzip -c "$work"/hypervisor/boot/xen-*-amd64.gz >"$work/xen" ||
		cannot "$package has no hypervisor that can be unpacked"
	echo "$package" | sed 's/.*-\([0-9.]*\)-.*/\1/' >"$folder/version"
	mv "$work/xen" "$folder/hypervisor" || cannot "it cannot be put into $folder"
}

fetch_dom0()
{
	utils=$(depends xen-system-amd64 '^xen-utils-[0-9]') ||
		cannot "apt knows no xen-system-amd64; apt-get update may help"
	linux=$(depends linux-image-amd64 '^linux-image-[0-9]') ||
		cannot "apt knows no linux-image-amd64"
	# shellcheck disable=SC2046 # a list of words
	download $DOM0_TIME "$utils" "$linux" xenstore-utils busybox-static \
		$(libraries "$utils" xenstore-utils)
	unpack "$work/root" './boot/vmlinuz-*' './lib/modules/*/kernel/drivers/xen/*' \
		'./usr/lib/modules/*/kernel/drivers/xen/*' './usr/lib/x86_64-linux-gnu/*' \
		'./lib/x86_64-linux-gnu/*' './usr/lib/xen-*/*' './usr/bin/xenstore*' './bin/busybox' \
		'./usr/bin/busybox'
	mv "$work/root" "$folder/dom0" || cannot "it cannot be put into $folder"
}

[ -e "$folder/hypervisor" ] || fetch_hypervisor
case $set in
hypervisor) ;;
dom0) [ -e "$folder/dom0" ] || fetch_dom0 ;;
*) cannot "'$set' is no set of packages" ;;
esac
