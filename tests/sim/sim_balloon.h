/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated balloon device (virtio 1.3, 5.5) with the queues of the features
 * that it offers, numbered as QEMU does: without gaps. It keeps the set of inflated
 * PFNs and counts what a driver should not do. Buffers are acknowledged at once, when
 * the test says so, or never; their PFNs are read at that moment and not earlier, so
 * that a driver that reuses a buffer too early is caught.
 */
#ifndef TESTS_SIM_SIM_BALLOON_H
#define TESTS_SIM_SIM_BALLOON_H

#include "tests/sim/sim_virtio.h"

#define SIM_BALLOON_INFLATE 0 /* queues */
#define SIM_BALLOON_DEFLATE 1

#define SIM_BALLOON_NUM_PAGES 0 /* config, le32 each */
#define SIM_BALLOON_ACTUAL 4
#define SIM_BALLOON_HINT_ID 8
#define SIM_BALLOON_POISON 12
#define SIM_BALLOON_CONFIG_SIZE 16

#define SIM_BALLOON_PENDING_MAX 512

enum sim_balloon_completion {
	SIM_BALLOON_AT_ONCE,   /* within the notification, as QEMU 7.2 does */
	SIM_BALLOON_ON_DEMAND, /* by sim_balloon_complete() */
	SIM_BALLOON_NEVER,     /* taken and forgotten */
};

struct sim_balloon_pending {
	unsigned queue;
	struct sim_virtio_chain chain;
};

struct sim_balloon {
	struct sim_virtio virtio;
	enum sim_balloon_completion completion;
	bool bad_used_id;   /* the next acknowledgement names a wrong chain */
	bool keep_on_reset; /* a reset leaves the inflated PFNs inflated */
	uint32_t written;   /* the length that acknowledgements claim; 0 is right */

	/*
	 * Called when frames become the device's (an inflate buffer, a range or a
	 * hint was taken) or the guest's again (deflated, acknowledged, reset: then
	 * all at once, PFN 0 and UINT64_MAX frames; what stays inflated over a reset
	 * is in the set). NULL: nobody cares.
	 */
	void (*own)(pfn_t pfn, uint64_t frames, bool device);

	uint64_t inflated;   /* PFNs in the balloon now */
	uint64_t buffers[2]; /* acknowledged, by queue */
	uint64_t pfns[2];    /* in them */
	uint64_t largest[2]; /* PFNs in one buffer */
	uint64_t actual_writes;
	/* Mistakes of the driver. */
	uint64_t double_inflates;
	uint64_t wrong_deflates; /* of what was not inflated */
	uint64_t not_ascending;	 /* PFNs below their predecessor in an inflate buffer */

	/* The other queues; 0: there is none. */
	unsigned stats_queue;
	unsigned hint_queue;
	unsigned report_queue;
	unsigned stats_held;	       /* statistics buffers with the device */
	struct sim_virtio_chain stats; /* the last of them */
	uint64_t report_requests;
	uint64_t reported;		 /* bytes */
	uint64_t ranges_most;		 /* ranges in one request */
	uint64_t inflates_before_report; /* inflate buffers, when the last report came */
	uint64_t hinted;		 /* bytes */
	uint32_t hint_commands[8];	 /* what came in 4-byte buffers */
	unsigned hint_command_count;

	uint8_t *set; /* a bit for each 32-bit PFN; lazily backed memory */
	struct sim_balloon_pending pending[SIM_BALLOON_PENDING_MAX]; /* oldest first */
	size_t pending_count;
};

/* A balloon that offers these features; the target is 0. */
void sim_balloon_init(struct sim_balloon *sim, bool legacy, uint64_t features);

/* As if it had been switched off: what it had is the guest's. */
void sim_balloon_forget(struct sim_balloon *sim);

/* Gives the set's memory back. */
void sim_balloon_fini(struct sim_balloon *sim);

/* The host asks for this many pages: config and interrupt. */
void sim_balloon_set_target(struct sim_balloon *sim, uint32_t pages);

/* Asks for statistics: returns the buffer that it holds. Copies what was in it before. */
size_t sim_balloon_ask_stats(struct sim_balloon *sim, void *copy, size_t size);

/* The host begins a round of hinting with this id, or says STOP or DONE. */
void sim_balloon_set_hint_id(struct sim_balloon *sim, uint32_t id);

/* As the driver last wrote it. */
uint32_t sim_balloon_actual(const struct sim_balloon *sim);

/* Whether this frame is inflated. */
bool sim_balloon_has(const struct sim_balloon *sim, pfn_t pfn);

/* Returns the lowest inflated frame, from `from` on and below `end`; `end` if there is none. */
pfn_t sim_balloon_next(const struct sim_balloon *sim, pfn_t from, pfn_t end);

/* Acknowledges up to `count` buffers, the oldest first. Returns how many. */
size_t sim_balloon_complete(struct sim_balloon *sim, size_t count);

#endif
