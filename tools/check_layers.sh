#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Includes point one way: arch/ headers and kernel/lib <- mm <- kernel/task <-
# drivers <- kernel. This greps for those that do not, and for what belongs into
# arch/.

set -u
cd "$(dirname "$0")/.."
bad=0

# complain RULE: reads offending lines on standard input.
complain()
{
	while IFS= read -r line; do
		echo "$line"
		echo "    $1"
		bad=1
	done
	[ "$bad" -eq 0 ]
}

# forbid RULE FILES-PATTERN INCLUDES-PATTERN
forbid()
{
	git ls-files -co --exclude-standard '*.c' '*.h' | grep -E "$2" |
		xargs grep -nE "^#include \"($3)" /dev/null |
		complain "$1" || bad=1
}

forbid 'arch/ and kernel/lib include only arch/ and kernel/lib' \
	'^(arch|kernel/lib)/' '(mm|drivers|kernel/[^l]|kernel/l[^i]|tools|tests)'
forbid 'only arch/x86_64 sees arch/x86_64' \
	'^(arch/[a-z_]*\.h|kernel|mm|drivers|tools)' 'arch/x86_64/'
forbid 'mm includes no driver and nothing of kernel/ but kernel/lib' \
	'^mm/' '(drivers|kernel/[^l]|tools|tests)'
forbid 'kernel/task includes only arch/, kernel/lib and mm' \
	'^kernel/task/' '(drivers|kernel/[a-z_]*\.h|tools|tests)'
forbid 'drivers include nothing of kernel/ but kernel/lib and kernel/task' \
	'^drivers/' '(kernel/[a-z_]*\.h|tools|tests)'
forbid 'drivers/virtio does not know the devices' '^drivers/virtio/' 'drivers/balloon'
forbid 'a device driver speaks to virtio, never to PCI' '^drivers/balloon/' 'drivers/pci'
forbid 'the core of the balloon knows no hypervisor' \
	'^drivers/balloon/[a-z_]*\.[ch]$' 'drivers/(virtio|pci|balloon/port)/'
forbid 'a port sees of the balloon'"'"'s core only balloon_port.h and balloon_stats.h' \
	'^drivers/balloon/port/' 'drivers/balloon/balloon(\.|_[^ps]|_p[^o]|_st[^a]|_sta[^t]|_stat[^s])'
forbid 'the guest does not include host programs' '^(arch|mm|drivers|kernel)/' '(tools|tests)'
forbid 'includes are relative to the root' '^(arch|mm|drivers|kernel|tools)/' '[^/"]*"'

git ls-files -co --exclude-standard '*.c' '*.h' | grep -E '^(mm|drivers|kernel)/' |
	xargs grep -nE '__asm__|\basm\b *(volatile)? *\(|__x86_64__' /dev/null |
	complain 'assembly and the machine belong into arch/' || bad=1

[ "$bad" -eq 0 ] && echo "layers: ok"
exit "$bad"
