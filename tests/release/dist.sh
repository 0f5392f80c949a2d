#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# A release is the same bytes wherever and whenever it is made, and what it holds works:
# made twice from copies of this tree, in folders of other names and depths, with another
# umask, time zone and language, the second one forty days later (where faketime is
# there; without it, only a little later, which is said). Then its sums are checked,
# its list, its program, and its images are booted by UEFI firmware.
#
#	tests/release/dist.sh BUILD

set -eu
build=$1
tree=$PWD
room=$(realpath "$build")/check-dist
rm -rf "$room"
mkdir -p "$room"
: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct)}"
export SOURCE_DATE_EPOCH
unset MAKEFLAGS MAKELEVEL MFLAGS
bad=0

# check WORDS: the result of the command before.
check()
{
	if [ "$status" -eq 0 ]; then
		echo "ok - $*"
	else
		echo "not ok - $*"
		bad=$((bad + 1))
	fi
}

# make_in FOLDER COMMAND...: a release of a copy of the tree.
make_in()
{
	folder=$1
	shift
	mkdir -p "$folder"
	tar -C "$folder" -xmf "$room/tree.tar"
	(cd "$folder" && "$@" make -j2 PACKAGES=no dist) >"$room/log" 2>&1 ||
		{ tail -n 20 "$room/log" "$folder"/build/dist.log; exit 1; }
}

# Both copies are of one moment: somebody may be at work here.
git ls-files -co --exclude-standard | while read -r file; do
	[ ! -e "$file" ] || echo "$file"
done | tar -T - -cf "$room/tree.tar"

later=
if command -v faketime >/dev/null; then
	later="faketime -f +40d"
else
	echo "check-dist: faketime is not installed: the second one is made on the same day"
fi
(umask 022 && TZ=UTC LC_ALL=C make_in "$room/a")
# A list of words.
# shellcheck disable=SC2086
(umask 077 && make_in "$room/b/some/where else" env TZ=Asia/Tokyo LC_ALL=C.UTF-8 $later)

archive=$(cd "$room/a/build" && echo aerostat-*.tar.xz)
name=${archive%.tar.xz}
status=0
cmp "$room/a/build/$archive" "$room/b/some/where else/build/$archive" || status=1
check "made twice, it is the same"
if [ "$status" -ne 0 ]; then
	diff -rq "$room/a/build/$name" "$room/b/some/where else/build/$name" || :
fi

# ---- what it holds ----

cd "$room"
tar -xf "a/build/$archive"
status=0
(cd "$name" && sha256sum --quiet -c SHA256SUMS) || status=1
check "its sums are right"

status=0
(cd "$name" && find . -type f ! -name SHA256SUMS -printf '%P\n' | sort) >there
awk '{ print $2 }' "$name/SHA256SUMS" | cmp - there || status=1
{
	sed -n 's/^FileName: \.\///p' "$name/$name.spdx"
	echo "$name.spdx"
} | sort | cmp - there || status=1
check "its sums and its SPDX list name every file"

status=0
for file in aerostat.elf aerostat.efi aerostat.iso aerostat.img balloonctl LICENSE CHANGELOG.md \
	man/man1/balloonctl.1 man/man7/aerostat.7 completion/balloonctl.bash \
	completion/_balloonctl completion/balloonctl.fish contrib/balloonctl-dashboard.json \
	docs/ci.md licenses/newlib licenses/gnu-efi; do
	[ -s "$name/$file" ] || { echo "there is no $file"; status=1; }
done
check "all that was promised is in it"

status=0
[ "$("$name/balloonctl" --version)" = "balloonctl ${name#aerostat-}" ] || status=1
check "its balloonctl runs, and is of this version"

status=0
readelf -lW "$name/balloonctl" | grep -q GNU_RELRO || status=1
check "its balloonctl is hardened as it was linked"

status=0
! grep -aF -e "$room" -e "$tree" -r "$name" || status=1
check "it names no folder of this machine"

# ---- its images ----

firmware=
for file in /usr/share/OVMF/OVMF_CODE.fd /usr/share/OVMF/OVMF_CODE_4M.fd; do
	[ ! -f "$file" ] || firmware=$file
done

# boots WORDS PATTERN ARGUMENT...: by UEFI, until this stands on the serial line.
boots()
{
	words=$1 pattern=$2
	shift 2
	rm -f serial
	qemu-system-x86_64 -M q35 -m 256 -display none -nodefaults -no-reboot \
		-drive if=pflash,format=raw,unit=0,readonly=on,file="$firmware" \
		-serial file:serial "$@" 2>qemu.err &
	qemu=$!
	tries=0 status=1
	while [ $tries -lt 1200 ] && kill -0 $qemu 2>/dev/null; do
		! grep -aq "$pattern" serial 2>/dev/null || { status=0; break; }
		tries=$((tries + 1))
		sleep 0.1
	done
	kill $qemu 2>/dev/null || :
	wait $qemu 2>/dev/null || :
	[ "$status" -eq 0 ] || tail -n 5 serial qemu.err
	check "$words"
}

if [ -n "$firmware" ] && command -v qemu-system-x86_64 >/dev/null; then
	boots "UEFI firmware boots its ISO image" 'aerostat>' \
		-drive file="$name/aerostat.iso",format=raw,media=cdrom,readonly=on
	cp "$name/aerostat.img" disk
	boots "UEFI firmware boots its disk image" 'aerostat>' -drive file=disk,format=raw
	echo 'run="version"' >cmdline.txt
	mcopy -i disk@@1M cmdline.txt ::/EFI/BOOT/
	# The banner has more on its line.
	boots "which runs what is put beside the program" "^Aerostat ${name#aerostat-}.\\?\$" \
		-drive file=disk,format=raw
else
	echo "check-dist: its images were not booted, as OVMF or QEMU is not here"
fi

cd "$tree"

# ---- what docs/ci.md does with it ----

status=0
tests/release/ci.sh "$room/a/build/$archive" || status=1
check "the recipes of docs/ci.md work with it"

if [ "$bad" -eq 0 ]; then
	rm -rf "$room"
	echo "check-dist: the release is the same twice, and works"
else
	echo "check-dist: $bad failed; see $room"
fi
exit $((bad > 0))
