# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
#
# For scripts that unpack packages below a folder: qemu_next.sh, tests/xen/fetch.sh,
# tests/witness/fetch.sh and tests/nested/fetch.sh.

# own_folder FOLDER: makes it, if need be, and has it alone until the end, with the empty place
# $work for what is not yet whole. Sets $folder, its absolute name.
own_folder()
{
	mkdir -p "$1"
	folder=$(cd "$1" && pwd)
	exec 9>"$folder/lock"
	flock 9
	work=$folder/work
	# A script that was killed has left its own.
	rm -rf "$work"
	trap 'rm -rf "$work"' EXIT
}
