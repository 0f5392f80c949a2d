/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lies in time: answers that come late, never or in another order, too many
 * interrupts or too few, and a device that resets, asks for resets or goes away.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "drivers/balloon/port/virtio_balloon_names.h"
#include "mm/ledger.h"
#include "tests/lies/lies.h"
#include "tests/sim/sim_irq.h"
#include "tests/sim/sim_time.h"

#define WITH_DEVICE (((1u << STEP_COUNT) - 1) & ~(1u << STEP_START))
#define AT_START (1u << STEP_START)
/* Something is in flight, or asked for at once. */
#define WITH_REQUESTS \
	(1u << STEP_INFLATE | 1u << STEP_DEFLATE | 1u << STEP_RANGES | 1u << STEP_REPORT | \
	 1u << STEP_HINT | 1u << STEP_RECLAIM)

/* ---- Answers ---- */

static void never_answer(struct sim_balloon *sim)
{
	sim->completion = SIM_BALLOON_NEVER;
	sim->pending_count = 0;
}

static void forget_what_is_there(struct sim_balloon *sim)
{
	sim->pending_count = 0;
}

static void forget_the_first(struct sim_balloon *sim)
{
	if (sim->pending_count > 0)
		sim->pending[0] = sim->pending[--sim->pending_count];
}

static void reverse_the_order(struct sim_balloon *sim)
{
	for (size_t i = 0, k = sim->pending_count; i + 1 < k; i++) {
		struct sim_balloon_pending first = sim->pending[i];

		sim->pending[i] = sim->pending[--k];
		sim->pending[k] = first;
	}
}

static void answer_only_when_asked(struct sim_balloon *sim)
{
	sim->completion = SIM_BALLOON_ON_DEMAND;
}

/* ---- The guest is stopped ---- */

#define STOPS 6 /* is tried at so many looks of each wait */

static struct {
	int64_t jump_ns;
	unsigned looks; /* with something owed */
	bool stopped;
} stop;

static bool is_owed(const struct sim_balloon *sim)
{
	bool resets = sim->virtio.status == 0 && sim->virtio.slow_reset > 0;

	return sim->pending_count > 0 || resets;
}

static void answer_everything(void)
{
	world.virtio.slow_reset = 0;
	sim_balloon_complete(&world, SIZE_MAX);
}

/* At one look at the clock, and by the next the device has done what it owes. */
static void stop_the_guest(void)
{
	if (!is_owed(&world))
		return;
	if (stop.stopped) {
		answer_everything();
	} else if (stop.looks++ == world_nth) {
		stop.stopped = true;
		world_had_nth = world_nth + 1 < STOPS;
		sim_time_jump(stop.jump_ns);
	}
}

static void begin_stop(struct sim_balloon *sim, int64_t jump_ns)
{
	stop = (typeof(stop)){ .jump_ns = jump_ns };
	sim->completion = SIM_BALLOON_ON_DEMAND;
	sim->virtio.slow_reset = STOPS;
	sim_time_on_look = stop_the_guest;
}

static void stop_for_seconds(struct sim_balloon *sim)
{
	begin_stop(sim, 2100 * (int64_t)NS_PER_MS);
}

static void stop_for_days(struct sim_balloon *sim)
{
	begin_stop(sim, 3 * 24 * 3600 * (int64_t)NS_PER_S);
}

static void set_the_clock_back(struct sim_balloon *sim)
{
	begin_stop(sim, -24 * 3600 * (int64_t)NS_PER_S);
}

/* So many looks, all of them at the same moment; then all is done. */
static void stand_still(void)
{
	sim_time_step_ns = is_owed(&world) ? 0 : WORLD_LOOK_NS;
	if (is_owed(&world) && ++stop.looks % 1000 == 0)
		answer_everything();
}

static void hold_time(struct sim_balloon *sim)
{
	begin_stop(sim, 0);
	sim_time_on_look = stand_still;
}

static void let_time_pass(struct sim_balloon *sim)
{
	(void)sim;
	sim_time_on_look = NULL;
	sim_time_step_ns = WORLD_LOOK_NS;
}

static void jump_an_hour(void)
{
	sim_time_jump(3600 * (int64_t)NS_PER_S);
}

static void never_answer_though_hours_pass(struct sim_balloon *sim)
{
	never_answer(sim);
	sim_time_on_look = jump_an_hour;
}

