/* SPDX-License-Identifier: BSD-2-Clause */
/* Hosts that do what they like; see random_hosts.h. */
#include "drivers/balloon/balloon_state_internal.h"
#include "tests/unit/drivers/balloon/random_hosts.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon_batch.h"
#include "drivers/balloon/balloon_refusal.h"
#include "drivers/balloon/balloon_wait.h"
#include "tests/random.h"
#include "tests/sim/sim_port_delta.h"
#include "tests/sim/sim_port_sync.h"
#include "tests/unit/drivers/balloon/balloon_fixture.h"

static uint64_t seed;

/* What its hosts have done since random_begin_walks(). */
static struct {
	uint64_t refused[BALLOON_REFUSALS], forgot;
	uint64_t returned, wrong, short_told, ranges, largest;
	uint64_t recoveries;
} walks;

void random_begin_walks(void)
{
	memset(&walks, 0, sizeof(walks));
}

void random_begin(uint64_t with)
{
	seed = with * UINT64_C(0x9e3779b97f4a7c15);
}

uint64_t below(uint64_t n)
{
	return random_below(&seed, n);
}

bool one_in(uint64_t n)
{
	return below(n) == 0;
}

/* ---- Hosts that answer in the call ---- */

static uint64_t refused_before;

static void unplug_sync(void)
{
	for (size_t i = 0; i < BALLOON_REFUSALS; i++)
		walks.refused[i] += sim_sync.refused[i];
	walks.forgot += sim_sync.forgot;
	balloon_detach(balloons->port);
	assert_null(sim_sync.host.violation);
	assert_int_equal(sim_sync.host.count, 0);
}

static void plug_sync(void)
{
	sim_port_sync_init();
	assert_int_equal(balloon_attach(sim_port_sync(), NULL), 0);
}

static void plug_counting(void)
{
	sim_port_sync_init();
	sim_sync.terms.batches = 1 + (size_t)below(3);
	sim_sync.terms.batch_runs = 1 + (size_t)below(16);
	sim_sync.terms.ranges = (size_t)below(3);
	sim_sync.terms.range_blocks = 1 + below(8);
	sim_sync.terms.best = sim_sync.terms.ranges > 0 ? BALLOON_RANGE_FIRST : BALLOON_WHOLE_BLOCK;
	assert_int_equal(balloon_attach(sim_port_sync(), NULL), 0);
}

static void want_level(uint64_t frames)
{
	sim_sync.target = frames;
}

/* Too many in a row, and it would be given up: the next one comes after a batch. */
static void forget_sooner_or_later(void)
{
	static uint64_t batches;
	uint64_t now = sim_sync.batches[0] + sim_sync.batches[1];

	if (sim_sync.forgets_at > 0 || sim_sync.forgotten || now == batches)
		return;
	batches = now;
	sim_sync.forgets_at = 1 + (unsigned)below(20);
	sim_sync.forgets_after = one_in(2);
}

static void act_sync(void)
{
	static const unsigned often[] = { 0, 0, 1, 2, 3, 7, 50, 600 };

	sim_sync.refuse_every = often[below(ARRAY_SIZE(often))];
	sim_sync.keep_every = often[below(ARRAY_SIZE(often))];
	sim_sync.one_reason = one_in(2);
	sim_sync.reason = (enum balloon_refusal)below(BALLOON_REFUSALS);
	if (one_in(6))
		forget_sooner_or_later();
}

static void act_counting(void)
{
	sim_sync.takes_most = one_in(3) ? below(700) : UINT64_MAX;
	sim_sync.gives_most = one_in(3) ? below(700) : UINT64_MAX;
	if (one_in(4))
		sim_sync.gives_after = clock_ns() + below(50 * NS_PER_S);
}

static uint64_t answer_nothing(void)
{
	return 0;
}

static uint64_t sync_refused(void)
{
	return sim_sync.refused[0] + sim_sync.refused[1] + sim_sync.refused[2];
}

