#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Unpacks the QEMUs of Debian's later suites below a folder and installs nothing:
#
#	tools/qemu_next.sh FOLDER
#
# From the mirror and with the keyring that apt on this machine has for its own
# suite, each QEMU with all libraries that it needs, the C library too. FOLDER/11
# is QEMU 11's, and FOLDER/11/qemu-system-x86_64 what to give as QEMU=. What is
# there already is left as it is.
#
# FOLDER/summary has a line for each suite: what came of it. Exit status: 0, or 1
# if one cannot be had; a machine whose own QEMU is as late needs no other.

set -eu
export LC_ALL=C

# Which QEMU each of them brings is measured.
SUITES='trixie sid'

# Seconds for a suite's lists, and for its packages.
LISTS_TIME=120
PACKAGES_TIME=300

if [ $# -ne 1 ]; then
	echo "usage: tools/qemu_next.sh FOLDER" >&2
	exit 2
fi
# shellcheck source=tools/own_folder.sh
. "$(dirname "$0")/own_folder.sh"
own_folder "$1"
named=$1

# One line; it ends the subshell that works on a suite, where `set -e` does nothing.
cannot()
{
	echo "$suite: no QEMU: $*"
	exit 1
}

# major PROGRAM: "11", as its --version says; nothing if it says none.
major()
{
	"$1" --version 2>/dev/null | sed -n '1s/^QEMU emulator version \([0-9]*\)\..*/\1/p'
}

# ---- Where apt on this machine has its own suite from ----

# The names that it may have there.
own_suites()
{
	sed -n 's/^VERSION_CODENAME=//p' /etc/os-release
	echo oldstable stable testing unstable sid
}

# The URI in front of "dists/", of the first entry for a suite of the system.
mirror()
{
	apt-get --print-uris update 2>/dev/null >"$work/uris" || return 0
	for name in $(own_suites); do
		sed -n "s,^'\(.*\)/dists/$name/InRelease' .*,\1,p" "$work/uris"
	done | head -n 1
}

# print_trust URI FILE: the lines of a stanza that say what to trust at that URI,
# out of a file of either format.
print_trust()
{
	awk -v uri="$1" '
	/^#/ { next }
	/^deb / && (index($0, " " uri " ") || index($0, " " uri "/ ")) {
		while (match($0, /(signed-by|trusted)=[^] ]*/)) {
			option = substr($0, RSTART, RLENGTH)
			sub(/=/, ": ", option)
			gsub(/,/, " ", option)
			print option
			$0 = substr($0, RSTART + RLENGTH)
		}
		found = 1
		exit
	}
	/^[ \t]*$/ { if (there) exit; kept = "" }
	/^[^ \t]/ { field = tolower($1) }
	field == "uris:" && (index($0 " ", " " uri " ") || index($0 " ", " " uri "/ ")) { there = 1 }
	field == "signed-by:" || field == "trusted:" { kept = kept $0 "\n" }
	END { if (there && !found) printf "%s", kept }' "$2"
}

# ---- An apt of its own ----

