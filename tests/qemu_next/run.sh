#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# tools/qemu_next.sh with a mirror in a folder, an apt that knows only that one, and
# QEMUs that do no more than to tell a version.

set -u
script=$(cd "$(dirname "$0")/../.." && pwd)/tools/qemu_next.sh
for tool in apt-get dpkg-deb; do
	command -v $tool >/dev/null || { echo "qemu-next test: not run: no $tool"; exit 0; }
done
# A blank in the path is to be no obstacle; nor is a folder that only its owner enters.
tree=$(mktemp -d)/'a b' || exit 2
trap 'rm -rf "${tree%/*}"' EXIT
mkdir "$tree"
cd "$tree" || exit 2
failures=0

# ---- The machine ----

# own_qemu VERSION: what this machine has; without VERSION none.
own_qemu()
{
	mkdir -p bin
	printf '#!/bin/sh\n%s\n' "${1:+echo QEMU emulator version $1}" >bin/qemu-system-x86_64
	chmod +x bin/qemu-system-x86_64
}

# apt's configuration: sources.list, and sources.d/*.sources.
sources()
{
	rm -rf etc
	mkdir -p etc/sources.d
	cat >"etc/$1"
	cat >apt.conf <<-END
	Dir::Etc::sourcelist "$tree/etc/sources.list";
	Dir::Etc::sourceparts "$tree/etc/sources.d";
	APT::Update::Post-Invoke { "touch '$tree/hooked'"; };
	END
}

# ---- The mirror ----

# package NAME VERSION DEPENDS: of the folder of that name; its stanza in the index.
# All that have a name and a version are the same to the bit, as two suites share a pool.
package()
{
	mkdir -p "$1/DEBIAN" mirror/pool
	printf '%s\n' "Package: $1" "Version: $2" 'Architecture: amd64' ${3:+"Depends: $3"} \
		'Maintainer: nobody' 'Description: none' >"$1/DEBIAN/control"
	SOURCE_DATE_EPOCH=1 dpkg-deb --root-owner-group -Znone -b "$1" "mirror/pool/$1_$2.deb" >/dev/null || exit 2
	cat "$1/DEBIAN/control"
	echo "Filename: pool/$1_$2.deb"
	echo "Size: $(stat -c %s "mirror/pool/$1_$2.deb")"
	echo "SHA256: $(sha256sum <"mirror/pool/$1_$2.deb" | cut -d ' ' -f 1)"
	echo
}

# suite NAME VERSION: has this QEMU, which is what the ld.so that starts it says.
suite()
{
	rm -rf qemu-system-x86 libfake
	mkdir -p qemu-system-x86/usr/bin qemu-system-x86/usr/lib64 \
		libfake/usr/lib/x86_64-linux-gnu "mirror/dists/$1/main/binary-amd64"
	echo >libfake/usr/lib/x86_64-linux-gnu/libfake.so
	cat >qemu-system-x86/usr/lib64/ld-linux-x86-64.so.2 <<-END
	#!/bin/sh
	echo "QEMU emulator version $2 (Fake)"
	[ -e "\$3/libfake.so" ] && echo "\$@"
	END
	chmod +x qemu-system-x86/usr/lib64/ld-linux-x86-64.so.2
	{
		package qemu-system-x86 "1:$2+ds-1" libfake
		package libfake 1
	} >"mirror/dists/$1/main/binary-amd64/Packages"
	index=main/binary-amd64/Packages
	(
		cd "mirror/dists/$1" || exit 2
		printf '%s\n' 'Origin: Debian' "Suite: $1" "Codename: $1" 'Components: main' \
			'Architectures: amd64' "Date: $(date -uR)" 'SHA256:' \
			" $(sha256sum <$index | cut -d ' ' -f 1) $(stat -c %s $index) $index" >Release
	)
}

# ---- What must come of it ----

