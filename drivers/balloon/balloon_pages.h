/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two queues of page frame numbers (virtio 1.3, 5.5.6.1 and .2): inflate
 * and deflate. Frames travel in requests, several of which are with the device
 * at a time; in between they are `in-flight`, and nobody may touch them.
 *
 *	free or leaving -> in-flight -> balloon		inflate
 *	balloon -> in-flight -> free			deflate
 *
 * The second change comes when the device has acknowledged the buffer. The
 * owner map is the only list of the frames. Amounts are in frames.
 */
#ifndef DRIVERS_BALLOON_BALLOON_PAGES_H
#define DRIVERS_BALLOON_BALLOON_PAGES_H

#include "kernel/lib/types.h"

struct virtio_device;

/* Frames in a buffer: what every known device takes, and a whole block. */
#define BALLOON_BUFFER_PORTABLE 256
#define BALLOON_BUFFER_BLOCK 512

/* A PFN on the wire has 32 bits: frames from 16 TiB on are out of reach. */
#define BALLOON_PFN_LIMIT ((pfn_t)1 << 32)

/* Makes both queues. */
int balloon_pages_start(struct virtio_device *device);

/* How many frames a buffer has from now on: one of the two above. */
void balloon_pages_set_buffer(size_t frames);

/* Offers up to `want` free frames, whole blocks first. Returns how many. */
uint64_t balloon_pages_inflate(uint64_t want);

/* Offers frames that are `leaving`. Returns how many. */
uint64_t balloon_pages_inflate_leaving(void);

/* Takes up to `want` frames back, the lowest. Returns how many were offered. */
uint64_t balloon_pages_deflate(uint64_t want);

/* Lets the device have what was offered. */
void balloon_pages_kick(void);

/*
 * Takes up to `want` frames back and waits for the device, by polling, at most
 * VIRTIO_DEADLINE_NS. Returns how many are free now. Allocates nothing; may be
 * called while the balloon's task is in any state. -ETIMEDOUT, -EIO.
 */
int balloon_pages_take_back(uint64_t want, size_t *freed);

/* Takes what the device has finished. -EIO: a queue is broken. */
int balloon_pages_step(void);

/* Frames on their way into the balloon. */
uint64_t balloon_pages_inflating(void);

/* True if another request could be offered. */
bool balloon_pages_have_room(void);

bool balloon_pages_have_news(void);

/* True while requests are with the device, and since when none moved. */
bool balloon_pages_busy(uint64_t *since);

void balloon_pages_set_interrupts(bool wanted);

/*
 * The device was reset: what it had returns to the side that it came from, and
 * the queues go.
 */
void balloon_pages_stop(void);

/* Another device comes: nothing is counted, and what the last one has kept stays with it. */
void balloon_pages_forget(void);

/* Since the start. */
struct balloon_pages_counts {
	uint64_t inflated; /* frames acknowledged */
	uint64_t deflated;
	uint64_t inflate_requests;
	uint64_t deflate_requests;
};

void balloon_pages_counts(struct balloon_pages_counts *counts);

#endif