# Machine-wide settings, a proxy for one, stay; hooks, preferences and lists do not.
write_configuration()
{
	list=
	parts=
	eval "$(apt-config shell list Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
	{
		# Packages of a file: mirror would not be copied.
		printf 'Types: deb\nURIs: %s\nSuites: %s\n' \
			"$(echo "$uri" | sed 's/^file:/copy:/')" "$suite"
		printf 'Components: main\nTargets: Packages\n'
		for file in "$list" "$parts"/*.sources "$parts"/*.list; do
			[ ! -r "$file" ] || print_trust "$uri" "$file"
		done | awk '!seen[$0]++'
	} >"$work/suite.sources"
	: >"$work/status"
	: >"$work/none"
	mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/none.d"
	cat >"$work/apt.conf" <<-END
	#clear APT::Update;
	#clear APT::Architectures;
	#clear DPkg;
	APT::Architecture "amd64";
	APT::Default-Release "";
	APT::Update::Error-Mode "any";
	APT::Install-Recommends "false";
	Acquire::Retries "1";
	Dir::State "$work";
	Dir::State::lists "lists";
	Dir::State::status "$work/status";
	Dir::Cache "$work/cache";
	Dir::Etc::sourcelist "$work/suite.sources";
	Dir::Etc::sourceparts "$work/none.d";
	Dir::Etc::preferences "$work/none";
	Dir::Etc::preferencesparts "$work/none.d";
	END
}

# apt SECONDS ARGUMENTS: its complaint ends the suite.
apt()
{
	time=$1
	shift
	status=0
	timeout "$time" apt-get -c "$work/apt.conf" -qq -y "$@" </dev/null >"$work/log" 2>&1 ||
		status=$?
	[ $status -ne 124 ] || cannot "apt-get $1 has not ended after $time s"
	[ $status -eq 0 ] ||
		cannot "$(grep '^E: ' "$work/log" | head -n 1 || echo "apt-get $1 fails")"
}

# ---- A suite ----

# Started by its path, so that ${0%/*} is where it lies; by the suite's own ld.so,
# so that QEMU's firmware is where we say, and under a name that its messages show.
write_program()
{
	cat >"$1/qemu-system-x86_64" <<'END'
#!/bin/sh
root=${0%/*}/root
export QEMU_MODULE_DIR="$root/usr/lib/x86_64-linux-gnu/qemu"
exec "$root/usr/lib64/ld-linux-x86-64.so.2" --inhibit-cache \
	--library-path "$root/usr/lib/x86_64-linux-gnu" --argv0 "$0" \
	"$root/usr/bin/qemu-system-x86_64" \
	-L "$root/usr/share/qemu" -L "$root/usr/share/seabios" "$@"
END
	chmod +x "$1/qemu-system-x86_64"
}

# is_known MAJOR: this machine's QEMU is as late, or an earlier suite has brought it.
is_known()
{
	earlier=$(sed -n "s,^\([^:]*\):.* QEMU=.*/$1/[^/]*\$,\1,p" "$folder/summary")
	if [ -n "$own" ] && [ "$1" -le "$own" ]; then
		echo "$suite: skipped: it has QEMU $1, this machine's own is QEMU $own"
	elif [ -n "$earlier" ]; then
		echo "$suite: skipped: it has QEMU $1, and so has $earlier"
	else
		return 1
	fi
}

# The lists are 10 MB; what a later QEMU needs 40.
fetch()
{
	for tool in apt-get apt-cache dpkg-deb; do
		command -v "$tool" >/dev/null || cannot "this system has no $tool"
	done
	uri=$(mirror)
	[ -n "$uri" ] || cannot "apt has no mirror of Debian configured"
	write_configuration
	apt $LISTS_TIME update
	offered=$(apt-cache -c "$work/apt.conf" show --no-all-versions qemu-system-x86 2>/dev/null |
		sed -n 's/^Version: [0-9]*:\([0-9]*\)\..*/\1/p')
	[ -n "$offered" ] || cannot "the suite has no qemu-system-x86"
	! is_known "$offered" || return 0
	apt $PACKAGES_TIME -d install qemu-system-x86
	for package in "$work"/cache/archives/*.deb; do
		dpkg-deb -x "$package" "$work/$suite/root" 2>"$work/log" ||
			cannot "dpkg-deb: $(head -n 1 "$work/log")"
	done
	write_program "$work/$suite"
	[ -n "$(major "$work/$suite/qemu-system-x86_64")" ] ||
		cannot "what was unpacked does not start"
	rm -rf "${folder:?}/$suite"
	mv "$work/$suite" "$folder/$suite" || cannot "it cannot be put into $folder"
}

# Prints a line on what came of $suite.
have_suite()
{
	program=$folder/$suite/qemu-system-x86_64
	if [ ! -x "$program" ]; then
		mkdir -p "$work/$suite/root" || cannot "nothing can be written to $folder"
		fetch
	fi
	# Skipped before it was unpacked.
	[ -x "$program" ] || return 0
	version=$(major "$program")
	[ -n "$version" ] || cannot "$program does not start"
	! is_known "$version" || return 0
	[ "$(readlink "$folder/$version")" = "$suite" ] ||
		ln -sfn "$suite" "$folder/$version" || cannot "nothing can be written to $folder"
	echo "$suite: $("$program" --version |
		sed -n 's/^QEMU emulator version \([^ ]*\).*/QEMU \1/p'):" \
		"QEMU=$named/$version/qemu-system-x86_64"
}

own=$(major qemu-system-x86_64)
result=0
: >"$folder/summary"
for suite in $SUITES; do
	rm -rf "$work"
	(have_suite) >>"$folder/summary" || result=1
done
sed 's/^/qemu-next: /' "$folder/summary"
exit $result
