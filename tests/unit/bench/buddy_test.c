/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/buddy.c: the peer of the allocator's benchmark has to be right
 * before it is worth a comparison. 2 GiB of RAM that is not reserved.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "tests/bench/buddy.h"

#define TOP ((size_t)1 << BUDDY_ORDER_MAX)
#define FRAMES (2 * TOP)
#define OPERATIONS 200000
#define HELD_MAX 2000
#define ORDERS 10

static struct buddy buddy;
static void *ram;
static uint8_t *head;

static int start(void **state)
{
	(void)state;
	ram = mmap(NULL, FRAMES * FRAME_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	head = calloc(FRAMES, 1);
	if (ram == MAP_FAILED || !head)
		return -1;
	buddy_init(&buddy, ram, FRAMES, head);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(head);
	return munmap(ram, FRAMES * FRAME_SIZE);
}

static size_t count_free(void)
{
	size_t frames = 0;

	for (unsigned o = 0; o <= BUDDY_ORDER_MAX; o++)
		frames += buddy.count[o] << o;
	return frames;
}

/* Lists, counts and bytes say the same, both ways round each list. */
static void assert_sound(void)
{
	size_t heads[BUDDY_ORDER_MAX + 1] = { 0 };

	for (size_t pfn = 0; pfn < FRAMES; pfn++)
		if (head[pfn] != 0)
			heads[head[pfn] - 1]++;
	for (unsigned o = 0; o <= BUDDY_ORDER_MAX; o++) {
		size_t n = 0;

		for (struct buddy_node *node = buddy.list[o].next; node != &buddy.list[o];
		     node = node->next, n++) {
			size_t at = (size_t)((uint8_t *)node - (uint8_t *)ram) / FRAME_SIZE;

			assert_int_equal(head[at], o + 1);
			assert_ptr_equal(node->next->prev, node);
		}
		assert_int_equal(n, buddy.count[o]);
		assert_int_equal(n, heads[o]);
	}
}

static void assert_all_merged(void)
{
	assert_sound();
	assert_int_equal(buddy.count[BUDDY_ORDER_MAX], FRAMES / TOP);
	assert_int_equal(count_free(), FRAMES);
}

static void a_small_run_splits_the_lowest_run_once_per_order(void **state)
{
	(void)state;
	assert_int_equal(buddy_alloc(&buddy, 3), 0);
	assert_int_equal(buddy.count[BUDDY_ORDER_MAX], 1);
	for (unsigned o = 3; o < BUDDY_ORDER_MAX; o++)
		assert_int_equal(buddy.count[o], 1);
	assert_int_equal(count_free(), FRAMES - 8);
	assert_sound();
}

static void free_merges_whichever_buddy_comes_last(void **state)
{
	(void)state;
	for (unsigned first = 0; first < 2; first++) {
		pfn_t pfn[2] = { buddy_alloc(&buddy, 0), buddy_alloc(&buddy, 0) };

		assert_int_equal(pfn[0] ^ 1, pfn[1]);
		buddy_free(&buddy, pfn[first], 0);
		assert_int_equal(buddy.count[0], 1);
		buddy_free(&buddy, pfn[!first], 0);
		assert_all_merged();
	}
}

static void free_does_not_merge_with_a_run_of_another_order(void **state)
{
	pfn_t small[2], large;

	(void)state;
	small[0] = buddy_alloc(&buddy, 0);
	small[1] = buddy_alloc(&buddy, 0);
	large = buddy_alloc(&buddy, 1);
	assert_int_equal(large, small[0] + 2);
	buddy_free(&buddy, small[0], 0);
	buddy_free(&buddy, large, 1);
	assert_int_equal(buddy.count[0], 1);
	assert_int_equal(buddy.count[1], 1);
	assert_sound();
	buddy_free(&buddy, small[1], 0);
	assert_all_merged();
}

static void neighbours_that_are_not_buddies_stay_apart(void **state)
{
	pfn_t pfn[4];

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		pfn[i] = buddy_alloc(&buddy, 0);
	buddy_free(&buddy, pfn[1], 0);
	buddy_free(&buddy, pfn[2], 0);
	assert_int_equal(buddy.count[0], 2);
	buddy_free(&buddy, pfn[0], 0);
	buddy_free(&buddy, pfn[3], 0);
	assert_all_merged();
}

static void runs_of_the_highest_order_never_merge(void **state)
{
	(void)state;
	assert_int_equal(buddy_alloc(&buddy, BUDDY_ORDER_MAX), 0);
	assert_int_equal(buddy_alloc(&buddy, BUDDY_ORDER_MAX), TOP);
	assert_int_equal(buddy_alloc(&buddy, BUDDY_ORDER_MAX), PFN_NONE);
	assert_int_equal(buddy_alloc(&buddy, 0), PFN_NONE);
	buddy_free(&buddy, TOP, BUDDY_ORDER_MAX);
	buddy_free(&buddy, 0, BUDDY_ORDER_MAX);
	assert_all_merged();
}

static void a_run_freed_in_parts_merges_again(void **state)
{
	(void)state;
	assert_int_equal(buddy_alloc(&buddy, 9), 0);
	for (pfn_t pfn = 512; pfn-- > 0;)
		buddy_free(&buddy, pfn, 0);
	assert_all_merged();
}

struct held {
	pfn_t pfn;
	unsigned order;
};

/* Marks a run; each frame must not be marked so already. */
static void mark(uint8_t *taken, const struct held *run, uint8_t value)
{
	for (size_t i = 0; i < (size_t)1 << run->order; i++) {
		assert_int_not_equal(taken[run->pfn + i], value);
		taken[run->pfn + i] = value;
	}
}

static void random_runs_never_overlap_and_all_merge_in_the_end(void **state)
{
	static struct held held[HELD_MAX];
	uint8_t *taken = calloc(FRAMES, 1);
	size_t count = 0, frames = 0;

	(void)state;
	assert_non_null(taken);
	srandom(1);
	for (size_t i = 0; i < OPERATIONS; i++) {
		if (count < HELD_MAX && random() % 2) {
			struct held run = { .order = (unsigned)(random() % ORDERS) };

			run.pfn = buddy_alloc(&buddy, run.order);
			assert_int_not_equal(run.pfn, PFN_NONE);
			assert_int_equal(run.pfn & (((pfn_t)1 << run.order) - 1), 0);
			mark(taken, &run, 1);
			frames += (size_t)1 << run.order;
			held[count++] = run;
		} else if (count > 0) {
			size_t victim = (size_t)random() % count;

			mark(taken, &held[victim], 0);
			frames -= (size_t)1 << held[victim].order;
			buddy_free(&buddy, held[victim].pfn, held[victim].order);
			held[victim] = held[--count];
		}
		assert_int_equal(count_free(), FRAMES - frames);
	}
	assert_sound();
	while (count-- > 0)
		buddy_free(&buddy, held[count].pfn, held[count].order);
	assert_all_merged();
	free(taken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_small_run_splits_the_lowest_run_once_per_order,
						start, teardown),
		cmocka_unit_test_setup_teardown(free_merges_whichever_buddy_comes_last, start,
						teardown),
		cmocka_unit_test_setup_teardown(free_does_not_merge_with_a_run_of_another_order,
						start, teardown),
		cmocka_unit_test_setup_teardown(neighbours_that_are_not_buddies_stay_apart, start,
						teardown),
		cmocka_unit_test_setup_teardown(runs_of_the_highest_order_never_merge, start,
						teardown),
		cmocka_unit_test_setup_teardown(a_run_freed_in_parts_merges_again, start, teardown),
		cmocka_unit_test_setup_teardown(random_runs_never_overlap_and_all_merge_in_the_end,
						start, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
