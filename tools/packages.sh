#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Installs the Debian packages that a target needs and that are not there:
#
#	tools/packages.sh build|run|tools|test|coverage|fuzz|bench|clang|libvirt|model...
#
# Says what and why first. On a system without apt-get it names the packages
# and stops.

set -eu

# What each set is for, and its packages.
why_build="to compile the kernel and the UEFI image"
build="gcc libc6-dev binutils xz-utils newlib-source gnu-efi mtools"
why_run="to run it"
run="qemu-system-x86 ovmf libjson-c-dev"
why_tools="for balloonctl"
tools="libjson-c-dev libncurses-dev libmicrohttpd-dev libelf-dev"
why_test="to test it"
test="libcmocka-dev"
why_coverage="to see what its tests cover"
coverage="gcovr"
why_fuzz="to fuzz it"
fuzz="clang libclang-rt-14-dev"
why_bench="to measure it beside Linux"
bench="cpio"
why_clang="for CC=clang"
clang="clang"
why_libvirt="to run it under libvirt"
libvirt="libvirt-clients libvirt-daemon libvirt-daemon-driver-qemu libvirt-dev"

why_model="to check the model of the protocol"
model="gcc libc6-dev spin"

missing=
for set; do
	case $set in
	build) packages=$build why=$why_build ;;
	run) packages=$run why=$why_run ;;
	tools) packages=$tools why=$why_tools ;;
	test) packages=$test why=$why_test ;;
	coverage) packages=$coverage why=$why_coverage ;;
	fuzz) packages=$fuzz why=$why_fuzz ;;
	bench) packages=$bench why=$why_bench ;;
	clang) packages=$clang why=$why_clang ;;
	libvirt) packages=$libvirt why=$why_libvirt ;;
	model) packages=$model why=$why_model ;;
	*)
		echo "packages.sh: $set is no set; build, run, tools, test, coverage, fuzz, bench," \
			"clang, libvirt and model are" >&2
		exit 2
		;;
	esac
	absent=
	for package in $packages; do
		status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
		[ "$status" = "install ok installed" ] || absent="$absent $package"
	done
	[ -z "$absent" ] || echo "Needed $why, and not installed:$absent"
	missing="$missing$absent"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
	echo "packages.sh: this system has no apt-get; install by hand what these" \
		"Debian packages hold, then use PACKAGES=no:$missing" >&2
	exit 1
fi
sudo=
if [ "$(id -u)" -ne 0 ]; then
	sudo=sudo
	if ! command -v sudo >/dev/null; then
		echo "packages.sh: neither root nor sudo; as root, run:" \
			"apt-get install$missing" >&2
		exit 1
	fi
fi
echo "Installing with apt-get:$missing"
export DEBIAN_FRONTEND=noninteractive
# $missing is a list of words. Old lists of packages may name what is gone.
# shellcheck disable=SC2086
$sudo apt-get update -qq
# shellcheck disable=SC2086
$sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
