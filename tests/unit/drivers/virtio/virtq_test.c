/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/virtio/virtq.c on a simulated device, well-behaved and not: what holds
 * for every kind of ring, and is run on each.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/paging.h"
#include "tests/unit/drivers/virtio/virtq_fixture.h"

/* Descriptors that a chain of so many buffers takes. */
static unsigned descriptors(unsigned buffers)
{
	return ring_has(VIRTIO_F_INDIRECT_DESC) && buffers > 1 ? 1 : buffers;
}

static void buffer_reaches_device_as_it_was_added(void **state)
{
	struct sim_virtio_chain chain;

	(void)state;
	assert_int_equal(virtq_add(&queue, &one, 1, &tokens[0]), 0);
	virtq_kick(&queue);
	assert_int_equal(sim.queue[0].notified, 1);
	assert_int_equal(queue.notifications, 1);
	assert_true(sim_virtio_pop(&sim, 0, &chain));
	assert_int_equal(chain.count, 1);
	assert_true(chain.buffer[0].address == one.address);
	assert_int_equal(chain.buffer[0].length, one.length);
	assert_false(chain.buffer[0].device_writes);
	assert_false(sim_virtio_pop(&sim, 0, &chain));
}

static void nothing_is_seen_before_kick(void **state)
{
	struct sim_virtio_chain chain;

	(void)state;
	assert_int_equal(virtq_add(&queue, &one, 1, &tokens[0]), 0);
	assert_int_equal(virtq_add(&queue, &one, 1, &tokens[1]), 0);
	assert_false(sim_virtio_pop(&sim, 0, &chain));
	virtq_kick(&queue);
	assert_true(sim_virtio_pop(&sim, 0, &chain));
	assert_true(sim_virtio_pop(&sim, 0, &chain));
	assert_int_equal(sim.queue[0].notified, 1);
}

static void used_chain_brings_its_token_and_length(void **state)
{
	uint32_t written = 0;
	void *token = NULL;
	uint16_t head = offer(&tokens[3]);

	(void)state;
	assert_int_equal(virtq_get_used(&queue, &token, &written), 0);
	assert_false(virtq_has_used(&queue));
	sim_virtio_push(&sim, 0, head, 77);
	assert_true(virtq_has_used(&queue));
	assert_int_equal(virtq_get_used(&queue, &token, &written), 1);
	assert_ptr_equal(token, &tokens[3]);
	assert_int_equal(written, 77);
	assert_false(virtq_has_used(&queue));
	assert_int_equal(queue.free_count, queue.size);
}

static void chain_keeps_its_order_and_directions(void **state)
{
	const struct virtq_buffer buffers[] = {
		{ 0x1000, 10, false },
		{ 0x2000, 20, false },
		{ 0x3000, 30, true },
	};
	struct sim_virtio_chain chain;

	(void)state;
	assert_int_equal(virtq_add(&queue, buffers, 3, &tokens[0]), 0);
	assert_int_equal(queue.free_count, 8 - descriptors(3));
	virtq_kick(&queue);
	assert_true(sim_virtio_pop(&sim, 0, &chain));
	assert_int_equal(chain.count, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(chain.buffer[i].address, buffers[i].address);
		assert_int_equal(chain.buffer[i].length, buffers[i].length);
		assert_int_equal(chain.buffer[i].device_writes, buffers[i].device_writes);
	}
	sim_virtio_push(&sim, 0, chain.head, 30);
	assert_used(&tokens[0]);
	assert_int_equal(queue.free_count, 8);
}

static void chains_of_all_lengths_come_back_in_any_order(void **state)
{
	static const struct virtq_buffer buffers[8];
	struct sim_virtio_chain chain[3];
	unsigned lengths[3];

	(void)state;
	srand(1);
	for (unsigned round = 0; round < 2000; round++) {
		lengths[0] = 1 + (unsigned)rand() % 3;
		lengths[1] = 1 + (unsigned)rand() % 2;
		lengths[2] = 8 - lengths[0] - lengths[1];
		for (unsigned i = 0; i < 3; i++)
			assert_int_equal(virtq_add(&queue, buffers, lengths[i], &tokens[i]), 0);
		assert_int_equal(queue.free_count, 8 - descriptors(lengths[0]) -
							   descriptors(lengths[1]) -
							   descriptors(lengths[2]));
		if (queue.free_count == 0)
			assert_int_equal(virtq_add(&queue, buffers, 1, &tokens[3]), -ENOSPC);
		virtq_kick(&queue);
		for (unsigned i = 0; i < 3; i++) {
			assert_true(sim_virtio_pop(&sim, 0, &chain[i]));
			assert_int_equal(chain[i].count, lengths[i]);
		}
		for (unsigned i = 0; i < 3; i++)
			sim_virtio_push(&sim, 0, chain[(i * 2 + round) % 3].head, 0);
		for (unsigned i = 0; i < 3; i++)
			assert_used(&tokens[(i * 2 + round) % 3]);
		assert_int_equal(queue.free_count, 8);
	}
}

