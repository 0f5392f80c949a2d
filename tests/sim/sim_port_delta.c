/* SPDX-License-Identifier: BSD-2-Clause */
/* A hypervisor that asks by deltas; see sim_port_delta.h. */
#include "tests/sim/sim_port_delta.h"

#include <errno.h>
#include <string.h>

#include "drivers/balloon/balloon_state_internal.h"
#include "kernel/lib/log.h"
#include "mm/ledger.h"

static const struct balloon_port port; /* at the end */

struct sim_port_delta sim_delta;

void sim_port_delta_init(void)
{
	memset(&sim_delta, 0, sizeof(sim_delta));
	sim_delta.room = BALLOON_BATCHES;
	sim_delta.owed_awake = DEADLINE_NEVER;
	sim_delta.terms = (struct balloon_terms){
		.pfn_limit = PFN_NONE,
		.best = BALLOON_RANGE_FIRST,
		.batches = BALLOON_BATCHES,
		.batch_frames = 510,
		.batch_block_frames = 510 * BLOCK_FRAMES,
		.batch_runs = 510,
		.ranges = SIM_PORT_DELTA_RANGES,
		.range_blocks = 8,
	};
}

/* There is something for the guest: it is woken, wanted or not. */
static void have_news(void)
{
	task_wake(&sim_delta.waiters);
}

/* ---- What it wants ---- */

void sim_port_delta_ask(uint64_t frames)
{
	sim_delta.asked += frames;
	sim_delta.asked_ever += frames;
	sim_delta.changed = true;
	have_news();
}

static enum balloon_fault read_target(uint64_t given, uint64_t *target)
{
	if (given != sim_delta.host.count + sim_port_delta_returning())
		sim_host_violate(&sim_delta.host, "the guest believes in another balloon");
	sim_delta.changed = false;
	*target = given + sim_delta.asked;
	return BALLOON_OK;
}

static uint64_t sent_awake(void)
{
	return sim_delta.owed_awake;
}

static void short_of(uint64_t frames)
{
	if (frames == 0 || frames > sim_delta.asked) {
		sim_host_violate(&sim_delta.host, "it is short of more than it was asked for");
		return;
	}
	sim_delta.asked -= frames;
	sim_delta.short_told += frames;
	sim_delta.short_calls++;
}

/* ---- Batches ---- */

static int inflate(struct balloon_batch *batch)
{
	sim_host_check_batch(&sim_delta.host, batch, &sim_delta.terms);
	if (!sim_delta.running || batch->deflates)
		sim_host_violate(&sim_delta.host, "a batch that nobody wants");
	if (sim_delta.posted == sim_delta.room)
		return -EAGAIN;
	if (batch->frames > sim_delta.asked)
		sim_host_violate(&sim_delta.host, "more frames than it asked for");
	/* It may look into the ring before it is told to. */
	for (size_t i = 0; i < batch->run_count; i++)
		sim_host_take(&sim_delta.host, batch->run[i].first, batch->run[i].count);
	sim_delta.asked -= min_u64(batch->frames, sim_delta.asked);
	sim_delta.got += batch->frames;
	sim_delta.batches++;
	if (batch->frames > sim_delta.largest)
		sim_delta.largest = batch->frames;
	sim_delta.queue[sim_delta.posted++] = batch;
	return 0;
}

static void kick(void)
{
	sim_delta.seen = sim_delta.posted;
	if (sim_delta.at_once)
		sim_port_delta_answer(SIZE_MAX);
}

size_t sim_port_delta_answer(size_t count)
{
	size_t left = sim_delta.seen - sim_delta.answered;

	count = count < left ? count : left;
	sim_delta.answered += count;
	if (count > 0)
		have_news();
	return count;
}

uint64_t sim_port_delta_on_the_way(void)
{
	uint64_t frames = 0;

	for (size_t i = 0; i < sim_delta.posted; i++)
		frames += sim_delta.queue[i]->frames;
	return frames;
}

static void find_answered(void)
{
	for (size_t i = 0; i < sim_delta.answered; i++)
		balloon_batch_answered(sim_delta.queue[i]);
	sim_delta.posted -= sim_delta.answered;
	sim_delta.seen -= sim_delta.answered;
	memmove(&sim_delta.queue[0], &sim_delta.queue[sim_delta.answered],
		sim_delta.posted * sizeof(sim_delta.queue[0]));
	sim_delta.answered = 0;
}

/* ---- Ranges ---- */

static void lend(bool to_host)
{
	for (size_t i = 0; i < sim_delta.lent_count; i++)
		sim_ram_lend(sim_delta.lent[i].first, sim_delta.lent[i].count, to_host);
	if (!to_host)
		sim_delta.lent_count = 0;
}

static void check_range(const struct frame_run *range)
{
	if (range->count == 0 || range->first % BLOCK_FRAMES != 0 ||
	    range->count % BLOCK_FRAMES != 0)
		sim_host_violate(&sim_delta.host, "a range that is not whole blocks");
	for (uint64_t i = 0; i < range->count; i++)
		if (frame_owner(range->first + i) != OWNER_REPORTED ||
		    sim_host_has(&sim_delta.host, range->first + i))
			sim_host_violate(&sim_delta.host, "a range that is not lent");
}

