/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lies in time: answers that come late, never or in another order, too many
 * interrupts or too few, and a device that resets, asks for resets or goes away.
 */
#include "drivers/balloon/port/virtio_balloon_names.h"
#include "tests/lies/lies.h"
#include "tests/sim/sim_irq.h"

#define WITH_DEVICE (((1u << STEP_COUNT) - 1) & ~(1u << STEP_START))
#define AT_START (1u << STEP_START)

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
};
/* clang-format on */
const size_t time_lie_count = ARRAY_SIZE(time_lies);
