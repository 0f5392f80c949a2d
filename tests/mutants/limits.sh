# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC3045 # dash has these limits
#
# How a program that may do anything is run: for run.sh and see.sh.

# run_limited PROGRAM CPU WALL OUTPUT: its status. CPU and WALL are seconds. The program
# gets no more memory than is usual (8 GiB, addresses that are only reserved aside), writes
# no file above 64 MiB, and finds the tree in the working directory, which is the caller's.
run_limited()
{
	# With sanitizers addresses are no measure of memory.
	(
		ulimit -t "$2"
		ulimit -f 131072
		ulimit -c 0
		[ -n "${SANITIZERS:-}" ] || ulimit -d 8388608
		ASAN_OPTIONS=hard_rss_limit_mb=4096 \
			exec timeout -s KILL "$3" "$1" > "$4" 2>&1 < /dev/null
	) 2>/dev/null
}

# make_room FOLDER: a working directory from which the tree's files are found.
make_room()
{
	mkdir -p "$1"
	for top in arch docs drivers kernel mm tests tools Makefile README.md; do
		ln -sfn "$PWD/$top" "$1/$top"
	done
}
