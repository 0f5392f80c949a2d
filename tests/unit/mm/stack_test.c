/* SPDX-License-Identifier: BSD-2-Clause */
/* mm/stack.c over simulated frames and page tables. Each test frees its stacks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "arch/paging.h"
#include "mm/stack.h"
#include "tests/sim/sim_frame.h"
#include "tests/sim/sim_paging.h"
#include "tests/sim/sim_panic.h"

#define STACK_PAGES (STACK_SIZE / FRAME_SIZE)

static int set_up(void **state)
{
	(void)state;
	sim_frame_reset();
	sim_paging_reset();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return sim_frame_in_use() == 0 && sim_paging_mapped() == 0 && sim_paging_upwards() == 0
		       ? 0
		       : -1;
}

static void *alloc(void)
{
	void *top = NULL;

	assert_int_equal(stack_alloc(&top), 0);
	return top;
}

static void assert_stacks(size_t stacks)
{
	assert_int_equal(sim_frame_in_use(), stacks * STACK_PAGES);
	assert_int_equal(sim_paging_mapped(), stacks * STACK_PAGES);
}

static void a_stack_is_mapped_up_to_its_top(void **state)
{
	void *top = alloc();
	uint64_t end = (uintptr_t)top;

	(void)state;
	assert_int_equal(end % 16, 0);
	assert_true(end - STACK_SIZE >= PAGING_STACKS_START);
	for (uint64_t at = end - STACK_SIZE; at < end; at += FRAME_SIZE)
		assert_true(paging_is_mapped(at));
	assert_stacks(1);
	stack_free(top);
	assert_stacks(0);
}

/* Allocates all stacks there are, or frees them. */
static void alloc_all(void *top[STACKS_MAX])
{
	for (size_t i = 0; i < STACKS_MAX; i++)
		top[i] = alloc();
}

static void free_all(void *top[STACKS_MAX])
{
	for (size_t i = 0; i < STACKS_MAX; i++)
		stack_free(top[i]);
}

static void below_every_stack_lies_a_hole(void **state)
{
	void *top[STACKS_MAX];

	(void)state;
	alloc_all(top);
	assert_stacks(STACKS_MAX);
	for (size_t i = 0; i < STACKS_MAX; i++) {
		uint64_t start = (uintptr_t)top[i] - STACK_SIZE;

		/* As deep as three stacks: an array on the stack does not reach over it. */
		for (uint64_t at = start - 3 * STACK_SIZE; at < start; at += FRAME_SIZE)
			assert_false(paging_is_mapped(at));
	}
	free_all(top);
}

static void one_stack_too_many_is_refused(void **state)
{
	void *top[STACKS_MAX];
	void *more = NULL;

	(void)state;
	alloc_all(top);
	assert_int_equal(stack_alloc(&more), -EAGAIN);
	assert_null(more);
	assert_stacks(STACKS_MAX);
	stack_free(top[7]);
	assert_ptr_equal(alloc(), top[7]);
	free_all(top);
}

static void a_free_slot_is_used_again(void **state)
{
	void *first = alloc();
	void *second = alloc();

	(void)state;
	assert_ptr_not_equal(first, second);
	stack_free(first);
	assert_ptr_equal(alloc(), first);
	stack_free(second);
	stack_free(first);
	assert_ptr_equal(alloc(), first);
	stack_free(first);
}

static void without_frames_nothing_is_taken(void **state)
{
	void *top = NULL;

	(void)state;
	sim_frame_fail(true);
	assert_int_equal(stack_alloc(&top), -ENOMEM);
	for (size_t most = 1; most < STACK_PAGES; most++) {
		sim_frame_fail(false);
		sim_frame_fail_after(most);
		assert_int_equal(stack_alloc(&top), -ENOMEM);
		assert_stacks(0);
	}
	assert_null(top);
}

static void without_page_tables_nothing_is_taken(void **state)
{
	void *top = NULL;

	(void)state;
	for (size_t most = 0; most < STACK_PAGES; most++) {
		sim_paging_fail_after(most);
		assert_int_equal(stack_alloc(&top), -ENOMEM);
		assert_stacks(0);
	}
	assert_null(top);
	sim_paging_fail_after(STACK_PAGES);
	stack_free(alloc());
}

static void a_page_that_is_lost_is_a_panic(void **state)
{
	void *top = alloc();
	uint64_t page = (uintptr_t)top - FRAME_SIZE;
	pfn_t pfn = paging_unmap_page(page);

	(void)state;
	if (!setjmp(sim_panic_return)) {
		stack_free(top);
		fail_msg("%s", "a stack with a hole was freed");
	}
	assert_non_null(strstr(sim_panic_words, "has a frame of `absent`"));
	assert_int_equal(paging_map_page(page, pfn), 0);
	stack_free(top);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_stack_is_mapped_up_to_its_top), TEST(below_every_stack_lies_a_hole),
		TEST(one_stack_too_many_is_refused),   TEST(a_free_slot_is_used_again),
		TEST(without_frames_nothing_is_taken), TEST(without_page_tables_nothing_is_taken),
		TEST(a_page_that_is_lost_is_a_panic),
	};

	return cmocka_run_group_tests_name("stack", tests, NULL, NULL);
}