/* ---- Others are answered ---- */

static uint64_t minds; /* how often the host has changed its mind */

/* It does so ten times a second, and all that this brings is answered at once. */
static void keep_busy(void)
{
	sim_time_on_look = NULL;
	sim_balloon_complete(&world, SIZE_MAX);
	if (clock_awake_ns() / (NS_PER_S / 10) > minds) {
		minds = clock_awake_ns() / (NS_PER_S / 10);
		sim_balloon_set_target(&world, minds % 2 == 0 ? 2000 : 1000);
	}
	sim_time_on_look = keep_busy;
}

static void forget_one_of_many(struct sim_balloon *sim)
{
	forget_the_first(sim);
	minds = 0;
	sim->completion = SIM_BALLOON_ON_DEMAND;
	sim_time_on_look = keep_busy;
}

/* ---- It is tried again ---- */

static int retry(void)
{
	const char *why = NULL;
	int err;

	if (!world_is_broken())
		fail_msg("there is nothing to retry");
	err = balloon_retry(balloons, &why);
	if (err && !why)
		fail_msg("it is not said why it is not used");
	if ((err != 0) != world_is_broken())
		fail_msg("balloon_retry(balloons) gives %d", err);
	world_check_books("after the retry");
	return err;
}

static void live_again(struct sim_balloon *sim)
{
	uint64_t in_balloon = ledger_count(OWNER_BALLOON);

	let_time_pass(sim);
	world_behave();
	if (retry() != 0)
		fail_msg("it is not used though it behaves");
	if (ledger_count(OWNER_IN_FLIGHT) + ledger_count(OWNER_REPORTED) > 0)
		fail_msg("frames are still in flight");
	if (ledger_count(OWNER_BALLOON) < in_balloon)
		fail_msg("frames have left the balloon");
}

static void stay_dead(struct sim_balloon *sim)
{
	uint64_t in_flight = ledger_count(OWNER_IN_FLIGHT);
	bool resets = sim->virtio.slow_reset != SIM_VIRTIO_FOR_EVER;

	/* One that only resets is taken at its word, and given up once more. */
	for (int i = 0; i < 3; i++) {
		if ((retry() == 0) != resets)
			fail_msg("a device that is dead was taken back");
		if (resets && world_is_broken())
			fail_msg("it was given up before it was asked for anything");
		if (ledger_count(OWNER_IN_FLIGHT) != (resets ? 0 : in_flight))
			fail_msg("frames came from a dead device");
		if (resets)
			return;
	}
}

/* ---- Interrupts ---- */

static void (*deliver)(struct sim_virtio *virtio);

static void deliver_nothing(struct sim_virtio *virtio)
{
	(void)virtio;
}

static void lose_interrupts(struct sim_balloon *sim)
{
	deliver = sim->virtio.raise;
	sim->virtio.raise = deliver_nothing;
}

static void deliver_interrupts(struct sim_balloon *sim)
{
	sim->virtio.raise = deliver;
}

static void storm(struct sim_balloon *sim)
{
	for (int i = 0; i < 1000; i++)
		sim_virtio_interrupt(&sim->virtio, VIRTIO_ISR_QUEUE | VIRTIO_ISR_CONFIG);
}

static void interrupt_of_somebody_else(struct sim_balloon *sim)
{
	(void)sim;
	for (int i = 0; i < 100; i++) {
		sim_irq_raise_line();
		if (world_device())
			virtio_interrupt(world_device(), 0);
	}
}

static void interrupt_with_reserved_bits(struct sim_balloon *sim)
{
	sim_virtio_interrupt(&sim->virtio, 0xfc);
}

/* ---- Resets ---- */

static void (*reset_rightly)(struct sim_virtio *virtio);

static void interrupt_in_reset(struct sim_virtio *virtio)
{
	reset_rightly(virtio);
	sim_virtio_interrupt(virtio, VIRTIO_ISR_QUEUE | VIRTIO_ISR_CONFIG);
}

static void interrupt_while_reset(struct sim_balloon *sim)
{
	reset_rightly = sim->virtio.on_reset;
	sim->virtio.on_reset = interrupt_in_reset;
}

