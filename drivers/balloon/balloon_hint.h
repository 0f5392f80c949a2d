/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Free page hinting (virtio 1.3, 5.5.6.5): while a live migration begins, the
 * host asks for memory that need not be sent. Each round has an id, in the
 * device's config; whole free blocks are hinted until there are no more or the
 * host says STOP, and belong to `hinted` until it says DONE.
 *
 * A hinted block is not given back, whatever the host says, before the device
 * has returned its buffer: guests have been corrupted by less.
 */
#ifndef DRIVERS_BALLOON_BALLOON_HINT_H
#define DRIVERS_BALLOON_BALLOON_HINT_H

#include "kernel/lib/types.h"

struct virtio_device;

/*
 * The queue never asks for an interrupt; while it is busy it is looked at this
 * often. QEMU serves it from a thread that may not raise one: under TCG version
 * 7.2 ends itself if the driver wants one.
 */
#define BALLOON_HINT_POLL_NS (10 * NS_PER_MS)

/* Makes queue `index`. */
int balloon_hint_start(struct virtio_device *device, uint16_t index);

/*
 * The host changed something: reads the id. Only on a config interrupt, as the
 * field reads STOP while a round runs.
 */
void balloon_hint_config_changed(void);

/*
 * Takes what the device has finished, and hints more if a round runs and more
 * than `floor` frames are free. Returns whether another call would find
 * something to do at once; -EIO: the queue is broken.
 */
int balloon_hint_step(uint64_t floor);

/*
 * For memory pressure: gives back what the device has returned; if that is
 * nothing, waits until it returns something, at most until the deadline.
 * Returns the frames freed.
 */
size_t balloon_hint_reclaim(uint64_t deadline);

bool balloon_hint_has_news(void);

/* True while buffers are with the device, and since when the last one moved. */
bool balloon_hint_busy(uint64_t *since);

/* The device was reset: hinted frames are free, and the queue goes. */
void balloon_hint_stop(void);

/* Another device comes: nothing is counted, and what the last one has kept stays with it. */
void balloon_hint_forget(void);

/* Since the start: frames hinted, and rounds. */
void balloon_hint_counts(uint64_t *frames, uint64_t *rounds);

#endif