# expect STATUS LINE...: of a run, and nothing else; in a line * stands for anything.
expect()
{
	status=$1
	shift
	wanted=$(printf 'qemu-next: %s\n' "$@")
	said=$(APT_CONFIG=$tree/apt.conf PATH=$tree/bin:$PATH "$script" next 2>&1)
	is=$?
	# shellcheck disable=SC2254 # they are patterns
	case $is.$said in
	$status.$wanted) ;;
	*)
		printf 'status %d and\n%s\nnot %d and\n%s\n' $is "$said" "$status" "$wanted"
		failures=$((failures + 1))
		;;
	esac
}

# must WORDS...: a command that has to succeed.
must()
{
	"$@" && return
	echo "not so: $*"
	failures=$((failures + 1))
}

own_qemu 7.2.22
echo 'deb [trusted=yes] file:/nowhere stable-security main' | sources sources.list
expect 1 'trixie: no QEMU: apt has no mirror of Debian configured' \
	'sid: no QEMU: apt has no mirror of Debian configured'
must test -e next/summary

ln -s "$tree/mirror" "${tree%/*}/mirror"
suite trixie 42.0.1
echo "deb [arch=amd64 trusted=yes] file:${tree%/*}/mirror stable main" | sources sources.list
expect 1 'trixie: QEMU 42.0.1: QEMU=next/42/qemu-system-x86_64' \
	'sid: no QEMU: E: Failed to fetch *No such file*'
must test ! -e hooked
next/42/qemu-system-x86_64 -version | grep -q -- '--argv0 next/42/qemu-system-x86_64 .* -version$'
must test $? -eq 0

# The mirror may be gone; the other format; the newest wins the name.
suite sid 43.1.0
rm -rf mirror/dists/trixie
sources sources.d/debian.sources <<END
# What was here.

Types: deb
URIs: file:/nowhere
Suites: other
Components: main

Types: deb
URIs: file:${tree%/*}/mirror/
Suites: stable stable-updates
Components: main
# yes
Trusted: yes
END
expect 0 'trixie: QEMU 42.0.1: QEMU=next/42/qemu-system-x86_64' \
	'sid: QEMU 43.1.0: QEMU=next/43/qemu-system-x86_64'
must test ! -e next/work

# Nobody's word is taken without a key.
rm -rf next/sid
grep -v Trusted etc/sources.d/debian.sources >untrusted
sources sources.d/debian.sources <untrusted
expect 1 'trixie: QEMU 42.0.1: QEMU=next/42/qemu-system-x86_64' \
	'sid: no QEMU: E: The repository *sid Release* is not signed.'

# As late as this machine's own, or as an earlier suite's: not unpacked.
suite sid 42.9.9
echo "deb [trusted=yes] file:${tree%/*}/mirror stable main" | sources sources.list
expect 0 'trixie: QEMU 42.0.1: QEMU=next/42/qemu-system-x86_64' \
	'sid: skipped: it has QEMU 42, and so has trixie'
own_qemu 42.0.0
expect 0 "trixie: skipped: it has QEMU 42, this machine's own is QEMU 42" \
	"sid: skipped: it has QEMU 42, this machine's own is QEMU 42"
must test ! -e next/sid

# No QEMU at all is none as late; what does not start is none.
own_qemu ''
rm -rf next
suite trixie 42.0.1
suite sid '43.x'
sed -i 's/^echo.*/exit 1/' qemu-system-x86/usr/lib64/ld-linux-x86-64.so.2
package qemu-system-x86 1:43.0+ds-1 >mirror/dists/sid/main/binary-amd64/Packages
(
	cd mirror/dists/sid && index=main/binary-amd64/Packages &&
	sed -i "s,^ .*, $(sha256sum <$index | cut -d ' ' -f 1) $(stat -c %s $index) $index," Release
)
expect 1 'trixie: QEMU 42.0.1: QEMU=next/42/qemu-system-x86_64' \
	'sid: no QEMU: what was unpacked does not start'

[ $failures -eq 0 ] && echo "qemu-next test: ok"
exit $((failures != 0))
