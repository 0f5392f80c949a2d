/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Free page hinting (virtio 1.3, 5.5.6.5): while a live migration begins, the
 * host asks for memory that need not be sent. Each round has an id, in the
 * device's config; whole free blocks are hinted until there are no more or the
 * host says STOP, and belong to `hinted` until it says DONE. No other hypervisor
 * has such a thing: the core knows nothing of it.
 *
 * A hinted block is not given back, whatever the host says, before the device
 * has returned its buffer: guests have been corrupted by less.
 */
#ifndef DRIVERS_BALLOON_PORT_VIRTIO_BALLOON_HINT_H
#define DRIVERS_BALLOON_PORT_VIRTIO_BALLOON_HINT_H

#include "kernel/lib/types.h"

struct virtio_device;

/*
 * Makes queue `index`. -ENOMEM; else virtq_create()'s errors. The queue never asks for an
 * interrupt: QEMU serves it from a thread that may not raise one, and under TCG version
 * 7.2 ends itself if the driver wants one. While it is busy it is looked at as often as
 * any that owes an answer.
 */
int virtio_balloon_hint_start(struct virtio_device *device, uint16_t index);

/*
 * Reads the id, on an interrupt that may be about the config. A round's id and DONE are obeyed
 * whenever they are there; STOP only if the host has changed something (`is_new`), as QEMU has
 * it in that field while a round runs.
 */
void virtio_balloon_hint_config_changed(bool is_new);

/* Takes what the device has finished. -EIO: the queue is broken. */
int virtio_balloon_hint_take(void);

/*
 * Hints more if a round runs and more than `floor` frames are free; frees what a
 * round that is over had hinted. Returns whether another call would find something
 * to do at once.
 */
bool virtio_balloon_hint_offer(uint64_t floor);

/*
 * Gives back what the device has returned, under memory pressure; if that is nothing,
 * reminds the device of what it has.
 */
void virtio_balloon_hint_reclaim(void);

/* Tells whether virtio_balloon_hint_take() would find something to do. */
bool virtio_balloon_hint_has_news(void);

/* Returns when the oldest buffer with the device was sent; DEADLINE_NEVER: it has none. */
uint64_t virtio_balloon_hint_sent_awake(void);

/*
 * Frees what the device has returned: no round goes on. What it still has stays
 * in-flight, as it may not have finished its reset.
 */
void virtio_balloon_hint_let_go(void);

/* Frees the hinted frames and gives the queue back: the device was reset. */
void virtio_balloon_hint_stop(void);

/* Forgets the counts and the last device, which keeps what it has: another one comes. */
void virtio_balloon_hint_forget(void);

/* Stores, since the start: frames hinted, and rounds. */
void virtio_balloon_hint_counts(uint64_t *frames, uint64_t *rounds);

#endif