static void full_queue_takes_no_more_and_is_unharmed(void **state)
{
	const struct virtq_buffer two[2] = { one, one };

	(void)state;
	for (int i = 0; i < 7; i++)
		offer(&tokens[i]);
	if (!ring_has(VIRTIO_F_INDIRECT_DESC))
		assert_int_equal(virtq_add(&queue, two, 2, &tokens[7]), -ENOSPC);
	assert_int_equal(queue.free_count, 1);
	offer(&tokens[7]);
	assert_int_equal(virtq_add(&queue, &one, 1, &tokens[8]), -ENOSPC);
	assert_int_equal(virtq_add(&queue, two, 2, &tokens[8]), -ENOSPC);
	for (uint32_t i = 0; i < 8; i++)
		sim_virtio_push(&sim, 0, i, 0);
	for (int i = 0; i < 8; i++)
		assert_used(&tokens[i]);
	assert_int_equal(queue.free_count, 8);
	offer(&tokens[0]);
}

static void empty_chain_and_missing_token_are_refused(void **state)
{
	(void)state;
	assert_int_equal(virtq_add(&queue, &one, 0, &tokens[0]), -EINVAL);
	assert_int_equal(virtq_add(&queue, &one, 1, NULL), -EINVAL);
	assert_int_equal(queue.free_count, 8);
}

static void full_rings_wrap_at_65536(void **state)
{
	uint16_t heads[8];

	(void)state;
	for (unsigned round = 0; round < 70000 / 8; round++) {
		for (unsigned i = 0; i < 8; i++)
			heads[i] = offer(&tokens[i]);
		for (unsigned i = 0; i < 8; i++)
			sim_virtio_push(&sim, 0, heads[7 - i], 0);
		for (unsigned i = 0; i < 8; i++)
			assert_used(&tokens[7 - i]);
	}
}

static void queue_of_one_descriptor_works(void **state)
{
	(void)state;
	teardown(NULL);
	start(1);
	for (unsigned i = 0; i < 10; i++) {
		uint16_t head = offer(&tokens[0]);

		assert_int_equal(virtq_add(&queue, &one, 1, &tokens[1]), -ENOSPC);
		sim_virtio_push(&sim, 0, head, 0);
		assert_used(&tokens[0]);
	}
}

static void used_id_out_of_range_breaks_the_queue(void **state)
{
	(void)state;
	offer(&tokens[0]);
	sim_virtio_push(&sim, 0, 8, 0);
	assert_broken();
}

/* The shadow ends there. */
static void used_id_one_past_the_largest_queue_breaks_it(void **state)
{
	(void)state;
	teardown(NULL);
	start(VIRTQ_SIZE_MAX);
	offer(&tokens[0]);
	sim_virtio_push(&sim, 0, VIRTQ_SIZE_MAX, 0);
	assert_broken();
}

static void used_id_of_a_free_descriptor_breaks_the_queue(void **state)
{
	uint16_t head = offer(&tokens[0]);

	(void)state;
	sim_virtio_push(&sim, 0, head + 1u, 0);
	assert_broken();
}

static void same_id_twice_breaks_the_queue(void **state)
{
	uint16_t head = offer(&tokens[0]);

	(void)state;
	offer(&tokens[1]);
	sim_virtio_push(&sim, 0, head, 0);
	sim_virtio_push(&sim, 0, head, 0);
	assert_used(&tokens[0]);
	assert_broken();
}

static void notification_is_left_out_when_not_wanted(void **state)
{
	struct sim_virtio_chain chain;

	(void)state;
	sim_virtio_set_no_notify(&sim, 0, true);
	assert_int_equal(virtq_add(&queue, &one, 1, &tokens[0]), 0);
	virtq_kick(&queue);
	assert_int_equal(sim.queue[0].notified, 0);
	assert_int_equal(queue.notifications, 0);
	assert_true(sim_virtio_pop(&sim, 0, &chain));
	sim_virtio_set_no_notify(&sim, 0, false);
	assert_int_equal(virtq_add(&queue, &one, 1, &tokens[1]), 0);
	virtq_kick(&queue);
	assert_int_equal(sim.queue[0].notified, 1);
}

