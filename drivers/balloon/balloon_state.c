/* SPDX-License-Identifier: BSD-2-Clause */
/* Settings, names, status; and what a reader from outside finds: balloon_dump.h. */
#include "drivers/balloon/balloon_state.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon_account.h"
#include "drivers/balloon/balloon_batch.h"
#include "drivers/balloon/balloon_dump.h"
#include "drivers/balloon/balloon_place.h"
#include "drivers/balloon/balloon_ranges.h"
#include "drivers/balloon/balloon_refusal.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "kernel/lib/log.h"
#include "mm/ledger.h"

struct balloon_state balloon;

/* ---- Where the frames stand ---- */

bool balloon_is_alive(void)
{
	return balloon.status.present && !balloon.status.broken;
}

uint64_t balloon_frames_given(void)
{
	return ledger_count(OWNER_BALLOON) + ledger_count(OWNER_LEAVING) +
	       balloon_batches_inflating() + balloon_ranges_leaving();
}

uint64_t balloon_spare(void)
{
	uint64_t free = ledger_count(OWNER_FREE);

	return free - min_u64(free, balloon.config.floor);
}

uint64_t balloon_frames_spare(void)
{
	return balloon_place_spare(balloon.config.floor);
}

uint64_t balloon_frames_short(void)
{
	bool held_off = clock_ns() < balloon.hold_off_end || balloon_refusal_pause_end();

	return balloon_shortfall(balloon.status.target, balloon_frames_given(),
				 held_off ? 0 : balloon_frames_spare());
}

void balloon_tell_actual(uint64_t actual)
{
	if (balloon.port->write_actual)
		balloon.port->write_actual(actual);
	balloon.status.actual = actual;
}

/* ---- Settings ---- */

static void ask_terms(struct balloon_terms *terms)
{
	*terms = (struct balloon_terms){ 0 };
	balloon.port->terms(balloon.config.strategy, terms);
	assert(terms->best != BALLOON_AUTO && terms->best < BALLOON_STRATEGIES);
	assert(terms->best != BALLOON_RANGE_FIRST || terms->ranges > 0);
	assert(terms->batches > 0 && terms->batches <= BALLOON_BATCHES);
	assert(terms->batch_frames > 0 && terms->batch_frames <= BALLOON_BATCH_RUNS);
	assert(terms->batch_runs > 0 && terms->batch_runs <= BALLOON_BATCH_RUNS);
	assert(terms->batch_block_frames >= BLOCK_FRAMES ||
	       (terms->batch_block_frames > 0 && BLOCK_FRAMES % terms->batch_block_frames == 0 &&
		terms->batch_block_frames <= terms->batch_frames));
	assert(terms->ranges <= BALLOON_RANGES);
	assert(terms->ranges == 0 || (balloon.port->send_ranges && terms->range_blocks > 0));
}

void balloon_agree(void)
{
	ask_terms(&balloon.terms);
	if (balloon.config.strategy != BALLOON_RANGE_FIRST || balloon.terms.ranges > 0)
		return;
	log_warn("balloon: range-first needs %s; it is auto now", balloon_ranges_need());
	balloon.config.strategy = BALLOON_AUTO;
	ask_terms(&balloon.terms);
}

enum balloon_strategy balloon_effective_strategy(void)
{
	return balloon.config.strategy == BALLOON_AUTO ? balloon.terms.best
						       : balloon.config.strategy;
}

int balloon_set_strategy(enum balloon_strategy strategy)
{
	assert(strategy < BALLOON_STRATEGIES);
	if (strategy == BALLOON_RANGE_FIRST && balloon.terms.ranges == 0)
		return -ENOTSUP;
	balloon.config.strategy = strategy;
	if (balloon.running)
		balloon_agree();
	return 0;
}

void balloon_set_floor(uint64_t floor)
{
	balloon.config.floor = floor;
}

bool balloon_poison(uint8_t *byte)
{
	*byte = balloon.config.poison_byte;
	return balloon.config.poison;
}

/* ---- Names ---- */

const char *balloon_ranges_need(void)
{
	return balloon.port->ranges_need ? balloon.port->ranges_need : "a host that takes ranges";
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

void balloon_status(struct balloon_status *status)
{
	*status = balloon.status;
	status->floor = balloon.config.floor;
	status->strategy = balloon.config.strategy;
	status->effective = balloon_effective_strategy();
	status->shortfall = balloon_frames_short();
}

void balloon_get_taken_back(uint64_t *events, uint64_t *frames)
{
	*events = balloon.status.oom_events;
	*frames = balloon.status.oom_frames;
}

#define OFFSET(field) ((uint32_t)offsetof(struct balloon_state, field))

const struct balloon_dump balloon_dump = {
	.version = BALLOON_DUMP_VERSION,
	.size = sizeof(struct balloon_dump),
	.state = (uintptr_t)&balloon,
	.present = OFFSET(status.present),
	.deflate_on_oom = OFFSET(status.deflate_on_oom),
	.target = OFFSET(status.target),
	.actual = OFFSET(status.actual),
	.floor = OFFSET(config.floor),
	.owner_balloon = OWNER_BALLOON,
	.owner_in_flight = OWNER_IN_FLIGHT,
	.owner_leaving = OWNER_LEAVING,
};
