#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Makes balloonctl's Debian package out of what is built, as `make install` would put
# it, and has lintian look at it:
#
#	tools/deb.sh BUILT VERSION
#
# The package is BUILT/balloonctl_VERSION_ARCHITECTURE.deb.

set -eu
built=$1 version=$2
root=$built/deb/root
export LC_ALL=C
umask 022

die()
{
	echo "deb.sh: $*" >&2
	exit 1
}

: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct 2>/dev/null || true)}"
[ -n "$SOURCE_DATE_EPOCH" ] ||
	die "no git here that could tell the date of the last commit: set SOURCE_DATE_EPOCH"
export SOURCE_DATE_EPOCH
architecture=$(dpkg --print-architecture)
# As Debian's tools have them; without, nobody is meant.
maintainer="${DEBFULLNAME:-Aerostat authors} <${DEBEMAIL:-authors@aerostat.example}>"

# ---- files ----

rm -rf "$built/deb"
mkdir -p "$root/DEBIAN" "$built/deb/debian"
env -u MAKEFLAGS -u MFLAGS make -s BUILD="$built" PACKAGES=no DESTDIR="$root" PREFIX=/usr install \
	>"$built/deb/log"
strip --remove-section=.comment --remove-section=.note "$root/usr/bin/balloonctl"
# The guest's page is the guest's.
rm -r "$root/usr/share/man/man7"
gzip -9n "$root/usr/share/man/man1/balloonctl.1"
# Debian's zsh looks there.
mkdir -p "$root/usr/share/zsh/vendor-completions"
mv "$root/usr/share/zsh/site-functions/_balloonctl" "$root/usr/share/zsh/vendor-completions/"
rmdir "$root/usr/share/zsh/site-functions"

doc=$root/usr/share/doc/balloonctl
{
	echo "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/"
	echo "Upstream-Name: Aerostat"
	echo
	echo "Files: *"
	sed -n 's/^Copyright (c) /Copyright: /p' LICENSE
	echo "License: BSD-2-Clause"
	sed -n '/^Redistribution/,$p' LICENSE | sed 's/^$/./; s/^/ /'
} >"$doc/copyright"
{
	echo "balloonctl ($version) unstable; urgency=medium"
	echo
	echo "  * See https://semver.org for what the numbers mean, and docs/CHANGELOG.md"
	echo "    of the sources for what has changed."
	echo
	echo " -- $maintainer  $(date -u -R -d "@$SOURCE_DATE_EPOCH")"
} >"$built/deb/changelog"
gzip -9nc "$built/deb/changelog" >"$doc/changelog.gz"

# ---- what it depends on, and what it is ----

# dpkg-shlibdeps wants a source package around it.
printf 'Source: balloonctl\n\nPackage: balloonctl\nArchitecture: any\n' \
	>"$built/deb/debian/control"
depends=$(cd "$built/deb" && dpkg-shlibdeps -O root/usr/bin/balloonctl 2>>log) ||
	{ cat "$built/deb/log"; die "dpkg-shlibdeps has failed"; }
cat >"$root/DEBIAN/control" <<END
Package: balloonctl
Version: $version
Architecture: $architecture
Maintainer: $maintainer
Installed-Size: $(du -sk --apparent-size "$root/usr" | cut -f1)
Depends: ${depends#shlibs:Depends=}
Section: admin
Priority: optional
Description: drive and show the memory balloon of virtual machines
 A virtio balloon takes memory from a guest and gives it back. balloonctl sets
 its target and waits for it, with an exit status that tells the truth, shows
 statistics, watches many guests on one screen, records and plots the course,
 and exports metrics for Prometheus.
 .
 It reaches any guest of QEMU by its QMP socket, or by libvirt.
END
(cd "$root" && find usr -type f | sort | xargs md5sum) >"$root/DEBIAN/md5sums"
find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
package=$built/balloonctl_${version}_$architecture.deb
dpkg-deb -Zxz --root-owner-group --build "$root" "$package" >>"$built/deb/log"

# ---- what lintian says ----

# Nobody has asked for it to be in Debian, so it closes no bug.
lintian --allow-root --fail-on error,warning --suppress-tags initial-upload-closes-no-bugs "$package"
echo "$package: lintian finds no fault"
