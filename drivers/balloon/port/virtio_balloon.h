/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The balloon of virtio (virtio 1.3, 5.5) as a port of the balloon's core.
 *
 *   virtio_balloon.c		the port: negotiation, config, its queues as a table
 *   virtio_balloon_pages.c	the inflate and deflate queues
 *   virtio_balloon_stats.c	the statistics queue
 *   virtio_balloon_hint.c	the hinting queue
 *   virtio_balloon_report.c	the reporting queue
 *   virtio_balloon_cmd.c		the command `features`
 *   virtio_balloon_names.h	feature bits and statistics, by number and by name
 */
#ifndef DRIVERS_BALLOON_PORT_VIRTIO_BALLOON_H
#define DRIVERS_BALLOON_PORT_VIRTIO_BALLOON_H

#include "drivers/balloon/port/virtio_balloon_names.h"

/*
 * Takes the first virtio balloon, now or when one is plugged in; after balloon_init().
 * -ENODEV: there is none yet, which is no fault; other errors have been logged.
 */
int virtio_balloon_start(void);

#endif
