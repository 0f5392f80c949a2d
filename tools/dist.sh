#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Packs a release out of what is built: aerostat-VERSION.tar.xz. What goes into it
# depends on the sources and on the tools that built them, not on where and when:
#
#	tools/dist.sh BUILT OUTPUT VERSION
#
# BUILT has what make has built, OUTPUT gets the archive and the folder that it is of.
# Times are those of the last commit, or of SOURCE_DATE_EPOCH.

set -eu
built=$1 output=$2 version=$3
name=aerostat-$version
root=$output/$name
export LC_ALL=C TZ=UTC
umask 022

die()
{
	echo "dist.sh: $*" >&2
	exit 1
}

: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct 2>/dev/null || true)}"
[ -n "$SOURCE_DATE_EPOCH" ] ||
	die "no git here that could tell the date of the last commit: set SOURCE_DATE_EPOCH"
export SOURCE_DATE_EPOCH
date=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)

rm -rf "$root" "$output/$name.tar.xz"
mkdir -p "$root"

# put MODE SOURCE NAME
put()
{
	install -D -m "$1" "$2" "$root/$3"
}

# ---- what was built ----

# Names of functions stay, for backtraces; where the sources lay does not.
objcopy --strip-debug "$built/aerostat.elf" "$root/aerostat.elf"
strip -s -o "$root/balloonctl" "$built/tools/balloonctl"
chmod 755 "$root/aerostat.elf" "$root/balloonctl"
# objcopy has put the time into the header of the file (COFF, 4 bytes after the machine).
put 644 "$built/aerostat.efi" aerostat.efi
pe=$(od -An -tu4 -j60 -N4 "$root/aerostat.efi" | tr -d ' ')
printf '\0\0\0\0' | dd of="$root/aerostat.efi" bs=1 seek=$((pe + 8)) conv=notrunc status=none

# ---- images ----

# An EFI system partition of 8 MiB; a command line can be put beside the program. mtools
# takes SOURCE_DATE_EPOCH for now.
esp=$output/esp.img
rm -f "$esp"
mformat -C -i "$esp" -T 16384 -v AEROSTAT -N 0 ::
mmd -i "$esp" ::/EFI ::/EFI/BOOT
mcopy -i "$esp" "$root/aerostat.efi" ::/EFI/BOOT/BOOTX64.EFI

# A disk with that partition at 1 MiB: an MBR with one entry of type EF.
# bytes VALUE: four of them, the lowest first, for printf.
bytes()
{
	printf '\\%03o\\%03o\\%03o\\%03o' $(($1 & 255)) $(($1 >> 8 & 255)) \
		$(($1 >> 16 & 255)) $(($1 >> 24 & 255))
}

first=2048 sectors=16384
truncate -s $((first * 512)) "$root/aerostat.img"
# shellcheck disable=SC2059 # the bytes are the format
printf "\\000\\376\\377\\377\\357\\376\\377\\377$(bytes $first)$(bytes $sectors)" |
	dd of="$root/aerostat.img" bs=1 seek=446 conv=notrunc status=none
printf '\125\252' | dd of="$root/aerostat.img" bs=1 seek=510 conv=notrunc status=none
cat "$esp" >>"$root/aerostat.img"

# A CD that UEFI firmware starts: the partition is its El Torito image.
iso=$output/iso
rm -rf "$iso"
mkdir -p "$iso"
cp "$esp" "$iso/esp.img"
cp LICENSE "$iso/LICENSE"
find "$iso" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
xorriso -as mkisofs -quiet -r -V AEROSTAT -o "$root/aerostat.iso" \
	--set_all_file_dates "$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d%H%M%S00)" \
	--modification-date="$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d%H%M%S00)" \
	-e esp.img -no-emul-boot "$iso" 2>"$output/xorriso.log" ||
	{ cat "$output/xorriso.log"; die "xorriso has failed"; }

# ---- what goes with it ----

put 644 LICENSE LICENSE
put 644 docs/CHANGELOG.md CHANGELOG.md
for page in ci command-line console balloonctl; do
	put 644 "docs/$page.md" "docs/$page.md"
done
put 644 tools/balloonctl.1 man/man1/balloonctl.1
put 644 docs/aerostat.7 man/man7/aerostat.7
put 644 tools/balloonctl/completion.bash completion/balloonctl.bash
put 644 tools/balloonctl/completion.zsh completion/_balloonctl
put 644 tools/balloonctl/completion.fish completion/balloonctl.fish
for file in tools/balloonctl/contrib/*; do
	put 644 "$file" "contrib/${file##*/}"
done
# What the kernel and the UEFI image have of others, whose notices go with their code.
put 644 /usr/share/doc/newlib-source/copyright licenses/newlib
put 644 /usr/share/doc/gnu-efi/copyright licenses/gnu-efi

