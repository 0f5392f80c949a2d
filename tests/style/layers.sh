#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Plants one offender after the other in a small sound tree, and sees whether
# tools/check_layers.sh finds it and says what it is.

set -u
check=$(cd "$(dirname "$0")/../.." && pwd)/tools/check_layers.sh
tree=$(mktemp -d) || exit 2
trap 'rm -rf "$tree"' EXIT
cd "$tree" || exit 2
failures=0

# plant FILE LINE...: a file of these lines.
plant()
{
	file=$1
	shift
	mkdir -p "$(dirname "$file")"
	printf '%s\n' "$@" > "$file"
}

# What is allowed: calls down, kernel_main, a private header, assembly in arch.
sound_tree()
{
	rm -rf ./*
	plant kernel/lib/parse.h 'int parse(void);'
	plant kernel/lib/parse.c '#include "kernel/lib/parse.h"' 'int parse(void) { return 1; }'
	plant arch/cpu.h 'int cpu(void);'
	plant arch/x86_64/boot_pvh.c '#include "arch/cpu.h"' '#include "kernel/lib/parse.h"' \
		'void kernel_main(void);' \
		'int cpu(void) { kernel_main(); __asm__ volatile(""); return parse(); }'
	plant drivers/virtio/virtio.h 'int virtio(void);'
	plant drivers/virtio/virtio_internal.h '#include "drivers/virtio/virtio.h"'
	plant drivers/virtio/virtio.c '#include "arch/cpu.h"' \
		'#include "drivers/virtio/virtio_internal.h"' 'int virtio(void) { return cpu(); }'
	plant kernel/main.c '#include "drivers/virtio/virtio.h"' 'void kernel_main(void);' \
		'void kernel_main(void) { virtio(); }'
}

# expect STATUS TEXT: compiles the tree and checks it.
expect()
{
	for source in $(find . -name '*.c' | sed 's,^\./,,'); do
		mkdir -p "objects/$(dirname "$source")"
		cc -ffreestanding -I. -c -o "objects/${source%.c}.o" "$source" || exit 2
	done
	said=$("$check" "$tree" objects)
	status=$?
	case "$status $said" in
	"$1 "*"$2"*) return ;;
	esac
	echo "layers: '$2' and status $1 were expected; status $status:"
	echo "$said"
	failures=$((failures + 1))
}

sound_tree
expect 0 'layers: ok'

# Nothing compiled is nothing checked.
sound_tree
"$check" "$tree" objects >/dev/null
[ $? -eq 2 ] || failures=$((failures + 1))

sound_tree
plant mm/frame.c '#include "drivers/virtio/virtio.h"' 'int frame;'
expect 1 'mm/frame includes drivers/virtio/virtio.h, which lies higher'

sound_tree
plant mm/frame.c 'int virtio(void);' 'int frame(void);' 'int frame(void) { return virtio(); }'
expect 1 'mm/frame calls virtio, which lies higher: drivers/virtio/virtio'

sound_tree
plant kernel/lib/log.c 'int cpu(void);' 'int log_line(void);' 'int log_line(void) { return cpu(); }'
expect 1 'kernel/lib/log calls cpu, which lies higher: arch/x86_64/boot_pvh'

sound_tree
plant drivers/serial/uart.c 'extern int target;' 'int uart(void);' 'int uart(void) { return target; }'
plant drivers/balloon/balloon.c 'int target = 1;'
expect 1 'drivers/serial/uart calls target, which lies higher: drivers/balloon/balloon'

# Xen is a platform: the balloon's port sees it, and it does not see that.
sound_tree
plant drivers/xen/xen.h 'int xen(void);'
plant drivers/xen/xen.c '#include "drivers/balloon/port/port.h"' 'int xen(void) { return port(); }'
plant drivers/balloon/port/port.h 'int port(void);'
plant drivers/balloon/port/port.c '#include "drivers/balloon/port/port.h"' 'int port(void) { return 1; }'
expect 1 'drivers/xen/xen calls port, which lies higher: drivers/balloon/port/port'
plant drivers/xen/xen.c '#include "drivers/xen/xen.h"' 'int xen(void) { return 1; }'
plant drivers/balloon/port/port.c '#include "drivers/xen/xen.h"' 'int port(void);' \
	'int port(void) { return xen(); }'
expect 0 'layers: ok'

# The one call that may go up may do so from where it is named only.
sound_tree
plant mm/frame.c 'void kernel_main(void);' 'void frame(void);' 'void frame(void) { kernel_main(); }'
expect 1 'mm/frame calls kernel_main, which lies higher'

sound_tree
plant mm/a.c 'int b(void);' 'int a(void);' 'int a(void) { return b(); }'
plant mm/b.c 'int c(void);' 'int b(void);' 'int b(void) { return c(); }'
plant mm/c.c 'int a(void);' 'int c(void);' 'int c(void) { return a(); }'
expect 1 'in a circle: mm/c calls a: mm/a'

# Left over from an older tree.
sound_tree
plant mm/old.c 'int virtio(void);' 'int old(void);' 'int old(void) { return virtio(); }'
expect 1 'mm/old calls virtio'
rm mm/old.c
expect 0 'layers: ok'

sound_tree
plant mm/a.h '#include "mm/b.h"' 'int a(void);'
plant mm/b.h '#include "mm/c.h"' 'int b(void);'
plant mm/c.h '#include "mm/a.h"' 'int c(void);'
expect 1 'in a circle: mm/c.h includes mm/a.h: mm/a.h'

# Types of the caller are no call.
sound_tree
plant mm/a.h 'int a(void);'
plant mm/a.c '#include "mm/b.h"' 'int a(void) { return b(); }'
plant mm/b.h 'int b(void);'
plant mm/b.c '#include "mm/a.h"' '#include "mm/b.h"' 'int b(void) { return 1; }'
expect 0 'layers: ok'

sound_tree
plant drivers/balloon/balloon.c '#include "drivers/virtio/virtio.h"' 'int balloon;'
expect 1 'the core of the balloon knows no hypervisor'

sound_tree
plant drivers/pci/pci.h 'int pci(void);'
plant drivers/balloon/port/port.c '#include "drivers/pci/pci.h"' 'int port;'
expect 1 'a device driver speaks to virtio, never to PCI'

sound_tree
plant drivers/pci/pci.h 'int pci(void);'
plant drivers/mem/mem.c '#include "drivers/pci/pci.h"' 'int mem;'
expect 1 'a device driver speaks to virtio, never to PCI'

sound_tree
plant drivers/mem/mem.h 'int mem(void);'
plant drivers/balloon/balloon.c '#include "drivers/mem/mem.h"' 'int balloon;'
expect 1 'drivers/balloon/balloon includes drivers/mem/mem.h, which lies higher'

sound_tree
plant drivers/virtio/queue.c '#include "drivers/balloon/balloon.h"' 'int queue;'
plant drivers/balloon/balloon.h 'int balloon(void);'
expect 1 'drivers/virtio does not know the devices'

sound_tree
plant drivers/balloon/balloon_batch.h 'int batch(void);'
plant drivers/balloon/port/port.c '#include "drivers/balloon/balloon_batch.h"' 'int port;'
expect 1 "a port sees of the balloon's core only balloon_port.h and balloon_stats.h"

sound_tree
plant mm/frame_map.h 'struct frame_map { int managed; };'
plant kernel/shell.c '#include "mm/frame_map.h"' 'int shell;'
expect 1 'mm/frame_map.h is for the files that it names'

sound_tree
plant mm/frame_map.h 'struct frame_map { int managed; };' 'extern struct frame_map frame_map;'
plant mm/frame.c '#include "mm/frame_map.h"' 'void frame(void);' \
	'void frame(void) { frame_map.managed++; }'
expect 1 'only the three files that mm/frame_map.h names change the frame map'

# A host program includes what says that it may, and nothing else.
sound_tree
plant mm/dump.h '/*' ' * Layouts. Host programs' ' * include this file.' ' */'
plant tools/dump.c '#include "mm/dump.h"' 'int dump;'
expect 0 'layers: ok'
plant tools/dump.c '#include "arch/cpu.h"' 'int dump;'
expect 1 'host programs include only headers that say "Host programs include this file"'

sound_tree
plant tools/qmp.h 'int qmp(void);'
plant kernel/shell.c '#include "tools/qmp.h"' 'int shell;'
expect 1 'the guest does not include host programs'

sound_tree
plant arch/x86_64/entry.h 'int entry(void);'
plant kernel/shell.c '#include "arch/x86_64/entry.h"' 'int shell;'
expect 1 'only arch/x86_64 sees arch/x86_64'

sound_tree
plant kernel/shell.c '#include "main.h"' 'int shell;'
plant kernel/main.h 'int main_is_here;'
expect 1 'includes are relative to the root'

sound_tree
plant mm/frame.c 'void frame(void);' 'void frame(void) { __asm__ volatile("cli"); }'
expect 1 'assembly and the machine belong into arch/'

[ "$failures" -eq 0 ] && echo "layers: each planted offender was found"
exit "$failures"