static void begin_to_excuse(bool wanted)
{
	(void)wanted;
	refused_before = sync_refused();
}

static void behave_sync(void)
{
	sim_sync.refuse_every = 0;
	sim_sync.keep_every = 0;
	sim_sync.takes_most = UINT64_MAX;
	sim_sync.gives_most = UINT64_MAX;
	sim_sync.gives_after = 0;
	sim_sync.forgets_at = 0;
}

static bool sync_has(pfn_t pfn)
{
	return sim_host_has(&sim_sync.host, pfn);
}

/* What it would not give back is not asked for again at once. */
static bool sync_excuses(void)
{
	return sync_refused() > refused_before || balloon_refusal_passed(&balloons->refusal) > 0 ||
	       sim_sync.forgotten;
}

static void check_sync(void)
{
	uint64_t frames[BALLOON_REFUSALS];

	if (sim_sync.host.violation)
		fail_msg("%s", sim_sync.host.violation);
	balloon_refusal_counts(&balloons->refusal, frames);
	for (size_t i = 0; i < BALLOON_REFUSALS; i++)
		assert_int_equal(frames[i], sim_sync.refused[i]);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 0);
	if (!sim_sync.forgotten)
		assert_int_equal(ballooned(), sim_sync.host.count);
	assert_int_equal(status().recoveries, sim_sync.starts - 1);
}

static void check_sync_rest(void)
{
	assert_int_equal(sim_sync.actual, ballooned());
	assert_int_equal(status().target, sim_sync.target);
}

static bool sync_is_ahead(void)
{
	return sim_sync.forgotten;
}

static void check_refusing_walk(void)
{
	for (size_t i = 0; i < BALLOON_REFUSALS; i++)
		assert_true(walks.refused[i] > 100);
	assert_true(walks.forgot > 3);
}

static void check_counting_walk(void)
{
	assert_true(walks.refused[BALLOON_REFUSED_FOR_NOW] > 100);
	assert_int_equal(walks.refused[BALLOON_REFUSED_FRAME], 0);
}

/* ---- Hosts that ask by deltas ---- */

static void plug_delta(void)
{
	sim_port_delta_init();
	sim_delta.room = 1 + (size_t)below(BALLOON_BATCHES);
	assert_int_equal(balloon_attach(sim_port_delta(), &sim_delta.waiters), 0);
}

static void unplug_delta(void)
{
	walks.returned += sim_delta.returned;
	walks.wrong += sim_delta.wrong_refused;
	walks.short_told += sim_delta.short_calls;
	walks.ranges += sim_delta.ranges_seen;
	if (sim_delta.largest > walks.largest)
		walks.largest = sim_delta.largest;
	/* The channel is rescinded: in mid-flight, and nobody answers. */
	sim_delta.reset_err = -EIO;
	balloon_detach(balloons->port);
	assert_null(sim_delta.host.violation);
	assert_int_equal(sim_delta.host.count, 0);
}

/* A run that is wrong: of the guest's, of its own and others', or of nobody's. */
static void return_wrong(void)
{
	pfn_t first = FIRST + below(FRAMES);
	uint64_t count = 1 + below(3);

	switch (below(5)) {
	case 0: /* beyond the memory, or beyond everything */
		first = one_in(2) ? FIRST + FRAMES - 1 : UINT64_MAX - 1;
		count = 2 + below(4);
		break;
	case 1:
		count = one_in(2) ? 0 : UINT64_MAX;
		break;
	case 2: /* all that it has beside each other, and one more */
		count = sim_host_find(&sim_delta.host, first, UINT64_MAX, &first) + 1;
		break;
	case 3: /* what it has, but has not answered */
		if (sim_delta.posted > sim_delta.answered)
			first = sim_delta.queue[sim_delta.answered]->run[0].first;
		break;
	default:
		break;
	}
	sim_port_delta_return(first, count, false);
}

