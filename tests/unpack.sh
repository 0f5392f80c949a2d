# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2154
#
# For scripts that unpack packages below a folder of their own (tools/own_folder.sh), and install
# nothing: what apt on this machine has. $folder and $work are that file's; cannot TEXT is the
# script's own: it says why, and ends.

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