static void kick_without_anything_new_is_none(void **state)
{
	(void)state;
	virtq_kick(&queue);
	assert_int_equal(sim.queue[0].notified, 0);
	offer(&tokens[0]);
	virtq_kick(&queue);
	assert_int_equal(sim.queue[0].notified, 1);
	assert_int_equal(queue.notifications, 1);
}

/* With NOTIFICATION_DATA it names a place; the simulation checks which. */
static void reminder_names_what_was_published(void **state)
{
	(void)state;
	offer(&tokens[0]);
	assert_int_equal(virtq_add(&queue, &one, 1, &tokens[1]), 0);
	virtq_remind(&queue);
	assert_int_equal(sim.queue[0].notified, 2);
	assert_null(sim.violation);
}

static void interrupts_come_only_when_wanted(void **state)
{
	uint64_t before = sim.device.interrupt_count;

	(void)state;
	virtq_set_interrupts(&queue, false);
	sim_virtio_push(&sim, 0, offer(&tokens[0]), 0);
	assert_int_equal(sim.device.interrupt_count, before);
	virtq_set_interrupts(&queue, true);
	assert_true(virtq_has_used(&queue));
	assert_used(&tokens[0]);
	sim_virtio_push(&sim, 0, offer(&tokens[1]), 0);
	assert_int_equal(sim.device.interrupt_count, before + 1);
}

static void rings_start_as_zeros(void **state)
{
	const uint8_t *rings = phys_to_virt(sim.queue[0].desc);
	size_t bytes = sim.queue[0].used + 4 - sim.queue[0].desc;

	(void)state;
	if (!ring_has(VIRTIO_F_RING_PACKED))
		bytes += 8 * 8 + 2;
	for (size_t i = 0; i < bytes; i++)
		assert_int_equal(rings[i], 0);
}

static void modern_queue_is_cut_to_our_size(void **state)
{
	(void)state;
	teardown(NULL);
	start(2 * VIRTQ_SIZE_MAX);
	assert_int_equal(queue.size, VIRTQ_SIZE_MAX);
	assert_int_equal(sim.queue[0].size, VIRTQ_SIZE_MAX);
}

static void missing_queue_is_no_device(void **state)
{
	(void)state;
	negotiate(false);
	sim.queue[0].size_max = 0;
	assert_int_equal(virtq_create(&sim.device, 0, &queue), -ENODEV);
	assert_int_equal(sim_frame_in_use(), 0);
	assert_int_equal(sim_log_warnings, 0);
	assert_int_equal(virtq_create(&sim.device, VIRTIO_QUEUES_MAX, &queue), -ENODEV);
}

static void no_frames_is_no_memory(void **state)
{
	(void)state;
	negotiate(false);
	sim_frame_fail(true);
	assert_int_equal(virtq_create(&sim.device, 0, &queue), -ENOMEM);
	virtq_destroy(&queue);
}

static void queue_that_the_device_refuses_gives_its_frames_back(void **state)
{
	(void)state;
	negotiate(false);
	sim.refuse_queues = true;
	assert_int_equal(virtq_create(&sim.device, 0, &queue), -EIO);
	assert_int_equal(sim_frame_in_use(), 0);
	assert_null(sim.device.queue[0]);
}

static void destroyed_queue_is_off_the_device(void **state)
{
	static struct virtq third;

	(void)state;
	negotiate(false);
	assert_int_equal(virtq_create(&sim.device, 0, &queue), 0);
	assert_int_equal(virtq_create(&sim.device, 2, &third), 0);
	assert_int_equal(sim.device.queue_count, 3);
	assert_ptr_equal(sim.device.queue[2], &third);
	virtio_break(&sim.device, "test");
	virtq_destroy(&third);
	assert_int_equal(sim.device.queue_count, 1);
	virtq_destroy(&queue);
	assert_int_equal(sim.device.queue_count, 0);
	assert_int_equal(sim_frame_in_use(), 0);
	virtq_destroy(&queue);
}

static void rings_stay_with_a_device_that_was_not_reset(void **state)
{
	size_t frames = sim_frame_in_use();

	(void)state;
	virtq_destroy(&queue);
	assert_int_equal(sim_frame_in_use(), frames);
	assert_int_equal(sim_log_warnings, 1);
	sim_frame_reset();
}

