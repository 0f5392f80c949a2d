/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers/virtio/virtq_split.c: layout, indices, and what a split device can get wrong. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/paging.h"
#include "tests/unit/drivers/virtio/virtq_fixture.h"

static void used_id_beyond_16_bits_breaks_the_queue(void **state)
{
	uint16_t head = offer(&tokens[0]);

	(void)state;
	sim_virtio_push(&sim, 0, 0x10000u | head, 0);
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

static void used_ring_lies_on_a_page_of_its_own(void **state)
{
	static const uint16_t sizes[] = { 1, 2, 32, 64, 128, 256, 512, 1024 };

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

/* Returns what virtq_create() says about a queue that the device gives this size. */
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

/* A page number of a legacy device has 32 bits. */
static void legacy_queue_must_lie_below_16_tib(void **state)
{
	struct virtq high = { .device = &sim.device, .index = 2 };
	uint32_t pfn = 7;

	(void)state;
	sim_log_reset();
	high.desc = (void *)(uintptr_t)((UINT64_C(1) << 44) - FRAME_SIZE);
	assert_int_equal(virtq_legacy_pfn(&high, &pfn), 0);
	assert_true(pfn == UINT32_MAX);
	assert_int_equal(sim_log_warnings, 0);
	high.desc = (void *)(uintptr_t)(UINT64_C(1) << 44);
	assert_int_equal(virtq_legacy_pfn(&high, &pfn), -EINVAL);
	assert_string_equal(sim_log_warning,
			    "virtio: simulated: queue 2 lies too high for a legacy device");
}

static void legacy_queue_larger_than_ours_is_refused(void **state)
{
	(void)state;
	assert_int_equal(create_fails(true, 2 * VIRTQ_SIZE_MAX), -EINVAL);
	assert_int_equal(sim_log_warnings, 1);
}

static void size_that_is_no_power_of_two_is_refused(void **state)
{
	(void)state;
	assert_int_equal(create_fails(false, 96), -EINVAL);
	assert_int_equal(sim_log_warnings, 1);
	assert_int_equal(create_fails(false, 0xffff), -EIO);
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

/* 2.7.7.1: with EVENT_IDX it is the index that says so; the flags stay 0. */
static void flags_stay_0_with_event_idx(void **state)
{
	struct virtq_avail *avail = phys_to_virt(sim.queue[0].avail);

	(void)state;
	virtq_set_interrupts(&queue, false);
	assert_int_equal(avail->flags, ring_has(VIRTIO_F_EVENT_IDX) ? 0 : 1);
	virtq_set_interrupts(&queue, true);
	assert_int_equal(avail->flags, 0);
}

/* Without EVENT_IDX there is no such word (2.7.6), and nobody writes there. */
static void used_event_is_not_written_without_event_idx(void **state)
{
	struct virtq_avail *avail = phys_to_virt(sim.queue[0].avail);

	(void)state;
	if (ring_has(VIRTIO_F_EVENT_IDX))
		skip();
	for (unsigned i = 0; i < 3; i++) {
		sim_virtio_push(&sim, 0, offer(&tokens[0]), 0);
		assert_used(&tokens[0]);
	}
	virtq_set_interrupts(&queue, false);
	assert_int_equal(avail->ring[8], 0);
}

/* The farthest index is the one just before. */
static void used_event_is_the_next_entry_or_the_farthest(void **state)
{
	struct virtq_avail *avail = phys_to_virt(sim.queue[0].avail);

	(void)state;
	if (!ring_has(VIRTIO_F_EVENT_IDX))
		skip();
	for (unsigned i = 0; i < 70000; i++) {
		assert_int_equal(avail->ring[8], (uint16_t)i);
		sim_virtio_push(&sim, 0, offer(&tokens[0]), 0);
		assert_used(&tokens[0]);
	}
	virtq_set_interrupts(&queue, false);
	assert_int_equal(avail->ring[8], 70000 - 65536 - 1);
	sim_virtio_push(&sim, 0, offer(&tokens[0]), 0);
	assert_used(&tokens[0]);
	assert_int_equal(avail->ring[8], 70000 - 65536);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(used_id_beyond_16_bits_breaks_the_queue),
		CASE(used_id_in_mid_chain_breaks_the_queue),
		CASE(used_index_beyond_what_is_in_flight_breaks_the_queue),
		CASE(used_index_that_goes_back_breaks_the_queue),
		CASE(rings_are_never_believed),
		CASE(used_ring_lies_on_a_page_of_its_own),
		CASE(legacy_queue_has_the_size_of_the_device),
		CASE(legacy_queue_must_lie_below_16_tib),
		cmocka_unit_test(legacy_queue_larger_than_ours_is_refused),
		cmocka_unit_test(size_that_is_no_power_of_two_is_refused),
		CASE(indices_wrap_at_65536),
		CASE(flags_stay_0_with_event_idx),
		CASE(used_event_is_not_written_without_event_idx),
		CASE(used_event_is_the_next_entry_or_the_farthest),
	};
	int failed = 0;

	for (size_t i = 0; i < FIXTURE_RINGS; i++) {
		ring = &fixture_rings[i];
		if (!ring_has(VIRTIO_F_RING_PACKED))
			failed += cmocka_run_group_tests_name(ring->name, tests, NULL, NULL);
	}
	return failed != 0;
}
