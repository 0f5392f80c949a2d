#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Whether make does all the set-up on a fresh Debian: bootstraps a release with
# nothing but git and make, from the mirror that this machine uses, clones the
# tree into it, runs make for each GOAL there, and says how long each took:
#
#	RELEASE=trixie run.sh FOLDER GOAL...
#	run.sh --or-skip FOLDER GOAL...
#
# Without RELEASE it is the one of 12 (bookworm) and 13 (trixie) that this
# machine does not run. FOLDER is for the release, while it runs, and for logs.
# As root or, in a user namespace, as anybody. With --or-skip the status is 0
# where no bootstrap can be had.

set -eu
PATH=$PATH:/usr/sbin:/sbin	# of chroot, which not everybody's has

# ---- what we are asked for ----

cannot=1
if [ "${1-}" = --or-skip ]; then
	cannot=0
	shift
fi
if [ $# -lt 2 ]; then
	echo "usage: [RELEASE=trixie] $0 [--or-skip] FOLDER GOAL..." >&2
	exit 2
fi
mkdir -p "$1"
folder=$(cd "$1" && pwd)
shift

release=${RELEASE:-}
if [ -z "$release" ]; then
	release=trixie
	! grep -qs '^VERSION_CODENAME=trixie$' /etc/os-release || release=bookworm
fi
root=$folder/$release

say()
{
	echo "test-debian: $release: $*"
}

# cannot_be_had WHY: no bootstrap, which is no fault of the tree.
cannot_be_had()
{
	if [ $cannot -eq 0 ]; then
		say "NOT RUN, as no bootstrap can be had: $*"
	else
		say "no bootstrap can be had: $*" >&2
	fi
	exit $cannot
}

# ---- the mirror, and how it is reached, as apt has it ----

find_mirror()
{
	# shellcheck disable=SC2016 # apt's own
	mirror=$(apt-get indextargets 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' \
		--format '$(REPO_URI)' 2>/dev/null | head -n 1)
	case $mirror in
	mirror+file:*)
		mirror=$(sed -n 's/^\([a-z]*:[^ 	]*\).*/\1/p' "${mirror#mirror+file:}" | head -n 1)
		;;
	esac
	case $mirror in
	http*) ;;
	*) cannot_be_had "apt knows no Debian mirror on the net; see /etc/apt, and run apt-get update" ;;
	esac
}

# ---- the release ----

# In a namespace of its own, where mounts end with it.
apart()
{
	if [ "$(id -u)" -eq 0 ]; then
		unshare --mount "$@"
	else
		unshare --map-root-user --map-auto --mount "$@"
	fi
}

# What mounts there were is gone with their namespace; not to leave this file
# system is for the case that it is not.
remove_root()
{
	[ ! -d "$root" ] || apart rm -rf --one-file-system "$root"
}

bootstrap()
{
	command -v mmdebstrap >/dev/null || cannot_be_had "mmdebstrap is not installed"
	apart true 2>"$folder/log" || cannot_be_had "$(tail -n 1 "$folder/log")"
	find_mirror
	packages=git,make
	case $mirror in
	https*) packages=$packages,ca-certificates ;;
	esac
	settings=$(apt-config dump | grep -iE '^Acquire::(.*Proxy|Check-Valid-Until)' || :)
	mmdebstrap --variant=minbase --include=$packages --dpkgopt=force-unsafe-io \
		${settings:+--aptopt="$settings"} "$release" "$folder/$release.tar" "$mirror" >"$folder/log" 2>&1 ||
		cannot_be_had "mmdebstrap: $(grep -m 1 '^[EW]: ' "$folder/log"); see $folder/log"
	remove_root
	mkdir "$root"
	apart tar -C "$root" --exclude='./dev/*' -xf "$folder/$release.tar"
	rm "$folder/$release.tar"
}

# Two steps, as a namespace's root may not read what is the caller's alone.
clone()
{
	rm -rf "$folder/clone"
	git clone -q --depth 1 "file://$(pwd)" "$folder/clone"
	[ -z "$(git status --porcelain)" ] || say "what is not committed is not in the clone"
	apart cp -r "$folder/clone" "$root/root/aerostat"
	rm -rf "$folder/clone"
}

# in_release COMMAND...
in_release()
{
	# shellcheck disable=SC2016
	apart sh -c '
		root=$1
		shift
		for folder in proc sys dev; do
			mount --rbind "/$folder" "$root/$folder" || exit 125
		done
		exec chroot "$root" env -i -C /root/aerostat HOME=/root \
			PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
		' sh "$root" "$@" </dev/null
}

# ---- run ----

cd "$(dirname "$0")/../.."
trap 'remove_root' EXIT
trap 'exit 1' INT TERM

start=$(date +%s)
bootstrap
clone
say "bootstrap: $(($(date +%s) - start)) s"
for goal; do
	start=$(date +%s)
	log=$folder/$release-$goal.log
	if ! in_release make -j"$(nproc)" "$goal" >"$log" 2>&1; then
		tail -n 40 "$log"
		say "make $goal: FAILED after $(($(date +%s) - start)) s; all it said is in $log"
		exit 1
	fi
	say "make $goal: $(($(date +%s) - start)) s"
done
# shellcheck disable=SC2016 # dpkg's own
in_release dpkg-query -W -f '${Package} ${Version}\n' gcc clang qemu-system-x86 ovmf \
	newlib-source gnu-efi libcmocka-dev 2>/dev/null |
	while read -r package version; do
		[ -z "$version" ] || say "with $package $version"
	done
