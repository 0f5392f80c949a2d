/* SPDX-License-Identifier: BSD-2-Clause */
/* The lies; see virtio_mem_lies.h. */
#include "tests/unit/drivers/mem/virtio_mem_lies.h"

static uint16_t lied_type, lied_state;
static unsigned lied_turns;

/* ---- In the ring ---- */

static void used_id_beyond_the_queue(void)
{
	sim_virtio_push(&sim.virtio, 0, sim.virtio.queue[0].size, 10);
}

static void used_id_of_all_ones(void)
{
	sim_virtio_push(&sim.virtio, 0, UINT32_MAX, 10);
}

static void used_id_that_is_free(void)
{
	sim_virtio_push(&sim.virtio, 0, sim.virtio.queue[0].size - 1u, 10);
}

static void used_index_without_entry(void)
{
	sim_virtio_set_used_idx(&sim.virtio, 0, (uint16_t)(sim.virtio.queue[0].used_idx + 40000));
	sim_virtio_interrupt(&sim.virtio, VIRTIO_ISR_QUEUE);
}

/* The head may be in flight again by now: then the answer is what lies there. */
static void an_answer_twice(void)
{
	uint16_t head = sim.pending_count > 0 ? sim.pending[0].head : 0;

	sim_mem_complete(&sim, 1);
	sim_virtio_push(&sim.virtio, 0, head, 10);
}

static void nothing_is_written(void)
{
	sim.written = 0;
}

static void nine_bytes_are_written(void)
{
	sim.written = 9;
}

static void all_ones_are_written(void)
{
	sim.written = UINT32_MAX;
}

/* ---- Answers ---- */

static bool answer_always(struct sim_mem *s, const struct sim_mem_request *request,
			  struct sim_mem_answer *answer)
{
	(void)s, (void)request;
	answer->type = lied_type;
	answer->state = lied_state;
	return true;
}

static void lie_always(uint16_t type, uint16_t state)
{
	lied_type = type;
	lied_state = state;
	sim.lie = answer_always;
}

static void acks_what_it_does_not_do(void)
{
	lie_always(VIRTIO_MEM_ACK, VIRTIO_MEM_PLUGGED);
}

static void acks_and_says_unplugged(void)
{
	lie_always(VIRTIO_MEM_ACK, VIRTIO_MEM_UNPLUGGED);
}

static void acks_and_says_mixed(void)
{
	lie_always(VIRTIO_MEM_ACK, VIRTIO_MEM_MIXED);
}

static void acks_with_a_state_of_three(void)
{
	lie_always(VIRTIO_MEM_ACK, 3);
}

static void nacks_all(void)
{
	lie_always(VIRTIO_MEM_NACK, 0);
}

static void is_busy_for_ever(void)
{
	lie_always(VIRTIO_MEM_BUSY, 0);
}

static void errs_always(void)
{
	lie_always(VIRTIO_MEM_ERROR, 0);
}

static void answers_four(void)
{
	lie_always(4, 0);
}

static void answers_all_ones(void)
{
	lie_always(UINT16_MAX, UINT16_MAX);
}

/* It does what it was asked for, and says something else. */
static bool do_and_deny(struct sim_mem *s, const struct sim_mem_request *request,
			struct sim_mem_answer *answer)
{
	uint64_t bytes = request->nb_blocks * s->block_size;

	if (request->type > VIRTIO_MEM_UNPLUG ||
	    sim_mem_has(s, request->addr, bytes) == (request->type == VIRTIO_MEM_PLUG))
		return false;
	sim_mem_set(s, request->addr, bytes, request->type == VIRTIO_MEM_PLUG);
	answer->type = VIRTIO_MEM_ERROR;
	return true;
}

static void does_it_and_says_error(void)
{
	sim.lie = do_and_deny;
}

static bool in_turn(struct sim_mem *s, const struct sim_mem_request *request,
		    struct sim_mem_answer *answer)
{
	(void)s, (void)request;
	answer->type = (uint16_t)(1 + lied_turns % 3);
	return ++lied_turns % 7 != 0;
}

static void refuses_in_turn(void)
{
	lied_turns = 0;
	sim.lie = in_turn;
}