/* A run of its own; only what was answered counts as that. */
static void return_right(void)
{
	pfn_t first = FIRST + below(FRAMES);
	uint64_t n = 0, count = sim_host_find(&sim_delta.host, first, 1 + below(900), &first);

	while (n < count && frame_owner(first + n) == OWNER_BALLOON)
		n++;
	if (n > 0)
		sim_port_delta_return(first, n, true);
}

static void act_delta(void)
{
	if (one_in(3))
		sim_port_delta_answer(1 + (size_t)below(3));
	else if (one_in(2))
		sim_port_delta_answer_ranges();
	else if (one_in(4))
		sim_delta.ranges_late = one_in(2);
	else if (one_in(2))
		return_right();
	else
		return_wrong();
}

static uint64_t answer_delta(void)
{
	uint64_t ranges = sim_delta.lent_count;

	sim_port_delta_answer_ranges();
	return sim_port_delta_answer(SIZE_MAX) + ranges;
}

static void delta_at_once(bool wanted)
{
	answer_delta();
	sim_delta.at_once = wanted;
	if (wanted)
		sim_delta.ranges_late = false;
}

static void behave_always(void)
{
}

static bool delta_has(pfn_t pfn)
{
	return sim_host_has(&sim_delta.host, pfn);
}

static bool no_excuse(void)
{
	return false;
}

static void check_delta(void)
{
	struct balloon_batch_counts counts;
	uint64_t on_the_way = sim_port_delta_on_the_way();

	if (sim_delta.host.violation)
		fail_msg("%s", sim_delta.host.violation);
	balloon_batches_counts(&balloons->batches, &counts);
	assert_int_equal(counts.inflated + on_the_way, sim_delta.got);
	assert_int_equal(counts.deflated, sim_delta.returned);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), on_the_way);
	assert_int_equal(ballooned() + on_the_way,
			 sim_delta.host.count + sim_port_delta_returning());
}

/* Whatever it wanted it was given, or told that it cannot be had. */
static void check_delta_rest(void)
{
	assert_int_equal(sim_delta.asked, 0);
	assert_int_equal(sim_delta.asked_ever, sim_delta.got + sim_delta.short_told);
	assert_int_equal(ballooned(), sim_delta.got - sim_delta.returned);
}

static bool delta_is_ahead(void)
{
	return sim_port_delta_returning() > 0;
}

static void check_delta_walk(void)
{
	assert_true(walks.returned > 1000);
	assert_true(walks.wrong > 20);
	assert_true(walks.short_told > 3);
	assert_true(walks.ranges > 10);
	assert_true(walks.largest > BALLOON_BATCH_RUNS);
}

/* ---- The virtio device ---- */

static void own(pfn_t pfn, uint64_t frames, bool device)
{
	if (frames < UINT64_MAX) {
		sim_ram_lend(pfn, frames, device);
		return;
	}
	/* A reset: what stays inflated stays discarded, the rest is the guest's. */
	for (pfn = FIRST; pfn < FIRST + SIM_RAM_FRAMES; pfn++)
		sim_ram_lend(pfn, 1, sim_balloon_has(&sim, pfn));
}

static void plug_virtio(void)
{
	static bool registered;

	sim_balloon_init(&sim, false,
			 VIRTIO_BIT(VIRTIO_F_VERSION_1) | STATS_VQ | DEFLATE_ON_OOM | REPORTING);
	sim.own = own;
	sim.keep_on_reset = true;
	sim.completion = SIM_BALLOON_ON_DEMAND;
	virtio_register(&sim.virtio.device);
	if (!registered)
		assert_int_equal(virtio_balloon_start(), 0);
	registered = true;
}

static uint64_t answer_virtio(void)
{
	return sim_balloon_complete(&sim, SIZE_MAX);
}

static void virtio_at_once(bool wanted)
{
	answer_virtio();
	sim.completion = wanted ? SIM_BALLOON_AT_ONCE : SIM_BALLOON_ON_DEMAND;
}

static void complete_one(void)
{
	sim_balloon_complete(&sim, 1);
}