static void rings_of_a_device_that_is_gone_come_back(void **state)
{
	(void)state;
	sim.gone = true;
	virtq_destroy(&queue);
	assert_int_equal(sim_frame_in_use(), 0);
}

static void reset_queue_is_dead(void **state)
{
	void *token = NULL;

	(void)state;
	offer(&tokens[0]);
	assert_int_equal(virtio_negotiate(&sim.device, 0), 0);
	assert_int_equal(virtq_get_used(&queue, &token, NULL), -EIO);
	assert_int_equal(virtq_add(&queue, &one, 1, &tokens[1]), -EIO);
}

/* ---- Chains in their time ---- */

static void id_that_was_not_shown_yet_breaks_the_queue(void **state)
{
	(void)state;
	offer(&tokens[0]);
	assert_int_equal(virtq_add(&queue, &one, 1, &tokens[1]), 0);
	sim_virtio_push(&sim, 0, 1, 0);
	assert_broken();
}

/* Chains with the device, and what it should answer. */
struct flight {
	struct sim_virtio_chain chain;
	int *token;
	unsigned buffers;
};

static struct flight flights[VIRTQ_SIZE_MAX];
static unsigned in_flight;

static void take_one_back(unsigned i)
{
	uint32_t written = 0;
	void *token = NULL;
	uint32_t length = (uint32_t)rand();

	sim_virtio_push(&sim, 0, flights[i].chain.head, length);
	assert_int_equal(virtq_get_used(&queue, &token, &written), 1);
	assert_ptr_equal(token, flights[i].token);
	assert_int_equal(written, length);
	flights[i] = flights[--in_flight];
}

/* A chain of any length that fits, its buffers told apart by their addresses. */
static bool add_random_chain(unsigned number)
{
	static struct virtq_buffer buffers[VIRTQ_SIZE_MAX];
	unsigned longest = queue.size < 40 ? queue.size : 40;
	unsigned count = 1 + (unsigned)rand() % longest;
	unsigned reads = (unsigned)rand() % (count + 1);
	struct flight *flight = &flights[in_flight];
	int err;

	for (unsigned i = 0; i < count; i++)
		buffers[i] = (struct virtq_buffer){ (uint64_t)number << 16 | i, i + 1, i >= reads };
	flight->token = &tokens[number % VIRTQ_SIZE_MAX];
	flight->buffers = count;
	err = virtq_add(&queue, buffers, count, flight->token);
	if (err) {
		assert_int_equal(err, -ENOSPC);
		assert_true(count > queue.free_count);
		return false;
	}
	virtq_kick(&queue);
	assert_true(sim_virtio_pop(&sim, 0, &flight->chain));
	assert_int_equal(flight->chain.count, count);
	for (unsigned i = 0; i < count; i++)
		assert_memory_equal(&flight->chain.buffer[i].address, &buffers[i].address, 8);
	in_flight++;
	return true;
}

static void random_chains_in_a_queue_of(uint16_t size)
{
	teardown(NULL);
	start(size);
	srand(size);
	in_flight = 0;
	for (unsigned number = 1; number <= 20000; number++) {
		while (!add_random_chain(number))
			if (in_flight > 0)
				take_one_back((unsigned)rand() % in_flight);
		if (in_flight > 0 && rand() % 2 == 0)
			take_one_back((unsigned)rand() % in_flight);
	}
	while (in_flight > 0)
		take_one_back(in_flight - 1);
	assert_int_equal(queue.free_count, size);
	assert_int_equal(queue.in_flight, 0);
	assert_int_equal(queue.tables_taken, 0);
	assert_null(sim.violation);
}

static void random_chains_come_back_in_random_order(void **state)
{
	static const uint16_t sizes[] = { 1, 2, 4, 8, 64, 256, 3, 7, 13, 100, 255 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		if (ring_has(VIRTIO_F_RING_PACKED) || (sizes[i] & (sizes[i] - 1)) == 0)
			random_chains_in_a_queue_of(sizes[i]);
}

static void seventy_thousand_buffers_pass(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 70000; i++) {
		sim_virtio_push(&sim, 0, offer(&tokens[i % 8]), i);
		assert_used(&tokens[i % 8]);
	}
	assert_int_equal(sim.queue[0].notified, 70000);
	assert_int_equal(sim.device.interrupt_count, 70000);
}

/* ---- Interrupts and notifications ---- */

