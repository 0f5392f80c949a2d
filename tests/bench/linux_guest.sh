#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The peer of the balloon benchmark: Debian's cloud kernel, and an initramfs
# with busybox that loads the balloon's modules and then sleeps. With the word `growth` on
# the kernel's command line it loads virtio-mem as well, and does what is typed at ttyS0; with
# `pressure` it has swap on /dev/vda, and does what is typed. TOUCH is a program for it.
#
#	tests/bench/linux_guest.sh DIR TOUCH
#
# leaves DIR/vmlinuz, DIR/initrd and DIR/version, and DIR/virtio-mem if the kernel has
# that. The packages are fetched and unpacked there; nothing is installed.

set -eu

dir=${1:?usage: linux_guest.sh DIR TOUCH}
touch=${2:?usage: linux_guest.sh DIR TOUCH}

die()
{
	echo "linux_guest.sh: $*" >&2
	exit 1
}

# The package with the newest kernel is what an empty package depends on.
kernel_package()
{
	apt-cache depends linux-image-cloud-amd64 2>/dev/null |
		sed -n 's/^ *Depends: \(linux-image-[0-9].*\)$/\1/p' | head -n 1
}

package=$(kernel_package)
[ -n "$package" ] || die "apt-get knows no linux-image-cloud-amd64: run apt-get" \
	"update; this benchmark needs Debian's package lists for amd64"

rm -rf "$dir"
mkdir -p "$dir/deb" "$dir/tree" "$dir/root/bin" "$dir/root/dev"
(cd "$dir/deb" && apt-get download -qq "$package" busybox-static) 2>"$dir/apt.log" ||
	die "apt-get download $package busybox-static fails: $(tail -n 1 "$dir/apt.log")"
for deb in "$dir"/deb/*.deb; do
	dpkg-deb -x "$deb" "$dir/tree"
done

cp "$dir/tree/bin/busybox" "$dir/root/bin/busybox"
# In the order in which they need each other; what a kernel has built in is
# no file. Numbered, so that the shell's own order is this one.
n=10
for module in virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev \
	virtio_pci virtio_balloon; do
	file=$(find "$dir/tree" -name "$module.ko")
	[ -z "$file" ] || cp "$file" "$dir/root/$n-$module.ko"
	n=$((n + 1))
done
[ -e "$dir/root/15-virtio_balloon.ko" ] || die "$package has no module virtio_balloon"

# Apart: the other benchmarks' guest is to be without it.
mkdir "$dir/root/growth" "$dir/root/tmp"
file=$(find "$dir/tree" -name virtio_mem.ko)
[ -z "$file" ] || cp "$file" "$dir/root/growth/"
if [ -n "$file" ] || grep -qs '/virtio_mem[.]ko' "$dir"/tree/lib/modules/*/modules.builtin; then
	: >"$dir/virtio-mem"
fi

mkdir "$dir/root/pressure"
file=$(find "$dir/tree" -name virtio_blk.ko)
[ -z "$file" ] || cp "$file" "$dir/root/pressure/"
cp "$touch" "$dir/root/touch"

cat >"$dir/root/init" <<'END'
#!/bin/busybox sh
for module in /*.ko; do
	/bin/busybox insmod "$module"
done

# fill MIB: touches so much memory, and frees it.
growth()
{
	/bin/busybox mount -t devtmpfs none /dev
	/bin/busybox mount -t tmpfs -o size=8g none /tmp
	for module in /growth/*.ko; do
		/bin/busybox insmod "$module"
	done
	exec </dev/ttyS0 >/dev/ttyS0 2>&1
	while printf 'growth# ' && read -r command mib; do
		[ "$command" = fill ] || continue
		/bin/busybox dd if=/dev/zero of=/tmp/file bs=1M count="$mib" &&
			/bin/busybox rm /tmp/file && echo filled
	done
}

pressure()
{
	/bin/busybox mount -t devtmpfs none /dev
	for module in /pressure/*.ko; do
		/bin/busybox insmod "$module"
	done
	/bin/busybox mkswap /dev/vda && /bin/busybox swapon /dev/vda
	exec </dev/ttyS0 >/dev/ttyS0 2>&1
	while printf 'pressure# ' && read -r command; do
		$command
	done
}

# Words that the kernel does not know are ours.
for word; do
	[ "$word" != pressure ] || pressure
	[ "$word" != growth ] || growth
done
while :; do
	/bin/busybox sleep 1000
done
END
chmod 755 "$dir/root/init"
(cd "$dir/root" && find . | cpio -o -H newc --quiet) >"$dir/initrd"

echo "${package#linux-image-}" >"$dir/version"
mv "$dir"/tree/boot/vmlinuz-* "$dir/vmlinuz"
rm -rf "$dir/tree" "$dir/root" "$dir/deb"
