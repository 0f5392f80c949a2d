/* SPDX-License-Identifier: BSD-2-Clause */
/* The lies; see block_lies.h. */
#include "tests/unit/drivers/block/block_lies.h"

/* ---- In the ring ---- */

static void used_id_beyond_the_queue(void)
{
	sim_virtio_push(&sim.virtio, 0, sim.virtio.queue[0].size, 1);
}

static void used_id_of_all_ones(void)
{
	sim_virtio_push(&sim.virtio, 0, UINT32_MAX, 1);
}

static void used_id_that_is_free(void)
{
	sim_virtio_push(&sim.virtio, 0, sim.virtio.queue[0].size - 1u, 1);
}

static void used_index_without_entry(void)
{
	sim_virtio_set_used_idx(&sim.virtio, 0, (uint16_t)(sim.virtio.queue[0].used_idx + 40000));
	sim_virtio_interrupt(&sim.virtio, VIRTIO_ISR_QUEUE);
}

/* The head may be in flight again by then: then the status that lies there is 0xff. */
static void an_answer_twice(void)
{
	uint16_t head = sim.pending_count > 0 ? sim.pending[0].chain.head : 0;

	sim_blk_complete(&sim, 1);
	sim_virtio_push(&sim.virtio, 0, head, 1);
}

/* ---- Answers ---- */

static void no_status_is_written(void)
{
	sim.no_status = true;
}

static void a_status_of_three(void)
{
	sim.status = 3;
}

static void a_status_of_254(void)
{
	sim.status = 254;
}

static void a_status_of_255(void)
{
	sim.status = 255;
}

static void one_byte_too_many(void)
{
	sim.written = 1;
}

static void half_of_it_is_read(void)
{
	sim.written = -2;
}

static void all_ones_are_written(void)
{
	sim.written = -4098;
}

static void every_request_fails(void)
{
	sim.status = 1;
}

static void nothing_is_supported(void)
{
	sim.status = 2;
}

static void the_newest_is_answered_first(void)
{
	sim.newest_first = true;
}

static void it_falls_silent(void)
{
	sim.completion = SIM_BLK_NEVER;
	sim.pending_count = 0;
}

/* ---- Config and status ---- */

static void its_size_is_all_ones(void)
{
	sim_blk_resize(&sim, UINT64_MAX);
}

static void its_size_is_zero(void)
{
	sim_blk_resize(&sim, 0);
}

static void its_size_is_more_than_it_has(void)
{
	sim_blk_show(&sim, SIM_BLK_CAPACITY, UINT32_MAX);
	sim.virtio.generation++;
	sim_virtio_interrupt(&sim.virtio, VIRTIO_ISR_CONFIG);
}

static void its_limits_change(void)
{
	sim_blk_show(&sim, SIM_BLK_SEG_MAX, 0);
	sim_blk_show(&sim, SIM_BLK_SIZE_MAX, 1);
	sim_blk_show(&sim, SIM_BLK_BLK_SIZE, UINT32_MAX);
	sim_virtio_interrupt(&sim.virtio, VIRTIO_ISR_CONFIG);
}

static void its_config_never_holds_still(void)
{
	sim.virtio.restless = SIM_VIRTIO_FOR_EVER;
	sim_virtio_interrupt(&sim.virtio, VIRTIO_ISR_CONFIG);
}

static void it_asks_for_a_reset(void)
{
	sim_virtio_need_reset(&sim.virtio);
}

static void it_is_gone_without_a_word(void)
{
	sim.virtio.gone = true;
}

static void interrupts_for_nothing(void)
{
	sim_virtio_interrupt(&sim.virtio, VIRTIO_ISR_QUEUE | VIRTIO_ISR_CONFIG);
}

static void it_asks_for_no_notification(void)
{
	sim_virtio_set_no_notify(&sim.virtio, 0, true);
	sim.completion = SIM_BLK_IN_TURN;
}

#define RING(tell_) .name = #tell_, .tell = tell_, .needs_queue = true
#define LIE(tell_) .name = #tell_, .tell = tell_

const struct block_lie block_lies[] = {
	{ RING(used_id_beyond_the_queue), .must_break = true },
	{ RING(used_id_of_all_ones), .must_break = true },
	{ RING(used_id_that_is_free), .must_break = true },
	{ RING(used_index_without_entry), .must_break = true, .split_only = true },
	{ RING(an_answer_twice), .must_break = true },
	{ LIE(no_status_is_written), .must_break = true },
	{ LIE(a_status_of_three), .must_break = true },
	{ LIE(a_status_of_254), .must_break = true },
	{ LIE(a_status_of_255), .must_break = true },
	{ LIE(one_byte_too_many), .must_break = true, .modern_only = true },
	{ LIE(half_of_it_is_read), .must_break = true, .modern_only = true },
	{ LIE(all_ones_are_written), .must_break = true, .modern_only = true },
	{ LIE(every_request_fails), .must_go_on = true },
	{ LIE(nothing_is_supported), .must_go_on = true },
	{ LIE(the_newest_is_answered_first), .must_go_on = true },
	{ LIE(it_falls_silent), .must_break = true },
	{ LIE(its_size_is_all_ones), .must_break = true },
	{ LIE(its_size_is_zero), .must_go_on = true },
	{ LIE(its_size_is_more_than_it_has), .must_go_on = true },
	{ LIE(its_limits_change), .must_go_on = true },
	{ LIE(its_config_never_holds_still), .must_go_on = true },
	{ RING(it_asks_for_a_reset), .must_break = true },
	{ LIE(it_is_gone_without_a_word) },
	{ RING(interrupts_for_nothing), .must_go_on = true },
	{ RING(it_asks_for_no_notification) },
};

const size_t block_lie_count = ARRAY_SIZE(block_lies);

void block_lies_end(void)
{
	sim.no_status = false;
	sim.status = -1;
	sim.written = 0;
	sim.newest_first = false;
	sim.virtio.restless = 0;
	sim.virtio.gone = false;
}