static void no_interrupt_comes_unwanted_in_70000(void **state)
{
	(void)state;
	virtq_set_interrupts(&queue, false);
	for (unsigned i = 0; i < 70000; i++) {
		sim_virtio_push(&sim, 0, offer(&tokens[0]), 0);
		assert_used(&tokens[0]);
	}
	assert_int_equal(sim.device.interrupt_count, 0);
}

static void interrupts_can_be_wanted_in_turns(void **state)
{
	uint64_t expected = 0;

	(void)state;
	srand(3);
	for (unsigned i = 0; i < 70000; i++) {
		bool wish = rand() % 2;
		uint16_t id = offer(&tokens[0]);

		virtq_set_interrupts(&queue, wish);
		expected += wish;
		sim_virtio_push(&sim, 0, id, 0);
		assert_int_equal(sim.device.interrupt_count, expected);
		assert_used(&tokens[0]);
	}
}

/* The third from now is wanted: kicks of two, so the second kick has it, once. */
static void notification_comes_for_the_entry_that_is_wanted(void **state)
{
	struct sim_virtio_chain chain;
	uint64_t expected = 0;

	(void)state;
	if (!ring_has(VIRTIO_F_EVENT_IDX))
		skip();
	for (unsigned round = 0; round < 12000; round++) {
		sim_virtio_notify_after(&sim, 0, 3);
		for (unsigned kick = 0; kick < 3; kick++) {
			assert_int_equal(virtq_add(&queue, &one, 1, &tokens[0]), 0);
			assert_int_equal(virtq_add(&queue, &one, 1, &tokens[1]), 0);
			virtq_kick(&queue);
			expected += kick == 1;
			assert_int_equal(sim.queue[0].notified, expected);
		}
		while (sim_virtio_pop(&sim, 0, &chain)) {
			sim_virtio_push(&sim, 0, chain.head, 0);
			assert_int_equal(virtq_get_used(&queue, &(void *){ NULL }, NULL), 1);
		}
	}
}

/* Every kick from the first to the last of a ring, whatever the place in it. */
static void notification_wish_is_right_at_every_place(void **state)
{
	struct sim_virtio_chain chain;

	(void)state;
	if (!ring_has(VIRTIO_F_EVENT_IDX))
		skip();
	srand(4);
	for (unsigned round = 0; round < 20000; round++) {
		unsigned at = 1 + (unsigned)rand() % 12; /* some are never reached */
		unsigned count = 1 + (unsigned)rand() % 8;
		uint64_t before = sim.queue[0].notified;

		sim_virtio_notify_after(&sim, 0, (uint16_t)at);
		for (unsigned i = 0; i < count; i++)
			assert_int_equal(virtq_add(&queue, &one, 1, &tokens[i]), 0);
		virtq_kick(&queue);
		assert_int_equal(sim.queue[0].notified - before, at <= count);
		while (sim_virtio_pop(&sim, 0, &chain)) {
			sim_virtio_push(&sim, 0, chain.head, 0);
			assert_int_equal(virtq_get_used(&queue, &(void *){ NULL }, NULL), 1);
		}
	}
}

/* ---- Indirect tables ---- */

static struct virtq_buffer many[VIRTQ_TABLE_ENTRIES + 1];

static void make_many(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (struct virtq_buffer){ 0x1000 * (i + 1), i + 1, true };
}

static void chain_of_up_to_32_takes_one_descriptor(void **state)
{
	struct sim_virtio_chain chain;

	(void)state;
	if (!ring_has(VIRTIO_F_INDIRECT_DESC))
		skip();
	teardown(NULL);
	start(64);
	make_many();
	for (unsigned count = 1; count <= ARRAY_SIZE(many); count++) {
		unsigned taken = count <= VIRTQ_TABLE_ENTRIES ? 1 : count;

		assert_int_equal(virtq_add(&queue, many, count, &tokens[0]), 0);
		assert_int_equal(queue.free_count, 64 - taken);
		virtq_kick(&queue);
		assert_true(sim_virtio_pop(&sim, 0, &chain));
		assert_int_equal(chain.count, count);
		assert_memory_equal(&chain.buffer[count - 1].address, &many[count - 1].address, 8);
		assert_int_equal(chain.buffer[count - 1].length, count);
		assert_true(chain.buffer[0].device_writes);
		sim_virtio_push(&sim, 0, chain.head, 0);
		assert_used(&tokens[0]);
	}
}