static void answer_in_reset(struct sim_virtio *virtio)
{
	struct sim_balloon *sim = container_of(virtio, struct sim_balloon, virtio);

	/* The rings are where they were: the driver has not seen status 0 yet. */
	sim_balloon_complete(sim, SIZE_MAX);
	reset_rightly(virtio);
}

static void answer_while_reset(struct sim_balloon *sim)
{
	reset_rightly = sim->virtio.on_reset;
	sim->virtio.on_reset = answer_in_reset;
}

static void reset_as_before(struct sim_balloon *sim)
{
	sim->virtio.on_reset = reset_rightly;
}

static void ask_for_reset(struct sim_balloon *sim)
{
	sim_virtio_need_reset(&sim->virtio);
}

static void (*write_rightly)(struct sim_virtio *virtio, size_t offset);

static void ask_at_each_write(struct sim_virtio *virtio, size_t offset)
{
	write_rightly(virtio, offset);
	sim_virtio_need_reset(virtio);
}

static void ask_for_resets_for_ever(struct sim_balloon *sim)
{
	write_rightly = sim->virtio.on_config_write;
	sim->virtio.on_config_write = ask_at_each_write;
	sim_virtio_need_reset(&sim->virtio);
}

static void ask_no_more(struct sim_balloon *sim)
{
	sim->virtio.on_config_write = write_rightly;
}

static void never_finish_resets(struct sim_balloon *sim)
{
	sim->virtio.slow_reset = SIM_VIRTIO_FOR_EVER;
	sim_virtio_need_reset(&sim->virtio);
}

/* What is plugged in next has nothing but the two queues. */
static void be_followed_by_a_simpler_one(struct sim_balloon *sim)
{
	sim->virtio.features &= ~(VIRTIO_BIT(VIRTIO_BALLOON_F_STATS_VQ) |
				  VIRTIO_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT) |
				  VIRTIO_BIT(VIRTIO_BALLOON_F_REPORTING));
}

static void finish_resets_slowly(struct sim_balloon *sim)
{
	sim->virtio.slow_reset = 50;
	sim_virtio_need_reset(&sim->virtio);
}

static void never_reset_nor_answer(struct sim_balloon *sim)
{
	sim->virtio.slow_reset = SIM_VIRTIO_FOR_EVER;
	never_answer(sim);
}

/* ---- Status, and going away ---- */

static void be_gone(struct sim_balloon *sim)
{
	(void)sim;
	machine_pull();
}

static void be_gone_and_say_so(struct sim_balloon *sim)
{
	be_gone(sim);
	sim_virtio_set_config32(&sim->virtio, SIM_BALLOON_NUM_PAGES, UINT32_MAX);
	virtio_interrupt(world_device(), 0xff);
}

static void forget_driver_ok(struct sim_balloon *sim)
{
	sim->virtio.status &= (uint8_t)~VIRTIO_STATUS_DRIVER_OK;
}

static void remember_driver_ok(struct sim_balloon *sim)
{
	if (sim->virtio.status != 0)
		sim->virtio.status = VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER |
				     VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_DRIVER_OK;
}

static void say_failed(struct sim_balloon *sim)
{
	sim->virtio.status |= VIRTIO_STATUS_FAILED;
}

static void status_of_nonsense(struct sim_balloon *sim)
{
	sim->virtio.status = 0x35;
	sim_virtio_interrupt(&sim->virtio, VIRTIO_ISR_CONFIG);
}

static void status_of_ones(struct sim_balloon *sim)
{
	sim->virtio.status = 0xff;
	sim_virtio_interrupt(&sim->virtio, VIRTIO_ISR_CONFIG);
}

