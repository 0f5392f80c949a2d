/* SPDX-License-Identifier: BSD-2-Clause */
/* A hypervisor that answers in the call; see sim_port_sync.h. */
#include "tests/sim/sim_port_sync.h"

#include <errno.h>
#include <string.h>

#include "arch/clock.h"
#include "kernel/lib/log.h"

static const struct balloon_port port; /* at the end */

struct sim_port_sync sim_sync;

void sim_port_sync_init(void)
{
	memset(&sim_sync, 0, sizeof(sim_sync));
	sim_sync.takes_most = UINT64_MAX;
	sim_sync.gives_most = UINT64_MAX;
	sim_sync.terms = (struct balloon_terms){
		.pfn_limit = PFN_NONE,
		.deflate_on_oom = true,
		.best = BALLOON_WHOLE_BLOCK,
		.batches = 1,
		.batch_frames = 512,
		.batch_block_frames = 16 * BLOCK_FRAMES,
		.batch_runs = 16,
	};
}

void sim_port_sync_forget(void)
{
	sim_host_forget(&sim_sync.host);
	sim_sync.forgotten = true;
	sim_sync.forgot++;
}

/* Whether it forgets everything at this command. */
static bool is_time_to_forget(void)
{
	return sim_sync.forgets_at > 0 && --sim_sync.forgets_at == 0;
}

/* ---- Batches ---- */

static enum balloon_refusal next_reason(void)
{
	enum balloon_refusal reason = sim_sync.reason;

	if (!sim_sync.one_reason)
		sim_sync.reason = (reason + 1) % BALLOON_REFUSALS;
	return reason;
}

/* Whether it refuses this frame, before which it took `taken` of the batch. */
static bool refuses(bool deflates, pfn_t pfn, uint64_t taken, enum balloon_refusal *why)
{
	unsigned every = deflates ? sim_sync.keep_every : sim_sync.refuse_every;
	uint64_t most = deflates ? sim_sync.gives_most : sim_sync.takes_most;

	sim_sync.seen[deflates]++;
	*why = BALLOON_REFUSED_FRAME;
	if (deflates && pfn == sim_sync.stubborn)
		return true;
	if (every > 0 && sim_sync.seen[deflates] % every == 0) {
		*why = next_reason();
		return true;
	}
	*why = BALLOON_REFUSED_FOR_NOW;
	return taken >= most || (deflates && clock_ns() < sim_sync.gives_after);
}

static void obey_run(struct balloon_batch *batch, const struct frame_run *run, uint64_t *taken)
{
	enum balloon_refusal why;

	for (pfn_t pfn = run->first; pfn < run->first + run->count; pfn++) {
		if (refuses(batch->deflates, pfn, *taken, &why)) {
			sim_sync.refused[why]++;
			balloon_batch_refuse(batch, pfn, 1, why);
			continue;
		}
		++*taken;
		if (batch->deflates)
			sim_host_give_back(&sim_sync.host, pfn, 1);
		else
			sim_host_take(&sim_sync.host, pfn, 1);
	}
}

static int obey(struct balloon_batch *batch)
{
	bool forgets = is_time_to_forget();
	uint64_t taken = 0;

	sim_host_check_batch(&sim_sync.host, batch, &sim_sync.terms);
	if (!sim_sync.running)
		sim_host_violate(&sim_sync.host, "a batch for a host that does not run");
	if (forgets && !sim_sync.forgets_after)
		sim_port_sync_forget();
	if (sim_sync.forgotten)
		return -EIO;
	sim_sync.batches[batch->deflates]++;
	for (size_t i = 0; i < batch->run_count; i++)
		obey_run(batch, &batch->run[i], &taken);
	balloon_batch_answered(batch);
	if (forgets)
		sim_port_sync_forget();
	return 0;
}

static int inflate(struct balloon_batch *batch)
{
	if (batch->deflates)
		sim_host_violate(&sim_sync.host, "a batch for the other direction");
	return obey(batch);
}

static int deflate(struct balloon_batch *batch)
{
	if (!batch->deflates)
		sim_host_violate(&sim_sync.host, "a batch for the other direction");
	return obey(batch);
}

/* Discarded before the call returns. */
static int send_ranges(const struct frame_run *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (ranges[i].first % BLOCK_FRAMES != 0 || ranges[i].count % BLOCK_FRAMES != 0)
			sim_host_violate(&sim_sync.host, "a range that is not whole blocks");
		if (frame_owner(ranges[i].first) != OWNER_REPORTED)
			sim_host_violate(&sim_sync.host, "a range that is not lent");
	}
	if (sim_sync.forgotten)
		return -EIO;
	sim_sync.ranges += count;
	balloon_ranges_answered(ranges);
	return 0;
}

/* ---- What it says ---- */

static enum balloon_fault take_finished(void)
{
	enum balloon_fault fault = sim_sync.fault;

	sim_sync.fault = BALLOON_OK;
	return sim_sync.forgotten ? BALLOON_FAULT_ALL_OURS : fault;
}

static enum balloon_fault read_target(uint64_t given, uint64_t *target)
{
	if (is_time_to_forget())
		sim_port_sync_forget();
	if (sim_sync.forgotten)
		return BALLOON_FAULT_ALL_OURS;
	if (given != sim_sync.host.count)
		sim_host_violate(&sim_sync.host, "the guest believes in another balloon");
	*target = sim_sync.target;
	sim_sync.polls++;
	sim_sync.last_poll = clock_ns();
	return BALLOON_OK;
}

static uint64_t next_look(void)
{
	return sim_sync.forgotten ? 0 : sim_sync.last_poll + SIM_PORT_SYNC_POLL_NS;
}

static void write_actual(uint64_t actual)
{
	if (!sim_sync.forgotten && actual != sim_sync.host.count)
		sim_host_violate(&sim_sync.host, "the guest tells another number than it gave");
	sim_sync.actual = actual;
}

/* ---- From reset to running, and back ---- */

static int start(void)
{
	if (sim_sync.start_err)
		return sim_sync.start_err;
	sim_sync.forgotten = false;
	sim_sync.running = true;
	sim_sync.starts++;
	return 0;
}

static void terms(enum balloon_strategy strategy, struct balloon_terms *terms)
{
	*terms = sim_sync.terms;
	/* In batches that every host takes: no blocks as such. */
	if (strategy == BALLOON_PORTABLE)
		terms->batch_block_frames = BLOCK_FRAMES;
}

static int reset(void)
{
	sim_sync.running = false;
	sim_sync.resets++;
	/* What it has, it keeps. */
	if (sim_sync.resets <= sim_sync.resets_well)
		return 0;
	if (sim_sync.reset_err != -ETIMEDOUT && sim_sync.reset_err != -EBUSY)
		sim_host_forget(&sim_sync.host);
	return sim_sync.reset_err;
}

static int give_up(const char **why)
{
	log_warn("sync: %s", *why);
	return reset();
}

static const struct balloon_port port = {
	.name = "sync",
	.start = start,
	.terms = terms,
	.reset = reset,
	.give_up = give_up,
	.take_finished = take_finished,
	.read_target = read_target,
	.inflate = inflate,
	.deflate = deflate,
	.send_ranges = send_ranges,
	.write_actual = write_actual,
	.next_look = next_look,
};

const struct balloon_port *sim_port_sync(void)
{
	return &port;
}
