/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two queues of page frame numbers (virtio 1.3, 5.5.6.1 and .2): inflate and
 * deflate. A batch is one buffer of PFNs, which the device acknowledges as a whole.
 */
#ifndef DRIVERS_BALLOON_PORT_VIRTIO_BALLOON_PAGES_H
#define DRIVERS_BALLOON_PORT_VIRTIO_BALLOON_PAGES_H

#include "drivers/balloon/balloon_port.h"

struct virtio_device;

/* Frames in a buffer: as many as every known device takes, and a whole block. */
#define VIRTIO_BALLOON_BUFFER_PORTABLE 256
#define VIRTIO_BALLOON_BUFFER_BLOCK 512

/* A PFN on the wire has 32 bits: frames from 16 TiB on are out of reach. */
#define VIRTIO_BALLOON_PFN_LIMIT ((pfn_t)1 << 32)

/*
 * Makes both queues, `index` and the next. -ENOMEM: no memory for the buffers; else
 * virtq_create()'s errors. Then virtio_balloon_pages_stop() is to be called, too.
 */
int virtio_balloon_pages_start(struct virtio_device *device, uint16_t index);

/* Stores in `terms` what the queues take and how much, and the device's limits. */
void virtio_balloon_pages_terms(enum balloon_strategy strategy, struct balloon_terms *terms);

/* struct balloon_port's operations. -EAGAIN: no descriptor is free; -EIO: the queue is broken. */
int virtio_balloon_pages_inflate(struct balloon_batch *batch);
int virtio_balloon_pages_deflate(struct balloon_batch *batch);
void virtio_balloon_pages_kick(void);

/* Takes what the device has finished. -EIO: a queue is broken. */
int virtio_balloon_pages_take(void);

/* Tells whether virtio_balloon_pages_take() would find something to do. */
bool virtio_balloon_pages_has_news(void);

/* Tells the device whether to interrupt when it has finished something. */
void virtio_balloon_pages_want_interrupts(bool wanted);

/* Gives the queues back: the device was reset. */
void virtio_balloon_pages_stop(void);

/* Forgets the last device, which keeps what it has: another one comes. */
void virtio_balloon_pages_forget(void);

#endif
