/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor of one test; see host_fixture.h. */
#include "drivers/balloon/balloon_state_internal.h"
#include "tests/unit/drivers/balloon/host_fixture.h"
#include "tests/sim/sim_detach.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct host host;

static void hand_back(struct balloon_batch *batch, pfn_t pfn, enum balloon_refusal why)
{
	if (why == BALLOON_REFUSALS)
		balloon_batch_return(batch, pfn, 1);
	else
		balloon_batch_refuse(batch, pfn, 1, why);
}

static void answer(struct balloon_batch *batch)
{
	enum balloon_refusal why;

	for (size_t i = 0; i < batch->run_count; i++) {
		const struct frame_run *run = &batch->run[i];

		for (pfn_t pfn = run->first; pfn < run->first + run->count; pfn++) {
			if (host.refuses && host.refuses(batch->deflates, pfn, &why))
				hand_back(batch, pfn, why);
			else if (batch->deflates)
				sim_host_give_back(&host.has, pfn, 1);
			else
				sim_host_take(&host.has, pfn, 1);
		}
	}
	balloon_batch_answered(batch);
}

static int take_batch(struct balloon_batch *batch)
{
	host.offers++;
	sim_host_check_batch(&host.has, batch, &host.terms);
	if (host.err)
		return host.err;
	if (!batch->deflates)
		host.asks -= host.asks < batch->frames ? host.asks : batch->frames;
	if (host.late)
		host.held[batch->index] = batch;
	else
		answer(batch);
	return 0;
}

static enum balloon_fault take_finished(void)
{
	enum balloon_fault fault = host.fault;

	host.fault = BALLOON_OK;
	if (fault == BALLOON_FAULT_ALL_OURS) {
		memset(host.held, 0, sizeof(host.held));
		sim_host_forget(&host.has);
		return fault;
	}
	for (size_t i = 0; i <= BALLOON_BATCHES && (!host.late || host.answers); i++) {
		struct balloon_batch *batch = host.held[i];

		host.held[i] = NULL;
		if (batch)
			answer(batch);
	}
	host.answers = false;
	return fault;
}

static enum balloon_fault read_target(uint64_t given, uint64_t *target)
{
	*target = host.deltas ? given + host.asks : host.target;
	return BALLOON_OK;
}

static int start_host(void)
{
	host.starts++;
	host.running = true;
	return 0;
}

static int reset_host(void)
{
	host.resets++;
	host.running = false;
	memset(host.held, 0, sizeof(host.held));
	sim_host_forget(&host.has);
	return 0;
}

static int give_up_host(const char **why)
{
	(void)why;
	return reset_host();
}

static void get_terms(enum balloon_strategy strategy, struct balloon_terms *terms)
{
	(void)strategy;
	assert_true(host.running);
	*terms = host.terms;
}

static void be_told(uint64_t actual)
{
	host.actual = actual;
}

/* It lowers what it asks. */
static void be_told_the_rest(uint64_t frames)
{
	host.short_of = frames;
	host.asks -= host.asks < frames ? host.asks : frames;
}

int set_up_host(void **state)
{
	set_up(state);
	memset(&host, 0, sizeof(host));
	host.port = (struct balloon_port){
		.name = "test",
		.start = start_host,
		.terms = get_terms,
		.reset = reset_host,
		.give_up = give_up_host,
		.take_finished = take_finished,
		.read_target = read_target,
		.inflate = take_batch,
		.deflate = take_batch,
		.short_of = be_told_the_rest,
		.write_actual = be_told,
	};
	host.terms = (struct balloon_terms){
		.pfn_limit = PFN_NONE,
		.best = BALLOON_PORTABLE,
		.batches = 4,
		.batch_frames = BALLOON_BATCH_RUNS,
		.batch_block_frames = 4 * BLOCK_FRAMES,
		.batch_runs = 2,
	};
	return 0;
}

int tear_down_host(void **state)
{
	(void)state;
	assert_books();
	sim_detach_all();
	if (host.has.violation)
		fail_msg("%s", host.has.violation);
	assert_int_equal(ledger_count(OWNER_FREE) + ledger_count(OWNER_HELD), RAM_FRAMES);
	assert_books();
	sim_ram_stop();
	return 0;
}

int host_attach(uint64_t floor)
{
	const struct balloon_config config = { .floor = floor };

	balloon_init(&config);
	return balloon_attach(&host.port, NULL);
}

void host_wants(uint64_t frames)
{
	if (host.deltas)
		host.asks = frames;
	else
		host.target = frames;
	settle();
}

void assert_host_has(uint64_t frames)
{
	assert_int_equal(ballooned(), frames);
	assert_int_equal(host.has.count, frames);
	assert_int_equal(host.actual, frames);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 0);
}
