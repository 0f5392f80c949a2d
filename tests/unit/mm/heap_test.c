/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mm/heap.c: sbrk() over simulated frames and page tables. Each test begins with
 * an empty heap and leaves one. This program's own malloc() does not use sbrk().
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "arch/paging.h"
#include "mm/heap.h"
#include "tests/sim/sim_frame.h"
#include "tests/sim/sim_paging.h"
#include "tests/sim/sim_panic.h"

#define PAGE ((ptrdiff_t)FRAME_SIZE)
#define FAILED ((void *)-1)

static int set_up(void **state)
{
	(void)state;
	sim_frame_reset();
	sim_paging_reset();
	return heap_size() == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	sbrk(-(ptrdiff_t)heap_size());
	return heap_size() == 0 && sim_frame_in_use() == 0 && sim_paging_mapped() == 0 ? 0 : -1;
}

static void *heap_at(size_t offset)
{
	return (void *)(uintptr_t)(PAGING_HEAP_START + offset);
}

/* The heap's size, its pages, and that each of them has one frame. */
static void assert_heap(size_t size, size_t pages)
{
	assert_int_equal(heap_size(), size);
	assert_int_equal(sim_paging_mapped(), pages);
	assert_int_equal(sim_frame_in_use(), pages);
	for (size_t i = 0; i < pages; i++)
		assert_true(paging_is_mapped(PAGING_HEAP_START + i * FRAME_SIZE));
}

static void assert_refused(ptrdiff_t increment)
{
	errno = 0;
	assert_ptr_equal(sbrk(increment), FAILED);
	assert_int_equal(errno, ENOMEM);
}

static void growth_returns_the_old_end(void **state)
{
	(void)state;
	assert_ptr_equal(sbrk(100), heap_at(0));
	assert_ptr_equal(sbrk(3 * PAGE), heap_at(100));
	assert_ptr_equal(sbrk(0), heap_at(100 + 3 * FRAME_SIZE));
}

static void a_page_is_mapped_when_its_first_byte_is_wanted(void **state)
{
	(void)state;
	assert_heap(0, 0);
	sbrk(1);
	assert_heap(1, 1);
	sbrk(PAGE - 1);
	assert_heap(FRAME_SIZE, 1);
	sbrk(1);
	assert_heap(FRAME_SIZE + 1, 2);
	sbrk(5 * PAGE);
	assert_heap(6 * FRAME_SIZE + 1, 7);
}

static void a_page_is_given_back_with_its_first_byte(void **state)
{
	(void)state;
	sbrk(3 * PAGE);
	assert_ptr_equal(sbrk(-PAGE + 1), heap_at(3 * FRAME_SIZE));
	assert_heap(2 * FRAME_SIZE + 1, 3);
	sbrk(-1);
	assert_heap(2 * FRAME_SIZE, 2);
	sbrk(-2 * PAGE);
	assert_heap(0, 0);
}

static void pages_are_given_back_from_the_top_down(void **state)
{
	(void)state;
	sbrk(20 * PAGE);
	sbrk(-20 * PAGE);
	assert_heap(0, 0);
	assert_int_equal(sim_paging_upwards(), 0);
}

static void without_frames_nothing_changes(void **state)
{
	(void)state;
	sbrk(PAGE + 1);
	for (size_t most = 1; most < 4; most++) {
		sim_frame_fail_after(most);
		assert_refused(4 * PAGE);
		assert_heap(FRAME_SIZE + 1, 2);
		sim_frame_fail(false);
	}
	sim_frame_fail(true);
	assert_refused(PAGE);
	assert_heap(FRAME_SIZE + 1, 2);
	/* But what needs no frame goes on. */
	assert_ptr_equal(sbrk(PAGE - 1), heap_at(FRAME_SIZE + 1));
	assert_int_equal(sim_paging_upwards(), 0);
}

static void without_page_tables_nothing_changes(void **state)
{
	(void)state;
	sbrk(PAGE + 1);
	for (size_t most = 0; most < 4; most++) {
		sim_paging_fail_after(most);
		assert_refused(4 * PAGE);
		assert_heap(FRAME_SIZE + 1, 2);
	}
	sim_paging_fail_after(4);
	assert_ptr_equal(sbrk(4 * PAGE), heap_at(FRAME_SIZE + 1));
}

static void exhaustion_ends_when_memory_is_given_back(void **state)
{
	size_t pages = 0;

	(void)state;
	while (sbrk(PAGE) != FAILED)
		pages++;
	assert_int_equal(pages, SIM_FRAME_COUNT);
	assert_refused(1);
	sbrk(-2 * PAGE);
	assert_ptr_equal(sbrk(2 * PAGE), heap_at((pages - 2) * FRAME_SIZE));
	assert_heap(pages * FRAME_SIZE, pages);
}

static void the_end_stays_in_its_window(void **state)
{
	(void)state;
	assert_refused(-1);
	sbrk(5);
	assert_refused(-6);
	assert_refused((ptrdiff_t)PAGING_HEAP_SIZE - 4);
	assert_refused(PTRDIFF_MIN);
	assert_refused(PTRDIFF_MAX);
	assert_heap(5, 1);
}

static void a_page_that_is_lost_is_a_panic(void **state)
{
	pfn_t pfn;

	(void)state;
	sbrk(2 * PAGE);
	pfn = paging_unmap_page(PAGING_HEAP_START + FRAME_SIZE);
	if (!setjmp(sim_panic_return)) {
		sbrk(-PAGE);
		fail_msg("%s", "a heap with a hole gave a page back");
	}
	assert_non_null(
		strstr(sim_panic_words, "heap: page 0xffff800000001000 has a frame of `absent`"));
	paging_map_page(PAGING_HEAP_START + FRAME_SIZE, pfn);
}

static void a_frame_of_another_owner_is_a_panic(void **state)
{
	pfn_t pfn;

	(void)state;
	sbrk(PAGE);
	pfn = paging_unmap_page(PAGING_HEAP_START);
	assert_int_equal(frame_free(pfn, 1, OWNER_HEAP), 0);
	assert_int_equal(paging_map_page(PAGING_HEAP_START, pfn), 0);
	if (!setjmp(sim_panic_return)) {
		sbrk(-PAGE);
		fail_msg("%s", "the heap gave back a frame that it did not have");
	}
	assert_non_null(strstr(sim_panic_words, "has a frame of `free`"));
	assert_int_equal(frame_alloc(0, OWNER_HEAP, &pfn), 0);
	paging_map_page(PAGING_HEAP_START, pfn);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(growth_returns_the_old_end),
		TEST(a_page_is_mapped_when_its_first_byte_is_wanted),
		TEST(a_page_is_given_back_with_its_first_byte),
		TEST(pages_are_given_back_from_the_top_down),
		TEST(without_frames_nothing_changes),
		TEST(without_page_tables_nothing_changes),
		TEST(exhaustion_ends_when_memory_is_given_back),
		TEST(the_end_stays_in_its_window),
		TEST(a_page_that_is_lost_is_a_panic),
		TEST(a_frame_of_another_owner_is_a_panic),
	};

	return cmocka_run_group_tests_name("heap", tests, NULL, NULL);
}
