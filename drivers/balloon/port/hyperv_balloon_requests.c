/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's requests, from its message to the last answer; see hyperv_balloon_requests.h. */
#include "drivers/balloon/port/hyperv_balloon_requests.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "arch/clock.h"
#include "drivers/mem/hyperv_mem.h"

/* Requests in a row, before others have their turn. */
#define TURN_REQUESTS 16

/* An answer that is a whole message: a batch's ranges are the longest. */
union answer {
	struct dm_header header;
	struct dm_balloon_response_whole balloon;
	struct dm_hot_add_response hot_add;
	uint8_t bytes[DM_MESSAGE_MAX];
};

static struct {
	struct dm *dm;
	const struct balloon_port *port; /* whose balloon it is about */
	enum hyperv_request current;
	uint64_t since_ns; /* when it came */
	/* BALLOON: what is not offered yet. */
	uint64_t asked;
	/* UNBALLOON: the message is dm->message; how far it has been done. */
	size_t range;
	uint64_t offset; /* frames of that range */
	/* Answers. */
	union answer answer; /* one that is owed, while `owed`; else room to make one */
	bool owed;
	size_t wanted;	     /* bytes for which there was no room; 0: there was */
	uint64_t owed_awake; /* since when; with `wanted` */
	const char *fault;   /* what the host has asked for wrongly; NULL: nothing */
	struct hyperv_request_counts counts;
} requests;

void hyperv_requests_init(void)
{
	memset(&requests, 0, sizeof(requests));
}

void hyperv_requests_begin(struct dm *dm, const struct balloon_port *port)
{
	struct hyperv_request_counts counts = requests.counts;

	memset(&requests, 0, sizeof(requests));
	requests.counts = counts;
	requests.dm = dm;
	requests.port = port;
}

void hyperv_requests_get_counts(struct hyperv_request_counts *counts)
{
	*counts = requests.counts;
}

enum hyperv_request hyperv_requests_current(void)
{
	return requests.current;
}

uint64_t hyperv_requests_asked(void)
{
	return requests.asked;
}

uint64_t hyperv_requests_owed_awake(void)
{
	return requests.wanted > 0 ? requests.owed_awake : DEADLINE_NEVER;
}

/* ---- Answers ---- */

/* Sends an answer; for how long there was no room is known afterwards. */
static int send(void)
{
	size_t size = requests.answer.header.size;
	int err = dm_send(requests.dm, &requests.answer.header);

	if (err != -EAGAIN) {
		requests.wanted = 0;
	} else if (requests.wanted == 0) {
		requests.wanted = size;
		requests.owed_awake = clock_awake_ns();
	}
	return err;
}

/* Sends one that will go, now or later. */
static void owe(void)
{
	requests.owed = send() == -EAGAIN;
}

static void end_request(void)
{
	uint64_t us = (clock_ns() - requests.since_ns) / NS_PER_US;

	if (requests.current == HYPERV_REQUEST_BALLOON) {
		requests.counts.balloon_us = us;
		requests.counts.balloon_us_max = max_u64(requests.counts.balloon_us_max, us);
	}
	requests.current = HYPERV_REQUEST_NONE;
}

static void begin_balloon_response(size_t ranges, bool more)
{
	size_t size = sizeof(struct dm_balloon_response) + ranges * sizeof(uint64_t);
	struct dm_balloon_response_whole *response = &requests.answer.balloon;

	response->header = (struct dm_header){ .type = DM_BALLOON_RESPONSE,
					       .size = (uint16_t)size };
	response->reserved = 0;
	response->more_and_count = (uint32_t)ranges << DM_COUNT_SHIFT | (more ? DM_MORE : 0);
}

/* ---- BALLOON ---- */

/* That is all: what is still asked for cannot be had. */
static void end_balloon_short(void)
{
	begin_balloon_response(0, false);
	owe();
	requests.counts.messages++;
	end_request();
}

static void begin_balloon(const struct dm_balloon *message)
{
	requests.asked = message->pages;
	if (requests.asked == 0)
		end_balloon_short();
}

int hyperv_requests_inflate(struct balloon_batch *batch)
{
	uint64_t *range = requests.answer.balloon.range;
	int err;

	assert(!batch->deflates && batch->run_count <= HYPERV_BALLOON_RUNS);
	assert(batch->frames <= requests.asked && !requests.owed);
	begin_balloon_response(batch->run_count, batch->frames < requests.asked);
	for (size_t i = 0; i < batch->run_count; i++)
		range[i] = dm_range(batch->run[i].first, batch->run[i].count);
	err = send();
	if (err)
		return err;
	requests.asked -= batch->frames;
	requests.counts.messages++;
	requests.counts.frames[HYPERV_REQUEST_BALLOON] += batch->frames;
	/* The host has them from now on, and says no word about it. */
	balloon_batch_answered(batch);
	if (requests.asked == 0)
		end_request();
	return 0;
}

void hyperv_requests_short_of(uint64_t frames)
{
	/* While the ring has no room, what cannot be had now may be had later. */
	if (requests.current != HYPERV_REQUEST_BALLOON || requests.wanted > 0)
		return;
	frames = min_u64(frames, requests.asked);
	requests.asked -= frames;
	requests.counts.refused += frames;
	if (requests.asked == 0)
		end_balloon_short();
}

