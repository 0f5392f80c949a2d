/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The balloon's statistics (virtio 1.3, 5.5.6.4; 10 to 15 as in Linux 6.12),
 * and how everybody calls them: one line a tag.
 */
#ifndef TOOLS_BALLOONCTL_STAT_NAMES_H
#define TOOLS_BALLOONCTL_STAT_NAMES_H

/*
 * X(constant, tag, QMP's name, `virsh dommemstat`'s name or NULL, unit)
 * virsh counts in KiB where the unit is bytes.
 */
#define STAT_TABLE(X) \
	X(STAT_SWAP_IN, 0, "stat-swap-in", "swap_in", STAT_BYTES) \
	X(STAT_SWAP_OUT, 1, "stat-swap-out", "swap_out", STAT_BYTES) \
	X(STAT_MAJOR_FAULTS, 2, "stat-major-faults", "major_fault", STAT_EVENTS) \
	X(STAT_MINOR_FAULTS, 3, "stat-minor-faults", "minor_fault", STAT_EVENTS) \
	X(STAT_FREE_MEMORY, 4, "stat-free-memory", "unused", STAT_BYTES) \
	X(STAT_TOTAL_MEMORY, 5, "stat-total-memory", "available", STAT_BYTES) \
	X(STAT_AVAILABLE_MEMORY, 6, "stat-available-memory", "usable", STAT_BYTES) \
	X(STAT_DISK_CACHES, 7, "stat-disk-caches", "disk_caches", STAT_BYTES) \
	X(STAT_HTLB_PGALLOC, 8, "stat-htlb-pgalloc", "hugetlb_pgalloc", STAT_EVENTS) \
	X(STAT_HTLB_PGFAIL, 9, "stat-htlb-pgfail", "hugetlb_pgfail", STAT_EVENTS) \
	X(STAT_OOM_KILLS, 10, "stat-oom-kills", NULL, STAT_EVENTS) \
	X(STAT_ALLOC_STALLS, 11, "stat-alloc-stalls", NULL, STAT_EVENTS) \
	X(STAT_ASYNC_SCANS, 12, "stat-async-scans", NULL, STAT_EVENTS) \
	X(STAT_DIRECT_SCANS, 13, "stat-direct-scans", NULL, STAT_EVENTS) \
	X(STAT_ASYNC_RECLAIMS, 14, "stat-async-reclaims", NULL, STAT_EVENTS) \
	X(STAT_DIRECT_RECLAIMS, 15, "stat-direct-reclaims", NULL, STAT_EVENTS)

enum stat_unit { STAT_BYTES, STAT_EVENTS };

#define STAT_CONSTANT(constant, tag, qmp, virsh, unit) constant = (tag),
enum { STAT_TABLE(STAT_CONSTANT) STAT_COUNT };
#undef STAT_CONSTANT

#endif