static void never_answers(void)
{
	sim.completion = SIM_MEM_NEVER;
	sim.pending_count = 0;
}

static void answers_when_it_is_waited_for(void)
{
	sim.completion = SIM_MEM_ON_DEMAND;
}

/* ---- Its config ---- */

static void say_changed(void)
{
	sim_virtio_interrupt(&sim.virtio, VIRTIO_ISR_CONFIG);
}

static void show(size_t offset, uint64_t value)
{
	sim_mem_show(&sim, offset, value);
	say_changed();
}

static void block_size_of_0(void)
{
	show(SIM_MEM_BLOCK_SIZE, 0);
}

static void block_size_of_3(void)
{
	show(SIM_MEM_BLOCK_SIZE, 3);
}

static void block_size_of_2_to_63(void)
{
	show(SIM_MEM_BLOCK_SIZE, UINT64_C(1) << 63);
}

static void region_at_0(void)
{
	show(SIM_MEM_ADDR, 0);
}

static void region_over_ram(void)
{
	show(SIM_MEM_ADDR, RAM * FRAME_SIZE);
}

static void region_that_wraps(void)
{
	show(SIM_MEM_ADDR, 0 - 2 * BLOCK_SIZE);
}

static void region_of_all(void)
{
	show(SIM_MEM_REGION_SIZE, UINT64_MAX);
}

static void region_moves_over_a_reset(void)
{
	sim_mem_show(&sim, SIM_MEM_ADDR, sim.addr + 64 * BLOCK_SIZE);
	sim_virtio_need_reset(&sim.virtio);
}

static void usable_of_0(void)
{
	show(SIM_MEM_USABLE, 0);
}

static void usable_shrinks(void)
{
	sim.usable = 5 * BLOCK_SIZE;
	show(SIM_MEM_USABLE, 5 * BLOCK_SIZE);
}

static void usable_of_all(void)
{
	show(SIM_MEM_USABLE, UINT64_MAX);
}

static void usable_that_is_no_block(void)
{
	show(SIM_MEM_USABLE, 7 * BLOCK_SIZE + 1);
}

static void requested_of_all(void)
{
	show(SIM_MEM_REQUESTED, UINT64_MAX - 1);
}

static void requested_that_is_no_block(void)
{
	sim_mem_request_size(&sim, 7 * BLOCK_SIZE + 12345);
}

static void plugged_of_all(void)
{
	show(SIM_MEM_PLUGGED, UINT64_MAX);
}

static void plugged_of_none(void)
{
	show(SIM_MEM_PLUGGED, 0);
}

static void config_without_its_end(void)
{
	sim.virtio.config_size = SIM_MEM_CONFIG_SIZE - 1;
	say_changed();
}

static void no_config(void)
{
	sim.virtio.config_size = 0;
	sim_virtio_need_reset(&sim.virtio);
}

static void config_that_never_holds_still(void)
{
	sim.virtio.restless = SIM_VIRTIO_FOR_EVER;
	say_changed();
}

static void host_of_many_minds(void)
{
	sim_mem_request_size(&sim, 300 * BLOCK_SIZE);
	sim_mem_request_size(&sim, 0);
	sim_mem_request_size(&sim, 45 * BLOCK_SIZE);
}

/* ---- Itself ---- */

static void plugs_by_itself(void)
{
	sim_mem_set(&sim, sim.addr + 400 * BLOCK_SIZE, 7 * BLOCK_SIZE, true);
	say_changed();
}

static void unplugs_by_itself(void)
{
	sim_mem_set(&sim, sim.addr, sim.region_size, false);
	say_changed();
}

static void asks_for_a_reset(void)
{
	sim_virtio_need_reset(&sim.virtio);
}

static void forgets_all_in_a_reset(void)
{
	sim.forgetful = true;
	sim_virtio_need_reset(&sim.virtio);
}

static void does_not_finish_a_reset(void)
{
	sim.virtio.slow_reset = SIM_VIRTIO_FOR_EVER;
	sim_virtio_need_reset(&sim.virtio);
}

static void refuses_its_features(void)
{
	sim.virtio.refuse_features = true;
	sim_virtio_need_reset(&sim.virtio);
}

