/* SPDX-License-Identifier: BSD-2-Clause */
/* Which balloon, settings, names, status; and what a reader from outside finds: balloon_dump.h. */
#include "drivers/balloon/balloon_state.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon.h"
#include "drivers/balloon/balloon_account.h"
#include "drivers/balloon/balloon_place.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "kernel/lib/log.h"
#include "mm/ledger.h"
#include "mm/vm_events.h"

struct balloon balloons[BALLOONS];
struct balloon_config balloon_config;

/* ---- Which balloon ---- */

static const struct balloon_owners owners[BALLOONS] = {
	{ OWNER_BALLOON, OWNER_LEAVING },
	{ OWNER_BALLOON_2, OWNER_LEAVING_2 },
};

static struct event_ring *const rings[BALLOONS] = { &balloon_events, &balloon_2_events };

const struct balloon_owners *balloon_owners(size_t number)
{
	assert(number < BALLOONS);
	return &owners[number];
}

bool balloon_is_taken(const struct balloon *balloon)
{
	return balloon->status.present || balloon->attaching || balloon->removing;
}

struct balloon *balloon_of(const struct balloon_port *port)
{
	for (struct balloon *balloon = balloons; balloon < BALLOONS_END; balloon++)
		if (balloon->port == port && balloon_is_taken(balloon))
			return balloon;
	return NULL;
}

bool balloon_is_attached(const struct balloon_port *port)
{
	const struct balloon *balloon = balloon_of(port);

	return balloon && balloon->status.present;
}

void balloon_forget(struct balloon *balloon)
{
	size_t number = (size_t)(balloon - balloons);

	memset(balloon, 0, sizeof(*balloon));
	balloon->owners = &owners[number];
	balloon->label = owner_name(balloon->owners->balloon);
	balloon->events = rings[number];
	balloon->terms.best = BALLOON_PORTABLE;
	balloon->refusal.events = balloon->events;
}

/* ---- Where the frames stand ---- */

bool balloon_is_alive(const struct balloon *balloon)
{
	return balloon->status.present && !balloon->status.broken;
}

uint64_t balloon_frames_given(const struct balloon *balloon)
{
	return ledger_count(balloon->owners->balloon) + ledger_count(balloon->owners->leaving) +
	       balloon_batches_inflating(&balloon->batches) +
	       balloon_ranges_leaving(&balloon->ranges);
}

uint64_t balloon_floor(void)
{
	return max_u64(balloon_config.floor, vm_events.reserve);
}

uint64_t balloon_spare(void)
{
	uint64_t free = ledger_count(OWNER_FREE);

	return free - min_u64(free, balloon_floor());
}

uint64_t balloon_frames_spare(void)
{
	return balloon_place_spare(balloon_floor());
}

/* Whether it wants nothing for a while, whatever the host says. */
static bool is_held_off(const struct balloon *balloon)
{
	return clock_ns() < balloon->hold_off_end || balloon_refusal_pause_end(&balloon->refusal);
}

uint64_t balloon_frames_short(const struct balloon *balloon)
{
	return balloon_shortfall(balloon->status.target, balloon_frames_given(balloon),
				 is_held_off(balloon) ? 0 : balloon_frames_spare());
}

/* ---- When there are too few ---- */

static void (*on_short)(uint64_t frames);

void balloon_set_short_hook(void (*hook)(uint64_t frames))
{
	on_short = hook;
}

void balloon_tell_short(const struct balloon *balloon, uint64_t frames)
{
	if (on_short && !is_held_off(balloon))
		on_short(frames);
}

void balloon_tell_actual(struct balloon *balloon, uint64_t actual)
{
	if (balloon->port->write_actual)
		balloon->port->write_actual(actual);
	balloon->status.actual = actual;
}

/* ---- Settings ---- */

static void ask_terms(struct balloon *balloon)
{
	struct balloon_terms *terms = &balloon->terms;

	*terms = (struct balloon_terms){ 0 };
	balloon->port->terms(balloon->strategy, terms);
	assert(terms->best != BALLOON_AUTO && terms->best < BALLOON_STRATEGIES);
	assert(terms->best != BALLOON_RANGE_FIRST || terms->ranges > 0);
	assert(terms->batches > 0 && terms->batches <= BALLOON_BATCHES);
	assert(terms->batch_frames > 0 && terms->batch_frames <= BALLOON_BATCH_RUNS);
	assert(terms->batch_runs > 0 && terms->batch_runs <= BALLOON_BATCH_RUNS);
	assert(terms->batch_block_frames >= BLOCK_FRAMES ||
	       (terms->batch_block_frames > 0 && BLOCK_FRAMES % terms->batch_block_frames == 0 &&
		terms->batch_block_frames <= terms->batch_frames));
	assert(terms->ranges <= BALLOON_RANGES);
	assert(terms->ranges == 0 || (balloon->port->send_ranges && terms->range_blocks > 0));
}

void balloon_agree(struct balloon *balloon)
{
	balloon->strategy = balloon_config.strategy;
	ask_terms(balloon);
	if (balloon->strategy != BALLOON_RANGE_FIRST || balloon->terms.ranges > 0)
		return;
	balloon->strategy = BALLOON_AUTO;
	ask_terms(balloon);
	/* At the end: the log may wait, and the host may go meanwhile. */
	log_warn("%s: range-first needs %s; it is auto now", balloon->label,
		 balloon_ranges_need(balloon));
}

