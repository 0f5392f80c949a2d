/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The statistics queue (virtio 1.3, 5.5.6.3): one buffer is with the device at
 * all times, from before DRIVER_OK on. When the host wants statistics the
 * device gives the buffer back, and gets it again with fresh ones.
 */
#ifndef DRIVERS_BALLOON_PORT_VIRTIO_BALLOON_STATS_H
#define DRIVERS_BALLOON_PORT_VIRTIO_BALLOON_STATS_H

#include "kernel/lib/types.h"

struct virtio_device;

/*
 * Makes queue `index` and fills and queues the buffer. Before DRIVER_OK. -ENOMEM; else
 * the errors of virtq_create() and virtq_add().
 */
int virtio_balloon_stats_start(struct virtio_device *device, uint16_t index);

/* Lets the device have the first buffer; after DRIVER_OK. */
void virtio_balloon_stats_ready(void);

/* Answers the device if it asked. -EIO: the queue is broken. */
int virtio_balloon_stats_take(void);

/* Tells whether virtio_balloon_stats_take() would find something to do. */
bool virtio_balloon_stats_has_news(void);

/* Tells the device whether to interrupt when it asks. */
void virtio_balloon_stats_want_interrupts(bool wanted);

/* Gives the queue back: the device was reset. */
void virtio_balloon_stats_stop(void);

/* Forgets the last device, which keeps what it has: another one comes. */
void virtio_balloon_stats_forget(void);

#endif
