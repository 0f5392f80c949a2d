#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# balloonctl's Debian package: what `make install` puts is in it, its program runs, it
# names what it needs, and made twice it is the same. lintian has its say in `make deb`.
#
#	tests/release/deb.sh BUILD

set -eu
build=$1
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
unset MAKEFLAGS MAKELEVEL MFLAGS DESTDIR PREFIX
package=$(echo "$build"/balloonctl_*.deb)

die()
{
	echo "deb: $*"
	exit 1
}

cp "$package" "$room/first.deb"
make -s PACKAGES=no BUILD="$build" deb >"$room/log" 2>&1 || { cat "$room/log"; exit 1; }
cmp "$room/first.deb" "$package" || die "made twice, it is not the same"

make -s PACKAGES=no BUILD="$build" DESTDIR="$room/installed" PREFIX=/usr install >/dev/null
dpkg-deb -x "$package" "$room/unpacked"
# The guest's page stays away, man1 is compressed, zsh's folder is Debian's.
(cd "$room/installed" && find . -type f ! -path '*/man7/*' | sed 's,\(man1/.*\),\1.gz,
	s,site-functions,vendor-completions,' | sort) >"$room/wanted"
(cd "$room/unpacked" && find . -type f ! -name copyright ! -name changelog.gz | sort) |
	diff "$room/wanted" - || die "it does not hold what make install puts"
[ "$("$room/unpacked/usr/bin/balloonctl" --version)" = \
	"balloonctl $(dpkg-deb -f "$package" Version)" ] || die "its version is another one"
for library in libc6 libjson-c libelf1 libmicrohttpd libncursesw6; do
	dpkg-deb -f "$package" Depends | grep -q "$library" || die "it does not ask for $library"
done
for file in copyright changelog.gz; do
	[ -s "$room/unpacked/usr/share/doc/balloonctl/$file" ] || die "it has no $file"
done
echo "deb: $package holds what make install puts, and is the same twice"