/* ---- UNBALLOON ---- */

/* Takes a piece of a range back. False: a frame of it was never the host's. */
static bool take_back(void)
{
	uint64_t range = requests.dm->message.unballoon.range[requests.range];
	uint64_t count = dm_range_count(range) - requests.offset;

	count = min_u64(count, BALLOON_FREE_FRAMES);
	/* Nor is a range of no frames at all. */
	if (balloon_return_run(requests.port, dm_range_first(range) + requests.offset, count))
		return false;
	requests.counts.frames[HYPERV_REQUEST_UNBALLOON] += count;
	requests.offset += count;
	if (requests.offset == dm_range_count(range)) {
		requests.range++;
		requests.offset = 0;
	}
	return true;
}

static void end_unballoon(void)
{
	if (!(requests.dm->message.unballoon.more & DM_MORE)) {
		requests.answer.header = (struct dm_header){ .type = DM_UNBALLOON_RESPONSE,
							     .size = sizeof(struct dm_header) };
		owe();
	}
	end_request();
}

/* Goes on for at most BALLOON_FREE_FRAMES frames, and what is left of a range. */
static void go_on_unballoon(void)
{
	uint64_t before = requests.counts.frames[HYPERV_REQUEST_UNBALLOON];

	while (requests.range < requests.dm->message.unballoon.range_count) {
		if (requests.counts.frames[HYPERV_REQUEST_UNBALLOON] - before >=
		    BALLOON_FREE_FRAMES)
			return;
		if (!take_back()) {
			requests.fault = "it gives back frames that are not in the balloon";
			vmbus_blame(requests.dm->channel, requests.fault);
			return;
		}
	}
	end_unballoon();
}

/* ---- HOT_ADD ---- */

static void begin_hot_add(const struct dm_hot_add *message)
{
	const struct hyperv_mem_request request = {
		.first = dm_range_first(message->range),
		.count = dm_range_count(message->range),
		.region_first = dm_range_first(message->region),
		.region_count = dm_range_count(message->region),
		.frames_max = requests.dm->pages_max,
	};

	hyperv_mem_begin(&request);
}

static void go_on_hot_add(void)
{
	const char *why;
	uint64_t added;
	bool more = hyperv_mem_step(&added, &why);

	/* What has come of one that never ends is counted, too. */
	requests.counts.frames[HYPERV_REQUEST_HOT_ADD] = hyperv_mem_frames();
	if (more)
		return;
	/* What cannot be used is about this range: of another the guest may have more use. */
	requests.answer.hot_add = (struct dm_hot_add_response){
		.header = { .type = DM_HOT_ADD_RESPONSE, .size = sizeof(requests.answer.hot_add) },
		.pages = (uint32_t)added,
		.result = added > 0 ? DM_HOT_ADD_DONE : 0,
	};
	owe();
	end_request();
}

/* ---- One after the other ---- */

static void begin(const union dm_message *message)
{
	requests.since_ns = clock_ns();
	switch (message->header.type) {
	case DM_BALLOON:
		requests.current = HYPERV_REQUEST_BALLOON;
		begin_balloon(&message->balloon);
		break;
	case DM_UNBALLOON:
		requests.current = HYPERV_REQUEST_UNBALLOON;
		requests.range = 0;
		requests.offset = 0;
		break;
	default:
		assert(message->header.type == DM_HOT_ADD);
		requests.current = HYPERV_REQUEST_HOT_ADD;
		begin_hot_add(&message->hot_add);
		break;
	}
}

/* Whether the next step is this side's: a request is under way, and not the core's business. */
static bool is_at_work(void)
{
	return requests.current == HYPERV_REQUEST_UNBALLOON ||
	       requests.current == HYPERV_REQUEST_HOT_ADD;
}

static void go_on(void)
{
	if (requests.current == HYPERV_REQUEST_UNBALLOON)
		go_on_unballoon();
	else
		go_on_hot_add();
}

const char *hyperv_requests_fault(void)
{
	const char *earlier = dm_fault(requests.dm);

	return earlier ? earlier : requests.fault;
}

/* Takes the next request out of the ring, if it is its turn. */
static int take_next(void)
{
	int err;

	if (requests.current != HYPERV_REQUEST_NONE)
		return -EAGAIN;
	err = dm_receive(requests.dm);
	if (!err) {
		begin(&requests.dm->message);
		requests.counts.requests[requests.current]++;
	}
	return err;
}

void hyperv_requests_take(void)
{
	if (hyperv_requests_fault())
		return;
	if (requests.owed)
		owe();
	for (unsigned i = 0; i < TURN_REQUESTS && !requests.owed; i++) {
		/* A piece of work is a turn. */
		if (is_at_work()) {
			go_on();
			return;
		}
		if (take_next())
			return;
	}
}

bool hyperv_requests_have_news(void)
{
	if (hyperv_requests_fault())
		return true;
	if (requests.wanted > 0)
		return vmbus_has_room(requests.dm->channel, requests.wanted);
	return is_at_work() ||
	       (requests.current == HYPERV_REQUEST_NONE && vmbus_has_message(requests.dm->channel));
}
