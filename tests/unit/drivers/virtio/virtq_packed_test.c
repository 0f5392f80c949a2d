/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers/virtio/virtq_packed.c: layout, wrapping, and what a packed device can get wrong. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/paging.h"
#include "tests/unit/drivers/virtio/virtq_fixture.h"

static struct virtq_packed_desc *descriptors(void)
{
	return phys_to_virt(sim.queue[0].desc);
}

static void areas_lie_one_after_another(void **state)
{
	static const uint16_t sizes[] = { 1, 3, 8, 100, 128, 256 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		teardown(NULL);
		start(sizes[i]);
		assert_int_equal(sim.queue[0].size, sizes[i]);
		assert_int_equal(sim.queue[0].avail, sim.queue[0].desc + 16u * sizes[i]);
		assert_int_equal(sim.queue[0].used, sim.queue[0].avail + 4);
		assert_true(sim.queue[0].used + 4 <=
			    sim.queue[0].desc + sim_frame_in_use() * FRAME_SIZE);
		/* No more frames than they need; indirect tables have one. */
		assert_int_equal(sim_frame_in_use(),
				 (sizes[i] < 256 ? 1 : 2) + ring_has(VIRTIO_F_INDIRECT_DESC));
	}
}

/* The marks of 2.8.1, for the first rounds of a ring of three. */
static void marks_change_with_each_round(void **state)
{
	(void)state;
	teardown(NULL);
	start(3);
	for (unsigned i = 0; i < 12; i++) {
		uint16_t available = i / 3 % 2 == 0 ? VIRTQ_DESC_F_AVAIL : VIRTQ_DESC_F_USED;
		uint16_t id = offer(&tokens[0]);

		assert_int_equal(descriptors()[i % 3].flags, available);
		sim_virtio_push(&sim, 0, id, 0);
		assert_used(&tokens[0]);
	}
}

/* A chain whose descriptors lie on both sides of the ring's end. */
static void chain_goes_over_the_end_of_the_ring(void **state)
{
	const struct virtq_buffer three[3] = { one, one, one };
	struct sim_virtio_chain chain;

	(void)state;
	if (ring_has(VIRTIO_F_INDIRECT_DESC))
		skip();
	teardown(NULL);
	start(7);
	for (unsigned i = 0; i < 70000; i++) {
		assert_int_equal(virtq_add(&queue, three, 3, &tokens[i % 7]), 0);
		virtq_kick(&queue);
		assert_int_equal(queue.avail_idx, (i + 1) * 3 % 7);
		assert_int_equal(queue.avail_wrap, (i + 1) * 3 / 7 % 2 == 0);
		assert_true(sim_virtio_pop(&sim, 0, &chain));
		assert_int_equal(chain.count, 3);
		sim_virtio_push(&sim, 0, chain.head, 0);
		assert_used(&tokens[i % 7]);
		assert_int_equal(queue.last_used, queue.avail_idx);
		assert_int_equal(queue.used_wrap, queue.avail_wrap);
	}
}

/* All in one kick, through the end: the device sees nothing before it. */
static void batch_is_held_back_as_a_whole(void **state)
{
	struct sim_virtio_chain chain;

	(void)state;
	teardown(NULL);
	start(5);
	for (unsigned i = 0; i < 1000; i++) {
		for (unsigned k = 0; k < 5; k++) {
			assert_int_equal(virtq_add(&queue, &one, 1, &tokens[k]), 0);
			assert_false(sim_virtio_pop(&sim, 0, &chain));
		}
		virtq_kick(&queue);
		for (unsigned k = 0; k < 5; k++) {
			assert_true(sim_virtio_pop(&sim, 0, &chain));
			sim_virtio_push(&sim, 0, chain.head, 0);
			assert_used(&tokens[k]);
		}
		sim_virtio_push(&sim, 0, offer(&tokens[0]), 0);
		assert_used(&tokens[0]);
	}
}

static void highest_buffer_id_breaks_the_queue(void **state)
{
	(void)state;
	offer(&tokens[0]);
	sim_virtio_push(&sim, 0, 0xffff, 0);
	assert_broken();
}

/* With nothing in flight at all. */
static void used_mark_from_nowhere_breaks_the_queue(void **state)
{
	(void)state;
	sim_virtio_push(&sim, 0, 0, 0);
	assert_broken();
}

static void ring_is_never_believed(void **state)
{
	const struct virtq_buffer two[2] = { one, one };
	struct sim_virtio_chain chain;

	(void)state;
	assert_int_equal(virtq_add(&queue, two, 2, &tokens[0]), 0);
	virtq_kick(&queue);
	assert_true(sim_virtio_pop(&sim, 0, &chain));
	/* Neither used nor available, all of it. */
	memset(descriptors(), 0x7f, 8 * sizeof(struct virtq_packed_desc));
	if (queue.tables)
		memset(queue.tables, 0xff, FRAME_SIZE);
	assert_false(virtq_has_used(&queue));
	sim_virtio_push(&sim, 0, chain.head, 0);
	assert_used(&tokens[0]);
	assert_int_equal(queue.free_count, 8);
	for (int i = 0; i < 8; i++)
		assert_int_equal(virtq_add(&queue, &one, 1, &tokens[i]), 0);
	virtq_kick(&queue);
	for (int i = 0; i < 8; i++) {
		assert_true(sim_virtio_pop(&sim, 0, &chain));
		sim_virtio_push(&sim, 0, chain.head, 0);
		assert_used(&tokens[i]);
	}
}

/* Reserved flags, or DESC without EVENT_IDX, count as a wish. */
static void strange_wish_for_notifications_is_one(void **state)
{
	struct virtq_event *event = phys_to_virt(sim.queue[0].used);
	uint64_t expected = 0;

	(void)state;
	for (unsigned flags = 0; flags < 0x10000; flags += 1 + flags / 8) {
		event->flags = (uint16_t)flags;
		event->off_wrap = 0x7123; /* beyond the ring */
		sim_virtio_push(&sim, 0, offer(&tokens[0]), 0);
		assert_used(&tokens[0]);
		expected += flags != VIRTQ_EVENT_DISABLE &&
			    (flags != VIRTQ_EVENT_DESC || !ring_has(VIRTIO_F_EVENT_IDX));
		assert_int_equal(sim.queue[0].notified, expected);
	}
}

static void interrupt_wish_is_in_the_flags(void **state)
{
	const struct virtq_event *event = phys_to_virt(sim.queue[0].avail);

	(void)state;
	virtq_set_interrupts(&queue, false);
	assert_int_equal(event->flags, VIRTQ_EVENT_DISABLE);
	virtq_set_interrupts(&queue, true);
	assert_int_equal(event->flags, VIRTQ_EVENT_ENABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(areas_lie_one_after_another),
		CASE(marks_change_with_each_round),
		CASE(chain_goes_over_the_end_of_the_ring),
		CASE(batch_is_held_back_as_a_whole),
		CASE(highest_buffer_id_breaks_the_queue),
		CASE(used_mark_from_nowhere_breaks_the_queue),
		CASE(ring_is_never_believed),
		CASE(strange_wish_for_notifications_is_one),
		CASE(interrupt_wish_is_in_the_flags),
	};
	int failed = 0;

	for (size_t i = 0; i < FIXTURE_RINGS; i++) {
		ring = &fixture_rings[i];
		if (ring_has(VIRTIO_F_RING_PACKED))
			failed += cmocka_run_group_tests_name(ring->name, tests, NULL, NULL);
	}
	return failed != 0;
}
