/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/balloonctl/grow_plan.c: which means are used, in which order, and what cannot be. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tools/balloonctl/grow_plan.h"

#define KIB 1024ull
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define BLOCK (2 * MIB)
#define ROUNDS 100000

/* A guest of 1 GiB with a device of 4 GiB, and one beside it. */
static struct guest_state guest_of(uint64_t taken, uint64_t plugged, uint64_t beside)
{
	return (struct guest_state){
		.base = GIB,
		.ram = GIB + plugged + beside,
		.taken = taken,
		.left = GIB + plugged + beside - taken,
		.grown = plugged + beside,
		.has_grown = true,
		.nr_devices = 1,
		.devices = { { .name = "m0",
			       .block = BLOCK,
			       .region = 4 * GIB,
			       .requested = plugged,
			       .plugged = plugged } },
	};
}

static struct grow_plan plan;
static struct grow_near near;

static enum grow_verdict plan_for(const struct guest_state *state, bool shrinks, bool in_all,
				  uint64_t bytes)
{
	struct grow_wish wish = { .shrinks = shrinks, .in_all = in_all, .bytes = bytes };

	memset(&plan, 0xee, sizeof(plan));
	memset(&near, 0xee, sizeof(near));
	return grow_plan(state, &state->devices[0], &wish, &plan, &near);
}

#define assert_planned(state, shrinks, in_all, bytes, left, asked) \
	do { \
		assert_int_equal(plan_for(state, shrinks, in_all, bytes), GROW_PLANNED); \
		assert_int_equal(plan.bytes_left, left); \
		assert_int_equal(plan.requested, asked); \
	} while (0)

#define assert_refused(state, shrinks, in_all, bytes, verdict, lower, upper) \
	do { \
		assert_int_equal(plan_for(state, shrinks, in_all, bytes), verdict); \
		assert_int_equal(near.below, lower); \
		assert_int_equal(near.above, upper); \
	} while (0)

static void balloon_gives_back_before_anything_is_plugged(void **state)
{
	struct guest_state guest = guest_of(256 * MIB, GIB, 0);

	(void)state;
	assert_planned(&guest, false, false, 100 * MIB, 868 * MIB, GIB);
	assert_planned(&guest, false, false, 256 * MIB, GIB, GIB);
	assert_planned(&guest, false, false, 512 * MIB, GIB, GIB + 256 * MIB);
	assert_planned(&guest, false, true, 2 * GIB, GIB, GIB);
	assert_planned(&guest, false, true, 3 * GIB, GIB, 2 * GIB);
	assert_planned(&guest, false, true, guest.left, 768 * MIB, GIB);
}

static void blocks_go_before_the_balloon_takes(void **state)
{
	struct guest_state guest = guest_of(256 * MIB, GIB, 0);

	(void)state;
	assert_planned(&guest, true, false, 512 * MIB, 768 * MIB, 512 * MIB);
	assert_planned(&guest, true, false, GIB, 768 * MIB, 0);
	assert_planned(&guest, true, false, GIB + 256 * MIB, 512 * MIB, 0);
	assert_planned(&guest, true, true, 768 * MIB, 768 * MIB, 0);
	assert_planned(&guest, true, true, 500 * MIB, 500 * MIB, 0);
	assert_planned(&guest, true, true, guest.left, 768 * MIB, GIB);
}

/* Those of other devices stay what they are, and count. */
static void other_devices_are_left_alone(void **state)
{
	struct guest_state guest = guest_of(0, GIB, 3 * GIB);

	(void)state;
	assert_planned(&guest, false, true, 6 * GIB, GIB, 2 * GIB);
	assert_planned(&guest, true, true, 4 * GIB + 512 * MIB, GIB, 512 * MIB);
	assert_planned(&guest, true, true, 3 * GIB + 512 * MIB, 512 * MIB, 0);
	assert_refused(&guest, true, true, 3 * GIB, GROW_TOO_MUCH, 0, 3 * GIB + 4 * KIB);
	assert_refused(&guest, false, true, 9 * GIB, GROW_TOO_MUCH, 8 * GIB, 0);
}

static void old_request_is_over(void **state)
{
	struct guest_state guest = guest_of(256 * MIB, GIB, 0);

	(void)state;
	guest.devices[0].requested = 3 * GIB;
	assert_planned(&guest, false, false, MIB, 769 * MIB, GIB);
}

static void size_between_blocks_has_neighbours(void **state)
{
	struct guest_state guest = guest_of(0, GIB, 0);

	(void)state;
	assert_refused(&guest, false, false, 3 * MIB, GROW_NO_MULTIPLE, 2 * MIB, 4 * MIB);
	assert_refused(&guest, false, false, MIB, GROW_NO_MULTIPLE, 0, 2 * MIB);
	assert_refused(&guest, false, true, 2 * GIB + MIB, GROW_NO_MULTIPLE, 2 * GIB,
		       2 * GIB + 2 * MIB);
	assert_refused(&guest, true, false, 3 * MIB, GROW_NO_MULTIPLE, 2 * MIB, 4 * MIB);
	assert_refused(&guest, true, false, MIB, GROW_NO_MULTIPLE, 0, 2 * MIB);
	assert_refused(&guest, true, true, 2 * GIB - MIB, GROW_NO_MULTIPLE, 2 * GIB - 2 * MIB,
		       2 * GIB);
	assert_refused(&guest, true, true, GIB + 1, GROW_NO_MULTIPLE, GIB, GIB + 2 * MIB);
}

