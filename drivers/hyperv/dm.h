/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dm.c: Hyper-V's dynamic memory, one message after the other, over a channel of VMBus. It
 * agrees with the host on a version and on what both can do, and checks each message of the
 * host's: what it hands on is a copy, and as long as it says. What the messages ask for is others'
 * business. Tasks only.
 */
#ifndef DRIVERS_HYPERV_DM_H
#define DRIVERS_HYPERV_DM_H

#include "drivers/hyperv/dm_abi.h"
#include "drivers/hyperv/vmbus.h"

/* The two messages that have ranges (dm_abi.h), as long as they may be. */
struct dm_unballoon_whole {
	struct dm_header header;
	uint32_t more;
	uint32_t range_count;
	uint64_t range[DM_RANGES_MAX];
};

struct dm_balloon_response_whole {
	struct dm_header header;
	uint32_t reserved;
	uint32_t more_and_count;
	uint64_t range[DM_RANGES_MAX];
};

_Static_assert(sizeof(struct dm_unballoon_whole) == DM_MESSAGE_MAX &&
		       sizeof(struct dm_balloon_response_whole) == DM_MESSAGE_MAX,
	       "a message of ranges alone");
_Static_assert(offsetof(struct dm_unballoon_whole, range) == sizeof(struct dm_unballoon) &&
		       offsetof(struct dm_balloon_response_whole, range) ==
			       sizeof(struct dm_balloon_response),
	       "they begin as in dm_abi.h");

/* A message of the host's; `header.size` bytes of it are its, and those that its type has. */
union dm_message {
	struct dm_header header;
	struct dm_version_response version_response;
	struct dm_capabilities_response capabilities_response;
	struct dm_balloon balloon;
	struct dm_unballoon_whole unballoon; /* all ranges that it counts are there */
	struct dm_hot_add hot_add;	     /* region is 0 where there was none */
	struct dm_info info;
	uint8_t bytes[DM_MESSAGE_MAX];
};

struct dm_counts {
	uint64_t sent, received, ignored; /* messages */
};

struct dm {
	struct vmbus_channel *channel; /* NULL: it is not started */
	bool stopping;
	uint32_t version;
	bool wants_status;
	uint64_t pages_max;	  /* that the guest may ever have, says the host; 0: it does not */
	union dm_message message; /* the last one, since dm_receive() returned 0 */
	uint32_t transaction;
	const char *fault; /* of a message; see dm_fault() */
	struct dm_counts counts;
};

/*
 * Opens the channel, and agrees: `capabilities` are DM_CAP_* of ours. `waiters` is woken by the
 * channel. Each wait for an answer ends within VMBUS_DEADLINE_NS. -ENOTSUP: no version, or not
 * these capabilities; -EIO: dm_fault(); else vmbus_open()'s; the channel is closed then. If
 * somebody is about to stop it, waits for that first.
 */
int dm_start(struct dm *dm, struct vmbus_channel *channel, uint64_t capabilities,
	     struct wait_queue *waiters);

/* Closes the channel, if there is one; if somebody else is about to, waits for that. */
void dm_stop(struct dm *dm);

/* Says why the host cannot be used any more, a clause for people; NULL: it can. */
const char *dm_fault(const struct dm *dm);

/*
 * Takes the next message that asks for something into `dm->message`. -EAGAIN: there is none, or
 * none among the next few, and vmbus_has_message() says that there are more; -EIO: see dm_fault().
 */
int dm_receive(struct dm *dm);

/*
 * Sends a message, whose header's transaction is filled in here. -EAGAIN: there is no room now;
 * -EIO.
 */
int dm_send(struct dm *dm, struct dm_header *message);

/* Packs a run of frames as messages have it. It must fit: DM_RANGE_COUNT_MAX. */
uint64_t dm_range(uint64_t first, uint64_t count);
uint64_t dm_range_first(uint64_t range);
uint64_t dm_range_count(uint64_t range);

#endif