static void tables_run_out_and_come_back(void **state)
{
	struct sim_virtio_chain chain;
	uint16_t ids[VIRTQ_TABLES + 1];

	(void)state;
	if (!ring_has(VIRTIO_F_INDIRECT_DESC))
		skip();
	teardown(NULL);
	start(64);
	make_many();
	for (unsigned round = 0; round < 100; round++) {
		for (unsigned i = 0; i <= VIRTQ_TABLES; i++) {
			assert_int_equal(virtq_add(&queue, many, 5, &tokens[i]), 0);
			virtq_kick(&queue);
			assert_true(sim_virtio_pop(&sim, 0, &chain));
			assert_int_equal(chain.count, 5);
			ids[i] = chain.head;
		}
		assert_int_equal(queue.free_count, 64 - VIRTQ_TABLES - 5);
		assert_int_equal(queue.tables_taken, (1u << VIRTQ_TABLES) - 1);
		for (unsigned i = 0; i <= VIRTQ_TABLES; i++) {
			sim_virtio_push(&sim, 0, ids[(i + round) % (VIRTQ_TABLES + 1)], 0);
			assert_used(&tokens[(i + round) % (VIRTQ_TABLES + 1)]);
		}
		assert_int_equal(queue.tables_taken, 0);
		assert_int_equal(queue.free_count, 64);
	}
}

static void chain_longer_than_the_queue_is_refused(void **state)
{
	(void)state;
	make_many();
	assert_int_equal(virtq_add(&queue, many, 9, &tokens[0]), -ENOSPC);
	assert_int_equal(queue.free_count, 8);
	assert_int_equal(queue.tables_taken, 0);
	assert_int_equal(virtq_add(&queue, many, 8, &tokens[0]), 0);
}

static void no_frame_for_tables_is_no_memory(void **state)
{
	(void)state;
	if (!ring_has(VIRTIO_F_INDIRECT_DESC))
		skip();
	negotiate(false);
	sim_frame_fail_after(1);
	assert_int_equal(virtq_create(&sim.device, 0, &queue), -ENOMEM);
	assert_int_equal(sim_frame_in_use(), 0);
	assert_false(sim.queue[0].enabled);
	virtq_destroy(&queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(buffer_reaches_device_as_it_was_added),
		CASE(nothing_is_seen_before_kick),
		CASE(used_chain_brings_its_token_and_length),
		CASE(chain_keeps_its_order_and_directions),
		CASE(chains_of_all_lengths_come_back_in_any_order),
		CASE(full_queue_takes_no_more_and_is_unharmed),
		CASE(empty_chain_and_missing_token_are_refused),
		CASE(full_rings_wrap_at_65536),
		CASE(queue_of_one_descriptor_works),
		CASE(used_id_out_of_range_breaks_the_queue),
		CASE(used_id_one_past_the_largest_queue_breaks_it),
		CASE(used_id_of_a_free_descriptor_breaks_the_queue),
		CASE(same_id_twice_breaks_the_queue),
		CASE(notification_is_left_out_when_not_wanted),
		CASE(reminder_names_what_was_published),
		CASE(interrupts_come_only_when_wanted),
		CASE(rings_start_as_zeros),
		CASE(modern_queue_is_cut_to_our_size),
		CASE(rings_stay_with_a_device_that_was_not_reset),
		CASE(rings_of_a_device_that_is_gone_come_back),
		CASE(reset_queue_is_dead),
		CASE(kick_without_anything_new_is_none),
		CASE(id_that_was_not_shown_yet_breaks_the_queue),
		CASE(random_chains_come_back_in_random_order),
		CASE(seventy_thousand_buffers_pass),
		CASE(no_interrupt_comes_unwanted_in_70000),
		CASE(interrupts_can_be_wanted_in_turns),
		CASE(notification_comes_for_the_entry_that_is_wanted),
		CASE(notification_wish_is_right_at_every_place),
		CASE(chain_of_up_to_32_takes_one_descriptor),
		CASE(tables_run_out_and_come_back),
		CASE(chain_longer_than_the_queue_is_refused),
		cmocka_unit_test(no_frame_for_tables_is_no_memory),
		cmocka_unit_test(missing_queue_is_no_device),
		cmocka_unit_test(no_frames_is_no_memory),
		cmocka_unit_test(queue_that_the_device_refuses_gives_its_frames_back),
		cmocka_unit_test(destroyed_queue_is_off_the_device),
	};

	int failed = 0;

	for (size_t i = 0; i < FIXTURE_RINGS; i++) {
		ring = &fixture_rings[i];
		failed += cmocka_run_group_tests_name(ring->name, tests, NULL, NULL);
	}
	return failed != 0;
}