/* A base that is no multiple: the last block may be too much, and the first too little. */
static void neighbours_are_possible(void **state)
{
	struct guest_state guest = guest_of(0, 0, 0);

	(void)state;
	guest.devices[0].block = GIB;
	guest.devices[0].region = GIB;
	assert_refused(&guest, false, true, GIB + 1, GROW_NO_MULTIPLE, GIB, 2 * GIB);
	guest = guest_of(0, GIB, 0);
	guest.base = 512 * MIB;
	guest.ram = 1536 * MIB;
	guest.taken = 511 * MIB;
	guest.left = GIB + MIB;
	guest.devices[0].block = GIB;
	/* 512 MiB would be left by whole blocks; the next is more than the guest has now. */
	assert_refused(&guest, true, true, 600 * MIB, GROW_NO_MULTIPLE, 512 * MIB, 0);
	assert_refused(&guest, true, true, 2 * MIB, GROW_NO_MULTIPLE, 0, 512 * MIB);
}

static void balloon_of_odd_size_is_evened_out(void **state)
{
	struct guest_state guest = guest_of(3 * MIB + 4 * KIB, GIB, 0);

	(void)state;
	/* More blocks go than are wanted, and the balloon gives back what is no whole block. */
	assert_planned(&guest, true, true, GIB, 1022 * MIB, 2 * MIB);
	/* By difference only whole blocks go, and the balloon stays as it is. */
	assert_planned(&guest, true, false, 4 * MIB, GIB - 3 * MIB - 4 * KIB, GIB - 4 * MIB);
}

static void balloon_leaves_whole_pages(void **state)
{
	struct guest_state guest = guest_of(256 * MIB, 0, 0);

	(void)state;
	assert_planned(&guest, false, false, 1, 768 * MIB + 4 * KIB, 0);
	assert_planned(&guest, true, false, 4 * KIB + 1, 768 * MIB - 4 * KIB, 0);
	guest.base = GIB + 100;
	guest.ram = guest.base;
	guest.left = guest.ram - guest.taken;
	assert_planned(&guest, false, true, GIB + 50, GIB + 100, 0);
}

/* What is less than a page is nothing to take, and is not said to be done. */
static void shrinking_by_nothing_is_refused_with_a_page(void **state)
{
	struct guest_state guest = guest_of(256 * MIB, 0, 6 * MIB);
	uint64_t now = guest.left;

	(void)state;
	assert_refused(&guest, true, false, 1, GROW_NO_CHANGE, 0, 4 * KIB);
	assert_refused(&guest, true, false, 4 * KIB - 1, GROW_NO_CHANGE, 0, 4 * KIB);
	assert_planned(&guest, true, false, 4 * KIB, 768 * MIB - 4 * KIB, 0);
	assert_refused(&guest, true, true, now - 1, GROW_NO_CHANGE, now - 4 * KIB, now);
	assert_planned(&guest, true, true, now, 768 * MIB, 0);
	/* The last page stays with the guest. */
	guest = guest_of(GIB - 4 * KIB, 0, 0);
	assert_refused(&guest, true, false, 1, GROW_TOO_MUCH, 0, 0);
	/* RAM that is not whole pages, of which the balloon has none. */
	guest = guest_of(0, 0, 0);
	guest.base += 100;
	guest.ram = guest.left = guest.base;
	assert_refused(&guest, true, false, 1, GROW_NO_CHANGE, 0, 100);
	assert_planned(&guest, true, false, 100, GIB, 0);
}

static void more_than_there_can_be_is_refused_with_the_most(void **state)
{
	struct guest_state guest = guest_of(256 * MIB, GIB, 0);

	(void)state;
	assert_planned(&guest, false, true, 5 * GIB, GIB, 4 * GIB);
	assert_refused(&guest, false, true, 5 * GIB + 1, GROW_TOO_MUCH, 5 * GIB, 0);
	assert_refused(&guest, false, false, INT64_MAX, GROW_TOO_MUCH, 3 * GIB + 256 * MIB, 0);
	assert_planned(&guest, true, true, 4 * KIB, 4 * KIB, 0);
	assert_refused(&guest, true, true, 4 * KIB - 1, GROW_TOO_MUCH, 0, 4 * KIB);
	assert_refused(&guest, true, false, INT64_MAX, GROW_TOO_MUCH, GIB + 768 * MIB - 4 * KIB, 0);
	assert_refused(&guest, true, false, guest.left, GROW_TOO_MUCH, GIB + 768 * MIB - 4 * KIB,
		       0);
}

