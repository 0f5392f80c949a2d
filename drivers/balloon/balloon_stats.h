/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The statistics queue (virtio 1.3, 5.5.6.3): one buffer is with the device at
 * all times, from before DRIVER_OK on. When the host wants statistics the
 * device gives the buffer back, and gets it again with fresh ones.
 */
#ifndef DRIVERS_BALLOON_BALLOON_STATS_H
#define DRIVERS_BALLOON_BALLOON_STATS_H

#include "kernel/lib/types.h"

struct virtio_device;

#define BALLOON_STATS_MAX 16

/* Makes queue `index` and fills and queues the buffer. Before DRIVER_OK. */
int balloon_stats_start(struct virtio_device *device, uint16_t index);

/* After DRIVER_OK: lets the device have the first buffer. */
void balloon_stats_ready(void);

/* Answers the device if it asked. -EIO: the queue is broken. */
int balloon_stats_step(void);

/* True if balloon_stats_step() would find something to do. */
bool balloon_stats_has_news(void);

/* Whether the device should interrupt when it asks. */
void balloon_stats_set_interrupts(bool wanted);

/* The device was reset: gives the queue back. */
void balloon_stats_stop(void);

/* Another device comes: nothing is counted, and what the last one has kept stays with it. */
void balloon_stats_forget(void);

struct balloon_stat {
	const char *name; /* QMP's, without "stat-" */
	uint16_t tag;
	uint64_t value;
};

/* The last report that was given to the device; returns the number of entries, 0 without a queue. */
size_t balloon_stats_last(struct balloon_stat stats[BALLOON_STATS_MAX], uint64_t *requests,
			  uint64_t *time);

#endif
