/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reporting queue (virtio 1.3, 5.5.6.7): the device's one interface for ranges,
 * whichever end the core uses them for. One chain is with it at a time.
 */
#ifndef DRIVERS_BALLOON_PORT_VIRTIO_BALLOON_REPORT_H
#define DRIVERS_BALLOON_PORT_VIRTIO_BALLOON_REPORT_H

#include "drivers/balloon/balloon_port.h"

struct virtio_device;

/* Makes queue `index`. -ENODEV, -EINVAL, -ENOMEM, -EIO: as virtq_create(). */
int virtio_balloon_report_start(struct virtio_device *device, uint16_t index);

/* Stores in `terms` whether there are ranges, and how many go at a time. */
void virtio_balloon_report_terms(struct balloon_terms *terms);

/* struct balloon_port's operation; with PAGE_POISON fills the frames first. -EIO: broken. */
int virtio_balloon_report_send(const struct frame_run *ranges, size_t count);

/* Takes what the device has finished. -EIO: the queue is broken. */
int virtio_balloon_report_take(void);

/* Tells whether virtio_balloon_report_take() would find something to do. */
bool virtio_balloon_report_has_news(void);

/* Tells the device whether to interrupt when it is done with a chain. */
void virtio_balloon_report_want_interrupts(bool wanted);

/* Gives the queue back: the device was reset. */
void virtio_balloon_report_stop(void);

/* Forgets the last device, which keeps what it has: another one comes. */
void virtio_balloon_report_forget(void);

#endif
