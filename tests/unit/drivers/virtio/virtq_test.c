/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers/virtio/virtq.c on a simulated device, well-behaved and not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/paging.h"
#include "tests/unit/sim/sim_frame.h"
#include "tests/unit/sim/sim_log.h"
#include "tests/unit/sim/sim_time.h"
#include "tests/unit/sim/sim_virtio.h"

static struct sim_virtio sim;
static struct virtq queue;
static int tokens[VIRTQ_SIZE_MAX];
static const struct virtq_buffer one = { .address = 0x123456789000, .length = 1024 };

static void negotiate(bool legacy)
{
	sim_time_reset();
	sim_log_reset();
	sim_frame_reset();
	sim_virtio_init(&sim, VIRTIO_ID_BALLOON, legacy,
			legacy ? 0 : VIRTIO_BIT(VIRTIO_F_VERSION_1), 3);
	assert_int_equal(virtio_negotiate(&sim.device, 0), 0);
}

/* A queue of `size` descriptors on a running device. */
static void start(uint16_t size)
{
	negotiate(false);
	sim.queue[0].size_max = size;
	assert_int_equal(virtq_create(&sim.device, 0, &queue), 0);
	virtio_ready(&sim.device);
}

static int setup(void **state)
{
	(void)state;
	start(8);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	virtio_break(&sim.device, "end of test");
	virtq_destroy(&queue);
	return sim_frame_in_use() == 0 && sim.violation == NULL ? 0 : -1;
}

/* Offers a buffer and lets the device take it. */
static uint16_t offer(int *token)
{
	struct sim_virtio_chain chain;

	assert_int_equal(virtq_add(&queue, &one, 1, token), 0);
	virtq_kick(&queue);
	assert_true(sim_virtio_pop(&sim, 0, &chain));
	return chain.head;
}

static void assert_used(int *expected)
{
	void *token = NULL;

	assert_int_equal(virtq_get_used(&queue, &token, NULL), 1);
	assert_ptr_equal(token, expected);
}

