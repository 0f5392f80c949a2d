/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reporting queue (virtio 1.3, 5.5.6.7): the device's one interface for
 * ranges. It serves two ends.
 *
 * Free page reporting: whole blocks that are free, and have been quiet for a
 * while, are lent to the device (owner `reported`), which discards them on the
 * host, and return as free. A block is told once until it was used again.
 *
 * Leaving: blocks that are on their way into the balloon are told first as
 * ranges, and become `leaving`, because a host discards 2 MiB at once a
 * hundred times cheaper than 512 times 4 KiB.
 */
#ifndef DRIVERS_BALLOON_BALLOON_REPORT_H
#define DRIVERS_BALLOON_BALLOON_REPORT_H

#include "kernel/lib/types.h"

struct virtio_device;

/* Nothing is reported until no block has become free for this long. */
#define BALLOON_REPORT_QUIET_NS (NS_PER_S)

/* Makes queue `index`. With `poison` reported frames are filled with that byte first. */
int balloon_report_start(struct virtio_device *device, uint16_t index, const uint8_t *poison);

/* True if the queue exists: REPORTING was negotiated. */
bool balloon_report_present(void);

/* Takes what the device has finished. -EIO: the queue is broken. */
int balloon_report_step(void);

/* One request of free blocks, if it is time. Returns whether one was sent. */
bool balloon_report_free_blocks(void);

/*
 * One request of whole free blocks below `limit` that leave, at most `blocks`.
 * Returns how many frames were sent; 0: the queue is busy, or there are none.
 */
uint64_t balloon_report_leaving(uint64_t blocks, pfn_t limit);

/* Frames that leave, and are still with the device. */
uint64_t balloon_report_leaving_sent(void);

/* True while a request is with the device, and since when. */
bool balloon_report_busy(uint64_t *since);

/* True if balloon_report_step() would find something to do. */
bool balloon_report_has_news(void);

/* When there may be blocks to report, as a clock_ns() value; DEADLINE_NEVER: there are none. */
uint64_t balloon_report_next(void);

void balloon_report_set_interrupts(bool wanted);

/* The device was reset: what it had is free, and the queue goes. */
void balloon_report_stop(void);

/* Another device comes: nothing is counted, and what the last one has kept stays with it. */
void balloon_report_forget(void);

/* Since the start: frames reported as free, and requests for either end. */
void balloon_report_counts(uint64_t *frames, uint64_t *requests);

#endif
