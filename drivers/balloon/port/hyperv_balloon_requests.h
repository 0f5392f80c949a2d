/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hyperv_balloon_requests.c: what the host asks for by dynamic memory, one request after the other:
 * while one is being done, the next ones wait in the ring.
 *
 *	BALLOON n	n frames go as batches of the core's; each is a BALLOON_RESPONSE, and
 *			the host has its frames as soon as it is written. The last one, which
 *			may be empty, says that there are no more.
 *	UNBALLOON	its ranges come back, if each of their frames is in the balloon
 *	HOT_ADD		what can be used of the range is mapped and free
 *
 * An answer for which the ring has no room is owed, and nothing else is done before it has gone.
 */
#ifndef DRIVERS_BALLOON_PORT_HYPERV_BALLOON_REQUESTS_H
#define DRIVERS_BALLOON_PORT_HYPERV_BALLOON_REQUESTS_H

#include "drivers/balloon/balloon_port.h"
#include "drivers/hyperv/dm.h"

/* What a batch may have: a range a run, of which each has a count of 24 bits. */
#define HYPERV_BALLOON_RUNS DM_RANGES_MAX
#define HYPERV_BALLOON_BLOCK_FRAMES (DM_RANGE_COUNT_MAX / BLOCK_FRAMES * BLOCK_FRAMES)

enum hyperv_request {
	HYPERV_REQUEST_NONE,
	HYPERV_REQUEST_BALLOON,
	HYPERV_REQUEST_UNBALLOON,
	HYPERV_REQUEST_HOT_ADD,
	HYPERV_REQUESTS,
};

/* Forgets all that was counted: at boot. */
void hyperv_requests_init(void);

/* Begins with a host that was just agreed with: it has asked for nothing. `dm` stays in use. */
void hyperv_requests_begin(struct dm *dm, const struct balloon_port *port);

/* Does what the host has asked for, for some milliseconds. */
void hyperv_requests_take(void);

/* Says what the host has done that no host may do, a clause for people; NULL: nothing. */
const char *hyperv_requests_fault(void);

/* Tells whether hyperv_requests_take() would do something. With interrupts off, too. */
bool hyperv_requests_have_news(void);

/* Counts the frames that the host still wants on top. */
uint64_t hyperv_requests_asked(void);

/* As a port's inflate() and short_of(). -EAGAIN, -EIO. */
int hyperv_requests_inflate(struct balloon_batch *batch);
void hyperv_requests_short_of(uint64_t frames);

/* As a port's sent_awake(): since when an answer has found no room. */
uint64_t hyperv_requests_owed_awake(void);

struct hyperv_request_counts {
	uint64_t requests[HYPERV_REQUESTS];  /* done, or under way */
	uint64_t frames[HYPERV_REQUESTS];    /* that were moved by them */
	uint64_t messages;		     /* BALLOON_RESPONSE */
	uint64_t refused;		     /* frames that were asked for, and were not there */
	uint64_t balloon_us, balloon_us_max; /* from a BALLOON to its last response */
};

/* Stores what was done since boot. */
void hyperv_requests_get_counts(struct hyperv_request_counts *counts);

/* What is being done now. */
enum hyperv_request hyperv_requests_current(void);

#endif
