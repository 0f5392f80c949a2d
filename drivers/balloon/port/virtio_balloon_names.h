/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio balloon's numbers and what everybody calls them, each once: a bit or a
 * tag is added by adding a line. Host programs include this file.
 */
#ifndef DRIVERS_BALLOON_PORT_VIRTIO_BALLOON_NAMES_H
#define DRIVERS_BALLOON_PORT_VIRTIO_BALLOON_NAMES_H

/* Feature bits (virtio 1.3, 5.5.3). X(constant, bit, name) */
#define VIRTIO_BALLOON_FEATURES(X) \
	X(VIRTIO_BALLOON_F_MUST_TELL_HOST, 0, "MUST_TELL_HOST") \
	X(VIRTIO_BALLOON_F_STATS_VQ, 1, "STATS_VQ") \
	X(VIRTIO_BALLOON_F_DEFLATE_ON_OOM, 2, "DEFLATE_ON_OOM") \
	X(VIRTIO_BALLOON_F_FREE_PAGE_HINT, 3, "FREE_PAGE_HINT") \
	X(VIRTIO_BALLOON_F_PAGE_POISON, 4, "PAGE_POISON") \
	X(VIRTIO_BALLOON_F_REPORTING, 5, "REPORTING")

#define VIRTIO_BALLOON_FEATURE_CONSTANT(constant, bit, name) constant = (bit),
enum { VIRTIO_BALLOON_FEATURES(VIRTIO_BALLOON_FEATURE_CONSTANT) };
#undef VIRTIO_BALLOON_FEATURE_CONSTANT

/*
 * Statistics (5.5.6.4; 10 to 15 as in Linux 6.12).
 * X(constant, tag, QMP's name without "stat-", `virsh dommemstat`'s name or NULL, unit)
 * virsh counts in KiB where the unit is bytes. The last two columns are the host's.
 */
#define VIRTIO_BALLOON_STATS(X) \
	X(STAT_SWAP_IN, 0, "swap-in", "swap_in", STAT_BYTES) \
	X(STAT_SWAP_OUT, 1, "swap-out", "swap_out", STAT_BYTES) \
	X(STAT_MAJOR_FAULTS, 2, "major-faults", "major_fault", STAT_EVENTS) \
	X(STAT_MINOR_FAULTS, 3, "minor-faults", "minor_fault", STAT_EVENTS) \
	X(STAT_FREE_MEMORY, 4, "free-memory", "unused", STAT_BYTES) \
	X(STAT_TOTAL_MEMORY, 5, "total-memory", "available", STAT_BYTES) \
	X(STAT_AVAILABLE_MEMORY, 6, "available-memory", "usable", STAT_BYTES) \
	X(STAT_DISK_CACHES, 7, "disk-caches", "disk_caches", STAT_BYTES) \
	X(STAT_HTLB_PGALLOC, 8, "htlb-pgalloc", "hugetlb_pgalloc", STAT_EVENTS) \
	X(STAT_HTLB_PGFAIL, 9, "htlb-pgfail", "hugetlb_pgfail", STAT_EVENTS) \
	X(STAT_OOM_KILLS, 10, "oom-kills", NULL, STAT_EVENTS) \
	X(STAT_ALLOC_STALLS, 11, "alloc-stalls", NULL, STAT_EVENTS) \
	X(STAT_ASYNC_SCANS, 12, "async-scans", NULL, STAT_EVENTS) \
	X(STAT_DIRECT_SCANS, 13, "direct-scans", NULL, STAT_EVENTS) \
	X(STAT_ASYNC_RECLAIMS, 14, "async-reclaims", NULL, STAT_EVENTS) \
	X(STAT_DIRECT_RECLAIMS, 15, "direct-reclaims", NULL, STAT_EVENTS)

#define STAT_CONSTANT(constant, tag, qmp, virsh, unit) constant = (tag),
enum { VIRTIO_BALLOON_STATS(STAT_CONSTANT) STAT_COUNT };
#undef STAT_CONSTANT

#endif