static int send_ranges(const struct frame_run *ranges, size_t count)
{
	uint64_t frames = 0;

	if (sim_delta.lent_count > 0 || count == 0 || count > sim_delta.terms.ranges) {
		sim_host_violate(&sim_delta.host, "ranges that nobody wants");
		return -EIO;
	}
	for (size_t i = 0; i < count; i++) {
		check_range(&ranges[i]);
		frames += ranges[i].count;
	}
	if (frames > sim_delta.terms.range_blocks * BLOCK_FRAMES)
		sim_host_violate(&sim_delta.host, "ranges of more than was agreed");
	memcpy(sim_delta.lent, ranges, count * sizeof(ranges[0]));
	sim_delta.lent_count = count;
	sim_delta.lent_answered = false;
	sim_delta.range_calls++;
	sim_delta.ranges_seen += count;
	lend(true);
	if (!sim_delta.ranges_late) {
		lend(false);
		balloon_ranges_answered(balloon_of(&port)->ranges.range);
	}
	return 0;
}

void sim_port_delta_answer_ranges(void)
{
	if (sim_delta.lent_count == 0)
		return;
	sim_delta.lent_answered = true;
	have_news();
}

/* ---- What it gives back ---- */

bool sim_port_delta_return(pfn_t first, uint64_t count, bool right)
{
	if (sim_delta.message_count == SIM_PORT_DELTA_MESSAGES)
		return false;
	sim_delta.message[sim_delta.message_count++] =
		(struct sim_port_delta_message){ { first, count }, right };
	/* It is done with them before it says so. */
	if (right)
		sim_host_give_back(&sim_delta.host, first, count);
	have_news();
	return true;
}

uint64_t sim_port_delta_returning(void)
{
	uint64_t frames = 0;

	for (size_t i = 0; i < sim_delta.message_count; i++)
		if (sim_delta.message[i].right)
			frames += sim_delta.message[i].run.count;
	return frames;
}

static bool is_ballooned(const struct frame_run *run)
{
	for (uint64_t i = 0; i < run->count; i++)
		if (frame_owner(run->first + i) != balloon_of(&port)->owners->balloon)
			return false;
	return run->count > 0;
}

static void deliver(const struct sim_port_delta_message *message)
{
	uint64_t before = balloon_frames_of(&port), freed = ledger_count(OWNER_FREE);
	int err;

	/* What was wrong when it was said has become right: it never happened. */
	if (!message->right && is_ballooned(&message->run))
		return;
	err = balloon_return_run(&port, message->run.first, message->run.count);
	if (err != (message->right ? 0 : -EINVAL))
		sim_host_violate(&sim_delta.host, message->right ? "frames are not taken back"
								 : "frames of others are taken");
	before -= balloon_frames_of(&port);
	freed = ledger_count(OWNER_FREE) - freed;
	if (before != freed || freed != (message->right ? message->run.count : 0))
		sim_host_violate(&sim_delta.host, "other frames came back than were named");
	sim_delta.returned += freed;
	sim_delta.wrong_refused += !message->right;
}

/* ---- What it has finished ---- */

static enum balloon_fault take_finished(void)
{
	enum balloon_fault fault = sim_delta.fault;

	sim_delta.fault = BALLOON_OK;
	find_answered();
	if (sim_delta.lent_count > 0 && sim_delta.lent_answered) {
		lend(false);
		balloon_ranges_answered(balloon_of(&port)->ranges.range);
	}
	for (size_t i = 0; i < sim_delta.message_count; i++)
		deliver(&sim_delta.message[i]);
	sim_delta.message_count = 0;
	return fault;
}

static bool has_news(void)
{
	return sim_delta.changed || sim_delta.answered > 0 || sim_delta.message_count > 0 ||
	       (sim_delta.lent_count > 0 && sim_delta.lent_answered);
}

static void want_interrupts(bool wanted)
{
	sim_delta.interrupts = wanted;
}

/* ---- From reset to running, and back ---- */

static int start(void)
{
	if (sim_delta.start_err)
		return sim_delta.start_err;
	sim_delta.running = true;
	sim_delta.starts++;
	return 0;
}

static void terms(enum balloon_strategy strategy, struct balloon_terms *terms)
{
	(void)strategy;
	*terms = sim_delta.terms;
}

/* It knows of nothing any more, or may go on with all that it has. */
static int reset(void)
{
	sim_delta.running = false;
	sim_delta.resets++;
	sim_delta.answered = 0;
	sim_delta.seen = 0;
	sim_delta.posted = 0;
	sim_delta.message_count = 0;
	sim_delta.asked = 0;
	if (sim_delta.reset_err == -ETIMEDOUT)
		return -ETIMEDOUT;
	lend(false);
	sim_host_forget(&sim_delta.host);
	return sim_delta.reset_err;
}

static int give_up(const char **why)
{
	log_warn("delta: %s", *why);
	return reset();
}

static const struct balloon_port port = {
	.name = "delta",
	.start = start,
	.terms = terms,
	.reset = reset,
	.give_up = give_up,
	.take_finished = take_finished,
	.read_target = read_target,
	.inflate = inflate,
	.kick = kick,
	.send_ranges = send_ranges,
	.short_of = short_of,
	.sent_awake = sent_awake,
	.has_news = has_news,
	.want_interrupts = want_interrupts,
};

const struct balloon_port *sim_port_delta(void)
{
	return &port;
}