/* clang-format off */
const struct lie time_lies[] = {
	{ "nothing is ever answered",			never_answer, .only = ANY_STEP,
	  .forgets = true },
	{ "what is in flight is forgotten",		forget_what_is_there,
	  .only = WITH_DEVICE, .forgets = true },
	{ "the first of all requests is forgotten",	forget_the_first,
	  .only = WITH_DEVICE, .forgets = true },
	{ "answers come in the opposite order",		reverse_the_order,
	  .only = WITH_DEVICE, .must_go_on = true },
	{ "answers come late",				answer_only_when_asked, .only = ANY_STEP },
	{ "no interrupt ever comes",			lose_interrupts, deliver_interrupts,
	  .only = WITH_DEVICE, .must_go_on = true },
	{ "a thousand interrupts come for nothing",	storm,
	  .only = WITH_DEVICE, .must_go_on = true },
	{ "interrupts come that are somebody else's",	interrupt_of_somebody_else,
	  .only = WITH_DEVICE, .must_go_on = true },
	{ "an interrupt has reserved bits",		interrupt_with_reserved_bits,
	  .only = WITH_DEVICE, .must_go_on = true },
	{ "interrupts come before DRIVER_OK",		interrupt_while_reset, reset_as_before,
	  .must_go_on = true },
	{ "answers come in the middle of a reset",	answer_while_reset, reset_as_before,
	  .only = WITH_DEVICE },
	{ "it asks for a reset",			ask_for_reset,
	  .only = WITH_DEVICE, .must_go_on = true },
	{ "it asks for one reset after the other",	ask_for_resets_for_ever, ask_no_more,
	  .only = WITH_DEVICE, .must_break = true },
	{ "it asks for a reset that it never finishes",	never_finish_resets,
	  .only = WITH_DEVICE, .must_break = true },
	{ "it never finishes a reset, and a simpler one comes", never_finish_resets,
	  be_followed_by_a_simpler_one, .only = WITH_DEVICE, .must_break = true },
	{ "it takes its time for a reset",		finish_resets_slowly,
	  .only = WITH_DEVICE, .must_go_on = true },
	{ "it neither answers nor finishes a reset",	never_reset_nor_answer, .only = ANY_STEP,
	  .forgets = true },
	{ "it is gone before it was there",		be_gone,
	  .only = AT_START, .must_break = true },
	{ "it is gone, and all reads as ones",		be_gone,
	  .only = WITH_DEVICE },
	{ "it is gone, and an interrupt says so",	be_gone_and_say_so,
	  .only = WITH_DEVICE, .must_break = true },
	{ "it forgets DRIVER_OK",			forget_driver_ok, remember_driver_ok,
	  .only = WITH_DEVICE, .blind = true },
	{ "it says FAILED",				say_failed,
	  .only = WITH_DEVICE },
	{ "its status alone reads as ones",		status_of_ones,
	  .only = WITH_DEVICE, .must_go_on = true, .blind = true },
	{ "its status is nonsense",			status_of_nonsense, remember_driver_ok,
	  .only = WITH_DEVICE, .blind = true },
	/* The fuzzer tells lies by their number, so that new ones come last. */
	{ "one request is forgotten, and others are answered", forget_one_of_many, let_time_pass,
	  .only = WITH_REQUESTS & ~(1u << STEP_RECLAIM), .forgets = true, .must_break = true },
	{ "nothing is answered that is asked for",	never_answer,
	  .only = WITH_REQUESTS, .forgets = true, .must_break = true },
	{ "nothing is answered, and at each look an hour has passed",
	  never_answer_though_hours_pass, let_time_pass,
	  .only = WITH_REQUESTS, .forgets = true, .must_break = true },
	{ "the guest is stopped for two seconds while something is owed", stop_for_seconds,
	  let_time_pass, .each = true, .only = ANY_STEP, .must_go_on = true },
	{ "the guest is stopped for days while something is owed", stop_for_days,
	  let_time_pass, .each = true, .only = ANY_STEP, .must_go_on = true },
	{ "the clock goes back a day while something is owed", set_the_clock_back,
	  let_time_pass, .each = true, .only = ANY_STEP, .must_go_on = true },
	{ "time stands still while something is owed",	hold_time, let_time_pass,
	  .only = ANY_STEP, .must_go_on = true },
	{ "it is dead, and alive again when it is retried", never_answer, live_again,
	  .only = WITH_REQUESTS, .retried = true, .forgets = true, .must_break = true },
	{ "it is dead, keeps all, and is alive again when it is retried",
	  never_reset_nor_answer, live_again,
	  .only = WITH_REQUESTS, .retried = true, .forgets = true, .must_break = true },
	{ "it answers nothing, retried or not",		never_answer, stay_dead,
	  .only = WITH_REQUESTS, .retried = true, .forgets = true, .must_break = true },
	{ "it does not even reset, retried or not",	never_reset_nor_answer, stay_dead,
	  .only = WITH_REQUESTS, .retried = true, .forgets = true, .must_break = true },
};
/* clang-format on */
const size_t time_lie_count = ARRAY_SIZE(time_lies);