/* The queue is dead, the device was reset, one line says so. */
static void assert_broken(void)
{
	void *token = NULL;

	assert_int_equal(virtq_get_used(&queue, &token, NULL), -EIO);
	assert_null(token);
	assert_true(queue.broken);
	assert_non_null(sim.device.broken);
	assert_int_equal(sim.status, 0);
	assert_int_equal(sim_log_warnings, 1);
	assert_int_equal(virtq_get_used(&queue, &token, NULL), -EIO);
	assert_int_equal(virtq_add(&queue, &one, 1, &tokens[0]), -EIO);
	assert_true(virtq_has_used(&queue));
	virtq_kick(&queue);
	assert_int_equal(sim_log_warnings, 1);
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
	assert_int_equal(queue.free_count, 5);
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
		assert_int_equal(queue.free_count, 0);
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
	assert_int_equal(virtq_add(&queue, two, 2, &tokens[7]), -ENOSPC);
	assert_int_equal(queue.free_count, 1);
	offer(&tokens[7]);
	assert_int_equal(virtq_add(&queue, &one, 1, &tokens[8]), -ENOSPC);
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

static void indices_wrap_at_65536(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 70000; i++) {
		sim_virtio_push(&sim, 0, offer(&tokens[i % 8]), 0);
		assert_used(&tokens[i % 8]);
	}
	assert_int_equal(queue.avail_idx, 70000 - 65536);
	assert_int_equal(queue.last_used, 70000 - 65536);
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

static void used_id_beyond_16_bits_breaks_the_queue(void **state)
{
	uint16_t head = offer(&tokens[0]);

	(void)state;
	sim_virtio_push(&sim, 0, 0x10000u | head, 0);
	assert_broken();
}

static void used_id_of_a_free_descriptor_breaks_the_queue(void **state)
{
	uint16_t head = offer(&tokens[0]);

	(void)state;
	sim_virtio_push(&sim, 0, head + 1u, 0);
	assert_broken();
}

static void used_id_in_mid_chain_breaks_the_queue(void **state)
{
	const struct virtq_buffer two[2] = { one, one };
	struct sim_virtio_chain chain;

	(void)state;
	assert_int_equal(virtq_add(&queue, two, 2, &tokens[0]), 0);
	virtq_kick(&queue);
	assert_true(sim_virtio_pop(&sim, 0, &chain));
	sim_virtio_push(&sim, 0, queue.shadow[chain.head].next, 0);
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

static void used_index_beyond_what_is_in_flight_breaks_the_queue(void **state)
{
	(void)state;
	offer(&tokens[0]);
	offer(&tokens[1]);
	sim_virtio_set_used_idx(&sim, 0, 3);
	assert_broken();
}

static void used_index_that_goes_back_breaks_the_queue(void **state)
{
	uint16_t head = offer(&tokens[0]);

	(void)state;
	sim_virtio_push(&sim, 0, head, 0);
	assert_used(&tokens[0]);
	offer(&tokens[1]);
	sim_virtio_set_used_idx(&sim, 0, 0);
	assert_broken();
}

/* A device that scribbles over all it can reach does not move the shadow. */
static void rings_are_never_believed(void **state)
{
	const struct virtq_buffer two[2] = { one, one };
	struct sim_virtio_chain chain;

	(void)state;
	assert_int_equal(virtq_add(&queue, two, 2, &tokens[0]), 0);
	virtq_kick(&queue);
	assert_true(sim_virtio_pop(&sim, 0, &chain));
	memset(phys_to_virt(sim.queue[0].desc), 0xff, 8 * sizeof(struct virtq_desc));
	memset(phys_to_virt(sim.queue[0].avail), 0, 4 + 8 * sizeof(le16));
	sim_virtio_push(&sim, 0, chain.head, 0);
	assert_used(&tokens[0]);
	assert_int_equal(queue.free_count, 8);
	for (int i = 0; i < 8; i++)
		assert_int_equal(virtq_add(&queue, &one, 1, &tokens[i]), 0);
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
	virtq_kick(&queue);
	assert_int_equal(sim.queue[0].notified, 1);
}

static void interrupts_come_only_when_wanted(void **state)
{
	uint64_t before = sim.device.interrupt_count;

	(void)state;
	virtq_set_interrupts(&queue, false);
	sim_virtio_push(&sim, 0, offer(&tokens[0]), 0);
	assert_int_equal(sim.device.interrupt_count, before);
	virtq_set_interrupts(&queue, true);
	sim_virtio_push(&sim, 0, offer(&tokens[1]), 0);
	assert_int_equal(sim.device.interrupt_count, before + 1);
}

static void rings_start_as_zeros(void **state)
{
	const uint8_t *rings = phys_to_virt(sim.queue[0].desc);
	size_t bytes = sim.queue[0].used + 4 + 8 * 8 + 2 - sim.queue[0].desc;

	(void)state;
	for (size_t i = 0; i < bytes; i++)
		assert_int_equal(rings[i], 0);
}

static void used_ring_lies_on_a_page_of_its_own(void **state)
{
	static const uint16_t sizes[] = { 1, 2, 32, 64, 128, 256 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_t size = sizes[i];
		paddr_t end;

		teardown(NULL);
		start(sizes[i]);
		assert_int_equal(sim.queue[0].size, size);
		assert_int_equal(sim.queue[0].desc % FRAME_SIZE, 0);
		assert_int_equal(sim.queue[0].avail, sim.queue[0].desc + 16 * size);
		/* 2.7.2 */
		assert_int_equal(sim.queue[0].used,
				 sim.queue[0].desc + align_up(16 * size + 6 + 2 * size, 4096));
		end = sim.queue[0].used + 6 + 8 * size;
		assert_true(end <= sim.queue[0].desc + sim_frame_in_use() * FRAME_SIZE);
	}
}

static void modern_queue_is_cut_to_our_size(void **state)
{
	(void)state;
	teardown(NULL);
	start(1024);
	assert_int_equal(queue.size, VIRTQ_SIZE_MAX);
	assert_int_equal(sim.queue[0].size, VIRTQ_SIZE_MAX);
}

static void legacy_queue_has_the_size_of_the_device(void **state)
{
	(void)state;
	teardown(NULL);
	negotiate(true);
	sim.queue[0].size_max = 256;
	assert_int_equal(virtq_create(&sim.device, 0, &queue), 0);
	assert_int_equal(sim.queue[0].size, 256);
	virtio_ready(&sim.device);
}

/* What virtq_create() says about a queue that the device gives this size. */
static int create_fails(bool legacy, uint16_t size)
{
	int err;

	negotiate(legacy);
	sim.queue[0].size_max = size;
	err = virtq_create(&sim.device, 0, &queue);
	assert_int_equal(sim_frame_in_use(), 0);
	assert_null(sim.device.queue[0]);
	assert_int_equal(sim.device.queue_count, 0);
	assert_int_equal(virtq_add(&queue, &one, 1, &tokens[0]), -EIO);
	virtq_destroy(&queue);
	assert_int_equal(sim_frame_in_use(), 0);
	return err;
}

static void legacy_queue_larger_than_ours_is_refused(void **state)
{
	(void)state;
	assert_int_equal(create_fails(true, 2 * VIRTQ_SIZE_MAX), -EINVAL);
	assert_int_equal(sim_log_warnings, 1);
}

static void missing_queue_is_no_device(void **state)
{
	(void)state;
	assert_int_equal(create_fails(false, 0), -ENODEV);
	assert_int_equal(sim_log_warnings, 0);
	assert_int_equal(virtq_create(&sim.device, VIRTIO_QUEUES_MAX, &queue), -ENODEV);
}

static void size_that_is_no_power_of_two_is_refused(void **state)
{
	(void)state;
	assert_int_equal(create_fails(false, 96), -EINVAL);
	assert_int_equal(sim_log_warnings, 1);
	assert_int_equal(create_fails(false, 0xffff), -EIO);
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

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
		CASE(indices_wrap_at_65536),
		CASE(full_rings_wrap_at_65536),
		CASE(queue_of_one_descriptor_works),
		CASE(used_id_out_of_range_breaks_the_queue),
		CASE(used_id_beyond_16_bits_breaks_the_queue),
		CASE(used_id_of_a_free_descriptor_breaks_the_queue),
		CASE(used_id_in_mid_chain_breaks_the_queue),
		CASE(same_id_twice_breaks_the_queue),
		CASE(used_index_beyond_what_is_in_flight_breaks_the_queue),
		CASE(used_index_that_goes_back_breaks_the_queue),
		CASE(rings_are_never_believed),
		CASE(notification_is_left_out_when_not_wanted),
		CASE(interrupts_come_only_when_wanted),
		CASE(rings_start_as_zeros),
		CASE(used_ring_lies_on_a_page_of_its_own),
		CASE(modern_queue_is_cut_to_our_size),
		CASE(legacy_queue_has_the_size_of_the_device),
		CASE(rings_stay_with_a_device_that_was_not_reset),
		CASE(rings_of_a_device_that_is_gone_come_back),
		CASE(reset_queue_is_dead),
		cmocka_unit_test(legacy_queue_larger_than_ours_is_refused),
		cmocka_unit_test(missing_queue_is_no_device),
		cmocka_unit_test(size_that_is_no_power_of_two_is_refused),
		cmocka_unit_test(no_frames_is_no_memory),
		cmocka_unit_test(queue_that_the_device_refuses_gives_its_frames_back),
		cmocka_unit_test(destroyed_queue_is_off_the_device),
	};

	return cmocka_run_group_tests_name("virtq", tests, NULL, NULL);
}