static void without_a_balloon_only_blocks_go(void **state)
{
	struct guest_state guest = guest_of(0, GIB, 0);

	(void)state;
	guest.lacks_balloon = true;
	assert_planned(&guest, true, false, GIB, GIB, 0);
	assert_refused(&guest, true, false, GIB + 1, GROW_TOO_MUCH, GIB, 0);
	assert_refused(&guest, true, true, GIB - 1, GROW_TOO_MUCH, 0, GIB);
	guest = guest_of(0, 0, 0);
	guest.lacks_balloon = true;
	assert_refused(&guest, true, false, 1, GROW_TOO_MUCH, 0, 0);
}

static void other_direction_is_told(void **state)
{
	struct guest_state guest = guest_of(0, GIB, 0);

	(void)state;
	assert_refused(&guest, false, true, 2 * GIB - 1, GROW_BACKWARDS, 0, 0);
	assert_refused(&guest, true, true, 2 * GIB + 1, GROW_BACKWARDS, 0, 0);
}

static uint64_t below(uint64_t limit)
{
	return limit ? (((uint64_t)random() << 31) ^ (uint64_t)random()) % limit : 0;
}

static struct guest_state random_guest(void)
{
	uint64_t block = BLOCK << below(4), region = (1 + below(64)) * block;
	struct guest_state guest = guest_of(0, 0, 0);
	struct guest_mem_device *device = &guest.devices[0];

	device->block = block;
	device->region = region;
	device->plugged = below(region / block + 1) * block;
	guest.base = (1 + below(100000)) * 4 * KIB;
	guest.dimms = below(3) * 128 * MIB;
	guest.grown = device->plugged + below(3) * 6 * MIB;
	guest.ram = guest.base + guest.dimms + guest.grown;
	guest.lacks_balloon = !below(4);
	if (!guest.lacks_balloon)
		guest.taken = below((guest.base + guest.dimms) / (4 * KIB)) * 4 * KIB;
	guest.left = guest.ram - guest.taken;
	return guest;
}

/* What a plan makes of the guest, which is what was wished, in whole pages. */
static void assert_plan_adds_up(const struct guest_state *guest, uint64_t wanted)
{
	const struct guest_mem_device *device = &guest->devices[0];
	uint64_t counted = guest->base + guest->dimms;

	assert_true(plan.requested % device->block == 0 && plan.requested <= device->region);
	assert_true(plan.bytes_left > 0 && plan.bytes_left <= counted);
	if (guest->lacks_balloon)
		assert_int_equal(plan.bytes_left, counted);
	assert_in_range(plan.bytes_left + plan.requested + guest->grown - device->plugged - wanted,
			0, 4 * KIB - 1);
}

/* A size that is named in place of another can be had. */
static void assert_near_can_be(const struct guest_state *guest, const struct grow_wish *wish)
{
	const struct grow_near named = near;
	const uint64_t sizes[] = { named.below, named.above };

	for (size_t i = 0; i < 2; i++)
		if (sizes[i] && plan_for(guest, wish->shrinks, wish->in_all, sizes[i]))
			fail_msg("%llu instead of %llu cannot be had", (unsigned long long)sizes[i],
				 (unsigned long long)wish->bytes);
	if (named.below && named.above)
		assert_true(named.below < wish->bytes && wish->bytes < named.above);
}

static void plans_add_up_at_random(void **state)
{
	unsigned planned = 0, refused = 0;

	(void)state;
	srandom(15);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct guest_state guest = random_guest();
		struct grow_wish wish = { .shrinks = below(2), .in_all = below(2) };
		uint64_t left;

		wish.bytes = 1 + below(2 * guest.ram / (4 * KIB)) * (below(4) ? 4 * KIB : 1);
		if (below(2))
			wish.bytes = (1 + below(64)) * BLOCK;
		left = wish.in_all    ? wish.bytes
		       : wish.shrinks ? guest.left - wish.bytes
				      : guest.left + wish.bytes;
		switch (plan_for(&guest, wish.shrinks, wish.in_all, wish.bytes)) {
		case GROW_PLANNED:
			assert_plan_adds_up(&guest, left);
			planned++;
			break;
		default:
			assert_near_can_be(&guest, &wish);
			refused++;
		}
	}
	assert_true(planned > ROUNDS / 10 && refused > ROUNDS / 10);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(balloon_gives_back_before_anything_is_plugged),
		cmocka_unit_test(blocks_go_before_the_balloon_takes),
		cmocka_unit_test(other_devices_are_left_alone),
		cmocka_unit_test(old_request_is_over),
		cmocka_unit_test(size_between_blocks_has_neighbours),
		cmocka_unit_test(neighbours_are_possible),
		cmocka_unit_test(balloon_of_odd_size_is_evened_out),
		cmocka_unit_test(balloon_leaves_whole_pages),
		cmocka_unit_test(shrinking_by_nothing_is_refused_with_a_page),
		cmocka_unit_test(more_than_there_can_be_is_refused_with_the_most),
		cmocka_unit_test(without_a_balloon_only_blocks_go),
		cmocka_unit_test(other_direction_is_told),
		cmocka_unit_test(plans_add_up_at_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
