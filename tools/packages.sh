#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Installs the Debian packages that a part of the build needs and that are not
# there:
#
#	tools/packages.sh SET
#
# Says what and why first. What cannot be done ends in one line that says what
# to do by hand.

set -eu

die()
{
	echo "packages.sh: $*" >&2
	exit 1
}

case ${1-} in
kernel) why="to compile the kernel" packages="gcc binutils xz-utils newlib-source" ;;
clang) why="to compile with clang" packages="clang" ;;
uefi) why="to make the UEFI image" packages="gnu-efi mtools" ;;
qemu) why="to run it" packages="qemu-system-x86" ;;
firmware) why="to run it by UEFI" packages="ovmf" ;;
host) why="to compile programs for the host" packages="gcc libc6-dev libjson-c-dev" ;;
tools) why="for balloonctl" packages="libncurses-dev libmicrohttpd-dev libelf-dev" ;;
test) why="to test it" packages="libcmocka-dev" ;;
witness) why="to unpack a Linux to test with" packages="lz4 zstd xz-utils" ;;
coverage) why="to see what its tests cover" packages="gcovr" ;;
fuzz) why="to fuzz it" packages="clang libclang-rt-dev" ;;
bench) why="to measure it beside Linux" packages="cpio" ;;
libvirt-headers) why="for balloonctl with libvirt" packages="libvirt-dev" ;;
libvirt)
	why="to run it under libvirt"
	packages="libvirt-clients libvirt-daemon libvirt-daemon-driver-qemu"
	;;
debian) why="to try it on a fresh Debian" packages="mmdebstrap uidmap" ;;
dist) why="to pack a release" packages="mtools xorriso xz-utils" ;;
deb) why="to make a Debian package" packages="dpkg-dev lintian" ;;
release) why="to test releases" packages="faketime" ;;
shell) why="to check scripts and manual pages" packages="shellcheck mandoc zsh fish" ;;
model) why="to check the model of the protocol" packages="gcc libc6-dev spin" ;;
*)
	sets=$(sed -n 's/^\([a-z-]*\)).*/\1/p' "$0" | tr '\n' ' ')
	die "'${1-}' is no set of packages; there are: $sets"
	;;
esac

missing=
for package in $packages; do
	status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
	[ "$status" = "install ok installed" ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
echo "Needed $why, and not installed:$missing"

# ---- Can we? ----

command -v apt-get >/dev/null ||
	die "this system has no apt-get: install by hand what these Debian packages" \
		"hold, then use PACKAGES=no:$missing"
sudo=
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null ||
		die "neither root nor sudo; as root, run: apt-get install$missing"
	sudo=sudo
fi

# ---- Install ----

log=$(mktemp)
trap 'rm -f "$log"' EXIT

install()
{
	# $missing is a list of words.
	# shellcheck disable=SC2086
	DEBIAN_FRONTEND=noninteractive $sudo ${sudo:+env DEBIAN_FRONTEND=noninteractive} \
		apt-get install -y -qq --no-install-recommends $missing >"$log" 2>&1
}

# Lists of packages that are old, or none, may name what is gone, or nothing.
echo "Installing with apt-get:$missing"
install && exit
$sudo apt-get update -qq >"$log" 2>&1 || :
install && exit
die "apt-get install$missing fails: $(grep '^E: ' "$log" | head -n 1); mend that, or" \
	"install them by hand and use PACKAGES=no"
