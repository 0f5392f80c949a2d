/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In which order a queue's driver and its device see each other's accesses: what
 * lies before a barrier and what after it. The device acts in the barriers
 * themselves, the moments at which the driver claims that things are in order.
 */
#include "tests/unit/drivers/virtio/virtq_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/barrier.h"

/* The events, a letter each: s, l, f for barriers, P: there was something to pop, n: notified. */
static char events[16];
static void (*in_barrier)(enum fake_barrier kind);

void fake_barrier(enum fake_barrier kind)
{
	if (in_barrier)
		in_barrier(kind);
}

static void note(char event)
{
	size_t at = strlen(events);

	assert_true(at + 1 < sizeof(events));
	events[at] = event;
}

static int set_up(void **state)
{
	memset(events, 0, sizeof(events));
	in_barrier = NULL;
	return setup(state);
}

static int tear_down(void **state)
{
	in_barrier = NULL;
	return teardown(state);
}

/* ---- Offering ---- */

/* The device looks by a copy of itself, which must not change the device's wish. */
static void look_for_a_chain(enum fake_barrier kind)
{
	static struct sim_virtio copy;
	struct sim_virtio_chain chain;

	note("slf"[kind]);
	copy = sim;
	copy.queue[0].own_event = true;
	if (!sim_virtio_pop(&copy, 0, &chain))
		return;
	note('P');
	assert_int_equal(chain.count, 1);
	assert_true(chain.buffer[0].address == one.address);
}

static void note_notification(struct sim_virtio *device, unsigned index)
{
	(void)device;
	(void)index;
	note('n');
}

static void chain_is_filled_then_published_then_notified(void **state)
{
	(void)state;
	sim.queue[0].notify = note_notification;
	assert_int_equal(virtq_add(&queue, &one, 1, &tokens[0]), 0);
	in_barrier = look_for_a_chain;
	virtq_kick(&queue);
	/* Packed rings have a barrier within the device's wish, too. */
	assert_string_equal(events, ring_has(VIRTIO_F_RING_PACKED) ? "sfPlPn" : "sfPn");
}

static void fall_asleep(enum fake_barrier kind)
{
	if (kind == FAKE_BARRIER_FULL)
		sim_virtio_set_no_notify(&sim, 0, false);
}

static void device_that_falls_asleep_meanwhile_is_notified(void **state)
{
	(void)state;
	sim_virtio_set_no_notify(&sim, 0, true);
	assert_int_equal(virtq_add(&queue, &one, 1, &tokens[0]), 0);
	in_barrier = fall_asleep;
	virtq_kick(&queue);
	assert_int_equal(sim.queue[0].notified, 1);
}

/* ---- Taking back ---- */

static uint16_t id;

static void write_used_id(uint16_t value)
{
	if (ring_has(VIRTIO_F_RING_PACKED))
		queue.packed[0].id = cpu_to_le16(value);
	else
		queue.used->ring[0].id = cpu_to_le32(value);
}

static void write_right_id(enum fake_barrier kind)
{
	if (kind == FAKE_BARRIER_LOAD)
		write_used_id(id);
}

/* As on a processor that reads the entry early, and finds what was there before. */
static void used_entry_is_read_after_what_makes_it_count(void **state)
{
	(void)state;
	id = offer(&tokens[0]);
	sim_virtio_push(&sim, 0, id, 0);
	write_used_id((uint16_t)(id + 1));
	in_barrier = write_right_id;
	assert_used(&tokens[0]);
}

static void finish_chain(enum fake_barrier kind)
{
	if (kind != FAKE_BARRIER_FULL)
		return;
	in_barrier = NULL;
	sim_virtio_push(&sim, 0, id, 0);
}

static void wish_for_interrupts_is_there_before_the_last_look(void **state)
{
	(void)state;
	virtq_set_interrupts(&queue, false);
	id = offer(&tokens[0]);
	in_barrier = finish_chain;
	virtq_set_interrupts(&queue, true);
	assert_int_equal(sim.device.interrupt_count, 1);
	assert_used(&tokens[0]);
}

static void next_wish_is_there_before_the_next_look(void **state)
{
	(void)state;
	if (ring_has(VIRTIO_F_RING_PACKED) || !ring_has(VIRTIO_F_EVENT_IDX))
		skip();
	sim_virtio_push(&sim, 0, offer(&tokens[0]), 0);
	assert_int_equal(sim.device.interrupt_count, 1);
	id = offer(&tokens[1]);
	in_barrier = finish_chain;
	assert_used(&tokens[0]);
	assert_int_equal(sim.device.interrupt_count, 2);
	assert_used(&tokens[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(chain_is_filled_then_published_then_notified),
		TEST(device_that_falls_asleep_meanwhile_is_notified),
		TEST(used_entry_is_read_after_what_makes_it_count),
		TEST(wish_for_interrupts_is_there_before_the_last_look),
		TEST(next_wish_is_there_before_the_next_look),
	};
	int failed = 0;

	for (size_t i = 0; i < FIXTURE_RINGS; i++) {
		ring = &fixture_rings[i];
		failed += cmocka_run_group_tests_name(ring->name, tests, NULL, NULL);
	}
	return failed != 0;
}
