/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of VMBus share:
 *
 *   vmbus_message.c  messages to and from the host, waits for answers, the end of a host
 *   vmbus_channel.c  the channels, and what messages say of them
 *   vmbus_open.c     one that is opened, used, closed
 *   vmbus.c	      the connection, and the task
 *
 * Whoever waits for an answer takes the messages that come meanwhile: there is one way for all of
 * them, and it changes nothing but what is known. What has to be done about it is done by the
 * task `vmbus`.
 */
#ifndef DRIVERS_HYPERV_VMBUS_INTERNAL_H
#define DRIVERS_HYPERV_VMBUS_INTERNAL_H

#include "drivers/hyperv/hyperv_abi.h"
#include "drivers/hyperv/vmbus.h"

/* ---- vmbus_message.c ---- */

/* A message of the host's, of which no more than `size` bytes are its; the rest is 0. */
union vmbus_message {
	struct vmbus_header header;
	struct vmbus_version_response version_response;
	struct vmbus_offer offer;
	struct vmbus_relid relid;
	struct vmbus_gpadl_created gpadl_created;
	struct vmbus_gpadl_torndown gpadl_torndown;
	struct vmbus_open_result open_result;
	uint8_t bytes[HV_MESSAGE_PAYLOAD];
};

/*
 * Begins: all messages of the host's go to `handle`, which returns what is wrong with one, or
 * NULL. `waiters` is woken by the SynIC.
 */
void vmbus_message_begin(const char *(*handle)(const union vmbus_message *message));

/* Who waits for messages, or for what they have changed. */
struct wait_queue *vmbus_message_waiters(void);

/* Where messages are posted from now on. */
void vmbus_message_set_connection(uint32_t connection);

/*
 * Posts a message; waits for room. -ENXIO: there is no connection for INITIATE_CONTACT; -EIO: it
 * does not go; -ETIMEDOUT.
 */
int vmbus_post(const void *message, size_t size);

/* From now on nothing is posted, and no answer waited for; whether it is so. */
void vmbus_message_leave(void);
bool vmbus_message_has_left(void);

/* Handles what has come, but not for ever. Returns whether it may have left something. */
bool vmbus_message_take(void);

/*
 * Waits until `done` says so of `arg`. -EIO: the host was given up; -ETIMEDOUT: it is not so after
 * VMBUS_DEADLINE_NS.
 */
int vmbus_await(bool (*done)(const void *arg), const void *arg);

/* Counts a message that is of no use: late, or about nothing that is known. Returns NULL. */
const char *vmbus_ignore(void);

/* Gives the host up, with a line; the first reason stays. */
void vmbus_give_up(const char *why);

/* Why it was given up; NULL: it was not. */
const char *vmbus_host_fault(void);

struct vmbus_message_counts {
	uint64_t posted, taken, ignored;
};

/* Stores what went and came. */
void vmbus_message_get_counts(struct vmbus_message_counts *counts);

/* ---- vmbus_channel.c ---- */

/* Forgets all channels. */
void vmbus_channels_begin(void);

/* What a message about channels says. Returns what is wrong with it, or NULL. */
const char *vmbus_channels_handle(const union vmbus_message *message);

/* Finds a channel that was offered and has not been announced, or NULL. */
struct vmbus_channel *vmbus_channels_new(void);

/* Finds one that was withdrawn, or NULL. */
struct vmbus_channel *vmbus_channels_rescinded(void);

/* Its type; its driver, once it was announced. */
const struct vmbus_guid *vmbus_channel_type(const struct vmbus_channel *channel);
struct vmbus_driver *vmbus_channel_driver(const struct vmbus_channel *channel);

/* Notes that it was announced, to this driver or to nobody. */
void vmbus_channel_announce(struct vmbus_channel *channel, struct vmbus_driver *driver);

/* Has drivers look at channels that were announced to them, and not withdrawn. */
void vmbus_channels_look(void);

/* The host was given up: whoever waits for a channel is woken. */
void vmbus_channels_wake_all(void);

/* ---- vmbus_open.c ---- */

/* Before the first is opened: the page is for hosts that have one interrupt for all channels. */
void vmbus_open_begin(void *interrupt_page);

/* Closes a channel that was withdrawn, tells the host so, and forgets it. */
void vmbus_channel_release(struct vmbus_channel *channel);

/* Tells the host that all are closed, and waits for nothing. */
void vmbus_close_all(void);

#endif
