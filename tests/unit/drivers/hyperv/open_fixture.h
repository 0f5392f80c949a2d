/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A host for tests of drivers/hyperv/vmbus_open.c, in place of vmbus_message.c, synic.c and
 * hyperv.c: it takes each message at once, and its answers come when they are waited for. Channels
 * and rings are the real ones.
 */
#ifndef TESTS_UNIT_DRIVERS_HYPERV_OPEN_FIXTURE_H
#define TESTS_UNIT_DRIVERS_HYPERV_OPEN_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "drivers/hyperv/synic.h"
#include "drivers/hyperv/vmbus_channel.h"
#include "drivers/hyperv/vmbus_internal.h"
#include "tests/sim/sim_frame.h"
#include "tests/sim/sim_log.h"
#include "tests/sim/sim_time.h"

#define RELID 9
#define CONNECTION 0x10009
#define POSTS_MAX 24

union posted {
	struct vmbus_header header;
	struct vmbus_gpadl_header gpadl_header;
	struct vmbus_gpadl_body gpadl_body;
	struct vmbus_gpadl_teardown teardown;
	struct vmbus_open open;
	struct vmbus_relid relid;
};

struct open_host {
	/* What was posted, whether it was taken or not. */
	union posted posted[POSTS_MAX];
	size_t sizes[POSTS_MAX];
	size_t posts;
	/* Messages of this type cannot be posted, at the n-th of them; 0: all can. */
	uint32_t failing;
	unsigned failing_at;
	int err;
	/* These are not answered, and those are with no. */
	uint32_t mute, refused;
	uint32_t rescinds_at; /* a message of this type: in place of the answer */
	uint32_t fails_at;    /* likewise: the host is given up */
	union vmbus_message answer;
	bool answers;
	uint32_t frames_left; /* of a list */
	const char *fault;
	bool has_left;
	unsigned ignored;
	/* Signals. */
	unsigned signals;
	uint32_t signalled;
	int signal_err;
	struct synic_listener *listener;
};

extern struct open_host host;

/* The channel of number RELID, offered and announced; a test may have another one. */
extern struct vmbus_channel *channel;

/* What the channel is opened with. */
extern struct wait_queue waiters;

/* What lies in the page of interrupts that channels share. */
extern uint64_t interrupt_page[FRAME_SIZE / sizeof(uint64_t)];

/* For a test's setup: a host that agrees to everything. Returns 0. */
int open_set_up(void **state);

/* Offers a channel, and announces it to nobody. */
struct vmbus_channel *open_offered(uint32_t relid);

/* Withdraws the channel of number RELID. */
void open_rescind(void);

/* Opens the channel with the smallest rings, and forgets what was posted for it. */
void open_channel(void);

#endif