enum balloon_strategy balloon_effective_strategy(const struct balloon *balloon)
{
	return balloon->strategy == BALLOON_AUTO ? balloon->terms.best : balloon->strategy;
}

/* Whether any host takes ranges. */
static bool can_have_ranges(void)
{
	for (struct balloon *balloon = balloons; balloon < BALLOONS_END; balloon++)
		if (balloon->terms.ranges > 0)
			return true;
	return false;
}

int balloon_set_strategy(enum balloon_strategy strategy)
{
	assert(strategy < BALLOON_STRATEGIES);
	if (strategy == BALLOON_RANGE_FIRST && !can_have_ranges())
		return -ENOTSUP;
	balloon_config.strategy = strategy;
	for (struct balloon *balloon = balloons; balloon < BALLOONS_END; balloon++)
		if (balloon->running)
			balloon_agree(balloon);
	return 0;
}

void balloon_set_floor(uint64_t floor)
{
	balloon_config.floor = floor;
}

bool balloon_poison(uint8_t *byte)
{
	*byte = balloon_config.poison_byte;
	return balloon_config.poison;
}

/* ---- Names ---- */

const char *balloon_ranges_need(const struct balloon *balloon)
{
	return balloon->port->ranges_need ? balloon->port->ranges_need : "a host that takes ranges";
}

static const char *const fault_sentences[BALLOON_FAULT_COUNT] = {
#define BALLOON_FAULT_SENTENCE(constant, sentence) [constant] = (sentence),
	BALLOON_FAULTS(BALLOON_FAULT_SENTENCE)
};

const char *balloon_fault_sentence(enum balloon_fault fault)
{
	assert(fault < BALLOON_FAULT_COUNT);
	return fault_sentences[fault];
}

/* ---- Status ---- */

size_t balloon_count(void)
{
	size_t count = 0;

	for (size_t i = 0; i < BALLOONS; i++)
		count += balloons[i].status.present;
	return count;
}

bool balloon_status_of(size_t number, struct balloon_status *status)
{
	const struct balloon *balloon = &balloons[number];

	assert(number < BALLOONS);
	*status = balloon->status;
	status->name = balloon->port ? balloon->port->name : "";
	status->floor = balloon_config.floor;
	status->strategy = status->present ? balloon->strategy : balloon_config.strategy;
	status->effective = balloon_effective_strategy(balloon);
	status->shortfall = status->present ? balloon_frames_short(balloon) : 0;
	return status->present;
}

void balloon_status(struct balloon_status *sum)
{
	struct balloon_status one;

	balloon_status_of(0, sum);
	for (size_t i = 1; i < BALLOONS; i++) {
		if (!balloon_status_of(i, &one))
			continue;
		if (!sum->present) {
			*sum = one;
			continue;
		}
		sum->target += one.target;
		sum->actual += one.actual;
		sum->shortfall += one.shortfall;
		sum->oom_events += one.oom_events;
		sum->oom_frames += one.oom_frames;
	}
}

void balloon_get_taken_back(const struct balloon_port *port, uint64_t *events, uint64_t *frames)
{
	const struct balloon *balloon = balloon_of(port);

	*events = balloon ? balloon->status.oom_events : 0;
	*frames = balloon ? balloon->status.oom_frames : 0;
}

void balloon_get_tries(const struct balloon_port *port, struct balloon_tries *tries)
{
	static const struct balloon_refusals none;
	const struct balloon *balloon = balloon_of(port);

	balloon_refusal_tries(balloon ? &balloon->refusal : &none, tries);
}

uint64_t balloon_frames_of(const struct balloon_port *port)
{
	const struct balloon *balloon = balloon_of(port);

	return balloon ? ledger_count(balloon->owners->balloon) : 0;
}

/* ---- For ports: which of their host's are meant ---- */

void balloon_ranges_answered(const struct frame_run *ranges)
{
	struct balloon *balloon = balloons;

	while (balloon->ranges.range != ranges) {
		balloon++;
		assert(balloon < BALLOONS_END);
	}
	balloon_ranges_end(&balloon->ranges);
}

int balloon_return_run(const struct balloon_port *port, pfn_t first, uint64_t count)
{
	struct balloon *balloon = balloon_of(port);

	assert(balloon);
	return balloon_batches_return_run(&balloon->batches, first, count);
}

#define OFFSET(field) ((uint32_t)offsetof(struct balloon, field))

const struct balloon_dump balloon_dump = {
	.version = BALLOON_DUMP_VERSION,
	.size = sizeof(struct balloon_dump),
	.floor = (uintptr_t)&balloon_config.floor,
	.balloons = (uintptr_t)balloons,
	.balloon_count = BALLOONS,
	.balloon_size = sizeof(struct balloon),
	.present = OFFSET(status.present),
	.deflate_on_oom = OFFSET(status.deflate_on_oom),
	.target = OFFSET(status.target),
	.actual = OFFSET(status.actual),
	.name = OFFSET(name),
	.owner_balloon = { OWNER_BALLOON, OWNER_BALLOON_2 },
	.owner_leaving = { OWNER_LEAVING, OWNER_LEAVING_2 },
	.owner_in_flight = OWNER_IN_FLIGHT,
};
_Static_assert(BALLOONS == BALLOON_DUMP_BALLOONS, "each balloon is in the dump");