static void unplug_virtio(void)
{
	sim_time_on_wait = complete_one;
	virtio_unregister(&sim.virtio.device);
	sim_time_on_wait = NULL;
	assert_int_equal(sim.inflated, 0);
	assert_int_equal(sim_balloon_actual(&sim), 0);
	sim_balloon_fini(&sim);
}

static void want_pages(uint64_t frames)
{
	sim_balloon_set_target(&sim, (uint32_t)frames);
}

static void act_virtio(void)
{
	uint8_t stats[256];

	if (one_in(20) && sim.stats_held == 1) {
		sim_balloon_ask_stats(&sim, stats, sizeof(stats));
	} else if (one_in(30) && !balloon_has_news(balloons) && sim.pending_count > 0) {
		/* What was answered and not yet seen would stay inflated. */
		sim_virtio_need_reset(&sim.virtio);
		balloon_step();
		walks.recoveries++;
	} else {
		sim_balloon_complete(&sim, 1 + (size_t)below(3));
	}
}

static bool device_has(pfn_t pfn)
{
	return sim_balloon_has(&sim, pfn);
}

static void check_virtio(void)
{
	if (sim.virtio.violation)
		fail_msg("%s", sim.virtio.violation);
	assert_int_equal(sim.double_inflates + sim.wrong_deflates + sim.not_ascending, 0);
	assert_in_range(sim.inflated, ballooned(), ballooned() + ledger_count(OWNER_IN_FLIGHT));
}

static void check_virtio_rest(void)
{
	assert_int_equal(sim.inflated, ballooned());
	assert_int_equal(sim_balloon_actual(&sim), ballooned());
}

static void check_virtio_walk(void)
{
	assert_true(walks.recoveries > 0);
}

const struct random_host random_hosts[RANDOM_HOSTS] = {
	[RANDOM_HOST_REFUSES] = {
		.returns_at_oom = true,
		.plug = plug_sync,
		.unplug = unplug_sync,
		.want = want_level,
		.act = act_sync,
		.answer = answer_nothing,
		.answer_at_once = begin_to_excuse,
		.behave = behave_sync,
		.has = sync_has,
		.is_ahead = sync_is_ahead,
		.excuses = sync_excuses,
		.check = check_sync,
		.check_rest = check_sync_rest,
		.check_walk = check_refusing_walk,
	},
	[RANDOM_HOST_HAS_NO_MEMORY] = {
		.returns_at_oom = true,
		.plug = plug_counting,
		.unplug = unplug_sync,
		.want = want_level,
		.act = act_counting,
		.answer = answer_nothing,
		.answer_at_once = begin_to_excuse,
		.behave = behave_sync,
		.has = sync_has,
		.is_ahead = sync_is_ahead,
		.excuses = sync_excuses,
		.check = check_sync,
		.check_rest = check_sync_rest,
		.check_walk = check_counting_walk,
	},
	[RANDOM_HOST_ASKS_BY_DELTAS] = {
		.deltas = true,
		.plug = plug_delta,
		.unplug = unplug_delta,
		.want = sim_port_delta_ask,
		.act = act_delta,
		.answer = answer_delta,
		.answer_at_once = delta_at_once,
		.behave = behave_always,
		.has = delta_has,
		.is_ahead = delta_is_ahead,
		.excuses = no_excuse,
		.check = check_delta,
		.check_rest = check_delta_rest,
		.check_walk = check_delta_walk,
	},
	[RANDOM_HOST_VIRTIO] = {
		.returns_at_oom = true,
		.plug = plug_virtio,
		.unplug = unplug_virtio,
		.want = want_pages,
		.act = act_virtio,
		.answer = answer_virtio,
		.answer_at_once = virtio_at_once,
		.behave = behave_always,
		.has = device_has,
		.is_ahead = no_excuse,
		.excuses = no_excuse,
		.check = check_virtio,
		.check_rest = check_virtio_rest,
		.check_walk = check_virtio_walk,
	},
};
