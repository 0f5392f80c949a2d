/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hyper-V's interface to its guests, as far as it is used here:
 *
 *   hyperv.c	      hypercalls, each with its input in one frame
 *   synic.c	      messages and events: how Hyper-V reaches a guest (TLFS 11)
 *   vmbus_ring.c     the rings of a channel: pure, bounds on all that the host writes
 *   vmbus.c	      the connection: versions, offers, the end
 *   vmbus_message.c  its messages
 *   vmbus_channel.c  its channels
 *   vmbus_open.c     one of them: opened, written and read, closed
 *   vmbus_cmd.c      the command `vmbus`
 *   dm.c	      dynamic memory's messages, over one channel
 *
 * This header: hypercalls. Tasks only. What Hyper-V answers is input.
 */
#ifndef DRIVERS_HYPERV_HYPERV_H
#define DRIVERS_HYPERV_HYPERV_H

#include "drivers/hyperv/hyperv_abi.h"
#include "kernel/lib/types.h"

/*
 * Takes the frame that all inputs lie in; again: does nothing. -ENODEV: there is no Hyper-V;
 * -ENOMEM.
 */
int hyperv_start(void);

/* Frees it, if there is one. */
void hyperv_stop(void);

/* Returns the number of this processor, where interrupts go; 0 if it is not told. */
uint32_t hyperv_vp_index(void);

/*
 * Posts a message, which is copied. -EAGAIN: there is no room at the moment; -ENXIO: there is no
 * such connection, or it was used too often just now; -EIO: anything else. After hyperv_start().
 */
int hyperv_post_message(uint32_t connection, const void *payload, size_t size);

/* Signals an event. -ENXIO, -EIO. From an interrupt, too. */
int hyperv_signal_event(uint32_t connection);

/* Returns which extended hypercalls there are: HV_EXT_*; 0: none. After hyperv_start(). */
uint64_t hyperv_ext_capabilities(void);

/* Contiguous blocks of 2 MiB, from address `first` * 2 MiB on. */
struct hyperv_blocks {
	uint64_t first;
	uint64_t count; /* 1 to HYPERV_COLD_BLOCKS_MAX */
};

#define HYPERV_COLD_BLOCKS_MAX (HV_HEAT_MORE_MASK + 1)

/*
 * Hints that what these blocks hold is of no use, 1 to HV_HEAT_RANGES ranges of them; they remain
 * the guest's. Returns 0 if Hyper-V has taken all of them. -EIO: it has not; -ENODEV: this is
 * before hyperv_start(), or after hyperv_stop().
 */
int hyperv_discard_cold(const struct hyperv_blocks *ranges, size_t count);

#endif
