/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMBus: channels that Hyper-V offers, for their drivers. Each driver names the type of channels
 * that it is for; the task `vmbus` tells it of those that are offered, and of those that are
 * withdrawn (rescinded). A channel that is open is two rings, one each way.
 *
 * Every wait for the host ends within VMBUS_DEADLINE_NS in which the guest ran. A host that
 * breaks the rules is given up, with a line in the log: then all channels are gone. Tasks only.
 */
#ifndef DRIVERS_HYPERV_VMBUS_H
#define DRIVERS_HYPERV_VMBUS_H

#include "drivers/hyperv/vmbus_abi.h"
#include "kernel/task/task.h"

#define VMBUS_DEADLINE_NS (2 * NS_PER_S)

struct vmbus_channel;

/* The driver's; in use for ever, once it is registered. */
struct vmbus_driver {
	struct vmbus_guid type;
	/* A channel is there, closed. In the task `vmbus`; may wait. */
	void (*offered)(struct vmbus_channel *channel);
	/*
	 * The channel is withdrawn. The driver is done with it when this returns: what is open then
	 * is closed, and the channel is nobody's. In the task `vmbus`; may wait.
	 */
	void (*rescinded)(struct vmbus_channel *channel);
	/*
	 * Some time has passed, a second at most, or messages have come: for what the driver wants
	 * to try again, or begin later. In the task `vmbus`; may wait. NULL: it never does.
	 */
	void (*look)(struct vmbus_channel *channel);
	struct vmbus_driver *next; /* the list's */
};

/* Registers a driver, before vmbus_start(). */
void vmbus_register(struct vmbus_driver *driver);

/*
 * Starts the task `vmbus`, which connects. -ENODEV: there is no Hyper-V with what VMBus needs;
 * -ENOMEM, -EAGAIN: no task; else synic_start()'s.
 */
int vmbus_start(void);

/*
 * Leaves VMBus, before the machine ends: the host keeps no pointer into this guest's memory if it
 * answers. Channels that are open only look so from then on: nothing reaches the host.
 */
void vmbus_unload(void);

/* ---- A channel, for its driver ---- */

/* Pages of data in each ring of a channel of `order`: the rings take 2^order frames. */
#define VMBUS_ORDER_MIN 2
#define VMBUS_ORDER_MAX 7

/*
 * Opens a channel: rings of 2^order frames, both together. `waiters` is woken by the host's
 * signals, in an interrupt, and when the channel is gone. -ENODEV: it is gone; -EIO: the host
 * would not; -ENOMEM; -ETIMEDOUT: no answer. If somebody is about to close it, waits for that.
 */
int vmbus_open(struct vmbus_channel *channel, unsigned order, struct wait_queue *waiters);

/*
 * Closes it, if it is open; if somebody else is about to do so, waits until it is closed: in either
 * case nothing of it is in use after this. Memory that the host does not let go of is lost.
 */
void vmbus_close(struct vmbus_channel *channel);

/*
 * Says why the channel cannot be used any more, a clause for people; NULL: it can. With
 * interrupts off, too.
 */
const char *vmbus_fault(const struct vmbus_channel *channel);

/*
 * Ends the use of an open channel, but for vmbus_close(): what its driver has found wrong with the
 * host, a clause for people, which vmbus_fault() says from now on. The first one stays.
 */
void vmbus_blame(struct vmbus_channel *channel, const char *why);

/*
 * Writes a message, and signals the host if need be. -EAGAIN: there is no room, and `waiters` will
 * be woken when there is; -EIO: vmbus_fault() says why. While it is open, as all below.
 */
int vmbus_send(struct vmbus_channel *channel, const void *message, size_t size,
	       uint64_t transaction);

/* Tells whether vmbus_send() would find room for so much, or fail. */
bool vmbus_has_room(struct vmbus_channel *channel, size_t size);

/* Takes the next message of at most `room` bytes. -EAGAIN: there is none; -EIO. */
int vmbus_receive(struct vmbus_channel *channel, void *message, size_t room, size_t *size);

/* Tells whether vmbus_receive() would find something, or fail. With interrupts off, too. */
bool vmbus_has_message(const struct vmbus_channel *channel);

/* Says whether the host is to signal when it has written. It is, after vmbus_open(). */
void vmbus_want_signals(struct vmbus_channel *channel, bool wanted);

/* ---- For people ---- */

#define VMBUS_GUID_TEXT_MAX 37

/* Writes a GUID as people do: "525074dc-8985-46e2-8057-a307dc18a502". */
void vmbus_format_guid(const struct vmbus_guid *guid, char text[VMBUS_GUID_TEXT_MAX]);

struct vmbus_channel_info {
	struct vmbus_guid type, instance;
	uint32_t relid, connection;
	bool open;
	bool withdrawn;
	const char *fault;  /* vmbus_fault()'s */
	const char *closed; /* why it is not open, though somebody has tried: a clause; NULL */
	uint64_t sent, received, signals; /* messages, and hypercalls */
};

/* Stores what is known of the i-th channel, from 0 on; false: there are no more. */
bool vmbus_get_channel(size_t i, struct vmbus_channel_info *info);

struct vmbus_info {
	uint32_t version;    /* 0: it is not connected */
	uint64_t connect_us; /* from the start of the task to the host's yes */
	const char *fault;   /* why it is not used, or not any more; NULL */
	bool all_offers;     /* the host has said that these are all */
	bool looking;	     /* the host is still being asked for VMBus, or for what it offers */
	uint64_t posted, taken, ignored;
};

/* Stores the connection's state. Returns false where there is no VMBus, or not yet. */
bool vmbus_get_info(struct vmbus_info *info);

#endif