# ---- the list of it all (SPDX 2.3) ----

# version_of PACKAGE: the installed one.
version_of()
{
	dpkg-query -W -f '${Version}' "$1"
}

# package NAME VERSION LICENSE COMMENT: one whose files are not listed.
package()
{
	cat <<-END

		PackageName: $1
		SPDXID: SPDXRef-$1
		PackageVersion: $2
		PackageSupplier: Organization: Debian
		PackageDownloadLocation: NOASSERTION
		FilesAnalyzed: false
		PackageLicenseConcluded: $3
		PackageLicenseDeclared: $3
		PackageCopyrightText: NOASSERTION
		PackageComment: <text>$4</text>
	END
}

# The release itself, of the files in FILES; they follow it.
release()
{
	code=$(sed -n 's/^FileChecksum: SHA1: //p' "$1" | sort | tr -d '\n' | sha1sum | cut -d' ' -f1)
	cat <<-END

		PackageName: aerostat
		SPDXID: SPDXRef-aerostat
		PackageVersion: $version
		PackageSupplier: Organization: the Aerostat authors
		PackageDownloadLocation: NOASSERTION
		FilesAnalyzed: true
		PackageVerificationCode: $code (excludes: ./$name.spdx, ./SHA256SUMS)
		PackageLicenseInfoFromFiles: NOASSERTION
		PackageLicenseConcluded: BSD-2-Clause AND LicenseRef-newlib AND LicenseRef-gnu-efi
		PackageLicenseDeclared: BSD-2-Clause
		PackageCopyrightText: NOASSERTION
	END
}

# The files, by name: SPDX wants SHA1, people SHA256.
list_files()
{
	number=0
	(cd "$root" && find . -type f | sort) | while read -r file; do
		number=$((number + 1))
		license=BSD-2-Clause
		case $file in
		./licenses/*) license=NOASSERTION ;;
		./aerostat.elf) license='BSD-2-Clause AND LicenseRef-newlib' ;;
		./aerostat.efi | ./aerostat.i*)
			license='BSD-2-Clause AND LicenseRef-newlib AND LicenseRef-gnu-efi' ;;
		esac
		cat <<-END

			FileName: $file
			SPDXID: SPDXRef-File-$number
			FileChecksum: SHA1: $(sha1sum "$root/$file" | cut -d' ' -f1)
			FileChecksum: SHA256: $(sha256sum "$root/$file" | cut -d' ' -f1)
			LicenseConcluded: $license
			LicenseInfoInFile: NOASSERTION
			FileCopyrightText: NOASSERTION
		END
	done
}

# A licence by reference: its text is in a file of the release.
reference()
{
	cat <<-END

		LicenseID: LicenseRef-$1
		LicenseName: $1
		ExtractedText: <text>See licenses/$1 beside this file.</text>
	END
}

list_files >"$output/files.spdx"
{
	cat <<-END
		SPDXVersion: SPDX-2.3
		DataLicense: CC0-1.0
		SPDXID: SPDXRef-DOCUMENT
		DocumentName: $name
		DocumentNamespace: https://spdx.org/spdxdocs/$name-$(sha256sum "$output/files.spdx" | cut -c1-32)
		Creator: Tool: aerostat-tools-dist
		Created: $date
		Relationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-aerostat
		Relationship: SPDXRef-aerostat CONTAINS SPDXRef-newlib
		Relationship: SPDXRef-aerostat CONTAINS SPDXRef-gnu-efi
	END
	package newlib "$(version_of newlib-source)" LicenseRef-newlib \
		"The C library of the kernel, linked into it; from newlib-source."
	package gnu-efi "$(version_of gnu-efi)" LicenseRef-gnu-efi "Linked into the UEFI image."
	release "$output/files.spdx"
	cat "$output/files.spdx"
	reference newlib
	reference gnu-efi
} >"$root/$name.spdx"

# ---- sums, and the archive ----

(cd "$root" && find . -type f ! -name SHA256SUMS -printf '%P\n' | sort | xargs sha256sum) \
	>"$root/SHA256SUMS"
chmod 644 "$root/SHA256SUMS" "$root/$name.spdx" "$root"/aerostat.i*
find "$root" -type d -exec chmod 755 {} +
tar -C "$output" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
	--format=ustar -cf - "$name" | xz -T1 -6 >"$output/$name.tar.xz.new"
mv "$output/$name.tar.xz.new" "$output/$name.tar.xz"
rm -rf "$iso" "$esp" "$output/files.spdx" "$output/xorriso.log"
echo "$output/$name.tar.xz: $(sha256sum "$output/$name.tar.xz" | cut -d' ' -f1)"
