#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# `make uninstall` removes exactly what `make install` put: in a folder where others have
# files, too, the tree is afterwards what it was before.
#
#	tests/shell/install.sh BUILD

set -eu
build=$1
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
# Neither that of a make that called us, nor its settings.
unset MAKEFLAGS MAKELEVEL MFLAGS DESTDIR PREFIX

# list ROOT: every file and folder below it, with type, mode and contents.
list()
{
	(cd "$1" && find . -mindepth 1 -printf '%p %y %m %l\n' | sort &&
		find . -type f -exec sha256sum {} + | sort)
}

# try PREFIX
try()
{
	root=$room/root$1
	mkdir -p "$root"
	make -s PACKAGES=no BUILD="$build" DESTDIR="$root" PREFIX="$1" install >"$room/installed"
	# Somebody else's, in each of the folders.
	find "$root" -type d -exec touch {}/other \;
	sed -n 's/^  INSTALL\t//p' "$room/installed" | while read -r file; do
		[ -f "$file" ] || { echo "install: there is no $file" >&2; exit 1; }
	done
	find "$root" -type f ! -name other | sort >"$room/files"
	sed -n 's/^  INSTALL\t//p' "$room/installed" | sort | cmp - "$room/files"
	grep -q "ExecStart=$1/bin/balloonctl" "$root$1/share/doc/balloonctl/balloonctl-export.service"
	"$root$1/bin/balloonctl" --version >/dev/null
	make -s PACKAGES=no BUILD="$build" DESTDIR="$root" PREFIX="$1" uninstall >/dev/null
	find "$root" -type f ! -name other >"$room/left"
	[ ! -s "$room/left" ] || { echo "uninstall leaves:"; cat "$room/left"; exit 1; }
	[ "$(find "$root" -name other | wc -l)" -eq "$(find "$root" -type d | wc -l)" ] ||
		{ echo "uninstall has removed what is not ours"; exit 1; }
	# Once more, onto what is there: as if it had never been.
	list "$root" >"$room/before"
	make -s PACKAGES=no BUILD="$build" DESTDIR="$root" PREFIX="$1" install >/dev/null
	! list "$root" | cmp -s "$room/before" - || { echo "nothing was installed"; exit 1; }
	make -s PACKAGES=no BUILD="$build" DESTDIR="$root" PREFIX="$1" uninstall >/dev/null
	list "$root" | cmp "$room/before" - || exit 1
	# Where there was nothing of ours beside it the folder of documents goes, too.
	rm "$root$1/share/doc/balloonctl/other"
	make -s PACKAGES=no BUILD="$build" DESTDIR="$root" PREFIX="$1" uninstall >/dev/null
	[ ! -e "$root$1/share/doc/balloonctl" ] || { echo "an empty folder is left"; exit 1; }
}

try /usr/local
try /opt/balloon
echo "install: uninstall removes what install put, and nothing else"
