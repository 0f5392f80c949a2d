/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A channel, for the two files that know what it is made of:
 *
 *   vmbus_channel.c  all of them, and what messages say of them
 *   vmbus_open.c     one that is opened, used, closed
 */
#ifndef DRIVERS_HYPERV_VMBUS_CHANNEL_H
#define DRIVERS_HYPERV_VMBUS_CHANNEL_H

#include "drivers/hyperv/synic.h"
#include "drivers/hyperv/vmbus.h"
#include "drivers/hyperv/vmbus_ring.h"

enum channel_state {
	CHANNEL_NONE,
	CHANNEL_NEW,	 /* offered, and nobody was told */
	CHANNEL_OFFERED, /* and announced */
	CHANNEL_OPEN,
	CHANNEL_CLOSING, /* the host has not let go of it, and is waited for */
};

struct vmbus_channel {
	enum channel_state state;
	bool rescinded;
	bool torn_down; /* the host has let go of what is open */
	struct vmbus_offer offer;
	struct vmbus_driver *driver;
	/* What is being asked for; 0: nothing. */
	uint32_t gpadl, open_id;
	bool answered;
	uint32_t status; /* with `answered`; 0: granted */
	/* While it is open. */
	unsigned order;
	void *memory;
	struct vmbus_rings rings;
	struct synic_listener listener;
	struct wait_queue *waiters;
	const char *fault;
	/* Why it is not open, though it was to be; NULL: it is, or nobody has tried. */
	const char *closed;
	uint64_t sent, received, signals;
};

/* Returns the channel after this one, the first after NULL; NULL: there are no more. */
struct vmbus_channel *vmbus_channels_next(struct vmbus_channel *channel);

/* Wakes whoever uses it. From an interrupt, too. */
void vmbus_channel_wake(struct vmbus_channel *channel);

#endif
