# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2154
#
# For scripts that unpack packages of what apt on this machine has, and install nothing, and for
# those that pack what was unpacked. cannot TEXT is the script's own: it says why, and ends.
# download and unpack work in $work below $folder, both tools/own_folder.sh's.

# depends PACKAGE PATTERN: the first package that it depends on with such a name.
depends()
{
	apt-cache show --no-all-versions "$1" 2>/dev/null |
		sed -n 's/^Depends: //p' | tr -d ' ' | tr ',' '\n' | sed 's/(.*//' | grep -m 1 "$2"
}

# download SECONDS PACKAGE...: into $work/packages.
download()
{
	time=$1
	shift
	for tool in apt-get apt-cache dpkg-deb; do
		command -v "$tool" >/dev/null || cannot "this system has no $tool"
	done
	mkdir -p "$work/packages" || cannot "nothing can be written to $folder"
	status=0
	(cd "$work/packages" && timeout "$time" apt-get -qq download "$@") >"$work/log" 2>&1 </dev/null ||
		status=$?
	[ $status -ne 124 ] || cannot "apt-get download has not ended after $time s"
	[ $status -eq 0 ] || cannot "$(grep -m 1 '^E: ' "$work/log" || echo 'apt-get download fails')"
}

# unpack FOLDER [PATTERN...]: all that was downloaded, or only what is like a pattern.
unpack()
{
	to=$1
	shift
	mkdir -p "$to"
	for package in "$work"/packages/*.deb; do
		dpkg-deb --fsys-tarfile "$package" |
			tar -x -C "$to" --wildcards "$@" 2>"$work/log"
		# What one package does not have, another has.
	done
	rm -rf "$work/packages"
}

# cloud_linux SECONDS MODULE...: Debian's Linux for clouds with these modules, and busybox, below
# $work/root. Sets $linux, its package's name.
cloud_linux()
{
	linux=$(depends linux-image-cloud-amd64 '^linux-image-[0-9]') ||
		cannot "apt knows no linux-image-cloud-amd64; apt-get update may help"
	download "$1" "$linux" busybox-static
	shift
	for module; do
		set -- "$@" "*/$module.ko*"
		shift
	done
	unpack "$work/root" './boot/vmlinuz-*' './bin/busybox' './usr/bin/busybox' "$@"
}

# copy_busybox FROM FOLDER: that of busybox-static, which lies in either place.
copy_busybox()
{
	cp "$1"/bin/busybox "$2" 2>/dev/null || cp "$1"/usr/bin/busybox "$2" ||
		cannot "busybox-static has no busybox"
}

# copy_module FROM NAME FOLDER: of Linux, unpacked.
copy_module()
{
	file=$(find "$1" -name "$2.ko*" | head -n 1)
	case $file in
	*.ko) cp "$file" "$3" ;;
	*.ko.xz) xz -dc "$file" >"$3/$2.ko" ;;
	*) cannot "Linux's package has no $2" ;;
	esac
}

# copy_libraries LIST FOLDER: those that ld.so found, which has printed LIST when it was asked to.
copy_libraries()
{
	missing=$(sed -n 's/^[ 	]*\(.*\) => not found$/\1/p' "$1" | sort -u | tr '\n' ' ')
	[ -z "$missing" ] || cannot "neither its packages nor this machine have $missing"
	sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' "$1" | sort -u | while read -r library; do
		cp -L "$library" "$2"
	done
}

# print_initramfs FOLDER: as Linux takes it. As it is: to unpack one costs an emulated processor more
# than to read it.
print_initramfs()
{
	(cd "$1" && find . | bin/busybox cpio -o -H newc 2>/dev/null)
}
