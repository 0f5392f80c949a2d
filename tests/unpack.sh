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