static void refuses_its_queue(void)
{
	sim.virtio.refuse_queues = true;
	sim_virtio_need_reset(&sim.virtio);
}

static void has_a_queue_of_one(void)
{
	sim.virtio.queue[0].size_max = 1;
	sim_virtio_need_reset(&sim.virtio);
}

static void reads_as_ones(void)
{
	sim.virtio.gone = true;
	sim.virtio.device.config_changed = true;
}

#define LIE(function, ...) \
	{ \
		.name = #function, .tell = function, __VA_ARGS__ \
	}

const struct mem_lie mem_lies[] = {
	LIE(used_id_beyond_the_queue, .must_break = true),
	LIE(used_id_of_all_ones, .must_break = true),
	LIE(used_id_that_is_free, .must_break = true),
	LIE(used_index_without_entry, .split_only = true),
	LIE(an_answer_twice, .blind = true),
	LIE(nothing_is_written, .must_break = true),
	LIE(nine_bytes_are_written, .must_break = true),
	LIE(all_ones_are_written),
	LIE(acks_what_it_does_not_do, .blind = true),
	LIE(acks_and_says_unplugged, .blind = true),
	LIE(acks_and_says_mixed, .blind = true),
	LIE(acks_with_a_state_of_three, .blind = true),
	LIE(nacks_all),
	LIE(is_busy_for_ever, .must_go_on = true),
	LIE(errs_always),
	LIE(answers_four, .must_break = true),
	LIE(answers_all_ones, .must_break = true),
	LIE(does_it_and_says_error),
	LIE(refuses_in_turn),
	LIE(never_answers),
	LIE(answers_when_it_is_waited_for, .must_go_on = true),
	LIE(block_size_of_0),
	LIE(block_size_of_3),
	LIE(block_size_of_2_to_63),
	LIE(region_at_0),
	LIE(region_over_ram),
	LIE(region_that_wraps),
	LIE(region_of_all),
	LIE(region_moves_over_a_reset),
	LIE(usable_of_0),
	LIE(usable_shrinks),
	LIE(usable_of_all),
	LIE(usable_that_is_no_block),
	LIE(requested_of_all, .must_go_on = true),
	LIE(requested_that_is_no_block, .must_go_on = true),
	LIE(plugged_of_all),
	LIE(plugged_of_none),
	LIE(config_without_its_end),
	LIE(no_config),
	LIE(config_that_never_holds_still),
	LIE(host_of_many_minds, .must_go_on = true),
	LIE(plugs_by_itself, .must_go_on = true),
	LIE(unplugs_by_itself, .blind = true),
	LIE(asks_for_a_reset, .must_go_on = true),
	LIE(forgets_all_in_a_reset, .blind = true),
	LIE(does_not_finish_a_reset),
	LIE(refuses_its_features),
	LIE(refuses_its_queue),
	LIE(has_a_queue_of_one),
	LIE(reads_as_ones),
};
const size_t mem_lie_count = ARRAY_SIZE(mem_lies);

void mem_lies_end(void)
{
	sim.lie = NULL;
	sim.completion = SIM_MEM_AT_ONCE;
	sim.busy = false;
	sim.busy_with_state = false;
	sim.forgetful = false;
	sim.written = 10;
	sim.virtio.slow_reset = 0;
	sim.virtio.refuse_features = false;
	sim.virtio.refuse_queues = false;
	sim.virtio.restless = 0;
	sim.virtio.queue[0].size_max = 128;
	sim.virtio.config_size = SIM_MEM_CONFIG_SIZE;
	sim.virtio.status &= (uint8_t)~VIRTIO_STATUS_NEEDS_RESET;
	sim_mem_show(&sim, SIM_MEM_BLOCK_SIZE, sim.block_size);
	sim_mem_show(&sim, SIM_MEM_ADDR, sim.addr);
	sim_mem_show(&sim, SIM_MEM_REGION_SIZE, sim.region_size);
	sim.usable = sim.region_size;
	sim_mem_show(&sim, SIM_MEM_USABLE, sim.usable);
	sim_mem_show(&sim, SIM_MEM_PLUGGED, sim.plugged);
	sim_mem_complete(&sim, SIZE_MAX);
}
