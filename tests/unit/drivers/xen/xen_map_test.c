/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers/xen/xen_map.c: pages of the toolstack's, each at an address of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "arch/cpu.h"
#include "arch/paging.h"
#include "drivers/xen/xen_map.h"
#include "tests/sim/sim_paging.h"

#define PFN 0xfeffc
#define PHYSICAL_BITS 40

unsigned cpu_physical_bits(void)
{
	return PHYSICAL_BITS;
}

static uint64_t map(pfn_t pfn)
{
	void *window = NULL;

	assert_int_equal(xen_map_page(pfn, &window), 0);
	return (uintptr_t)window;
}

static void each_page_has_an_address_in_the_window(void **state)
{
	uint64_t first, second;

	(void)state;
	sim_paging_reset();
	first = map(PFN);
	second = map(PFN + 3);
	assert_in_range(first, PAGING_SHARED_START, UINT64_MAX - FRAME_SIZE);
	assert_int_equal(second - first, FRAME_SIZE);
	assert_int_equal(paging_unmap_page(second), PFN + 3);
	assert_int_equal(paging_unmap_page(first), PFN);
}

static void what_is_no_page_is_refused(void **state)
{
	const pfn_t end = UINT64_C(1) << (PHYSICAL_BITS - FRAME_SHIFT);
	void *window = NULL;

	(void)state;
	sim_paging_reset();
	assert_int_equal(xen_map_page(0, &window), -EINVAL);
	assert_int_equal(xen_map_page(end, &window), -EINVAL);
	assert_int_equal(xen_map_page(UINT64_MAX, &window), -EINVAL);
	assert_null(window);
	assert_int_equal(sim_paging_mapped(), 0);
	map(end - 1);
}

static void without_memory_nothing_is_mapped(void **state)
{
	void *window = NULL;
	uint64_t last;

	(void)state;
	sim_paging_reset();
	last = map(PFN);
	sim_paging_fail_after(0);
	assert_int_equal(xen_map_page(PFN, &window), -ENOMEM);
	assert_null(window);
	sim_paging_fail_after(1);
	assert_int_equal(map(PFN), last + FRAME_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_page_has_an_address_in_the_window),
		cmocka_unit_test(what_is_no_page_is_refused),
		cmocka_unit_test(without_memory_nothing_is_mapped),
	};

	return cmocka_run_group_tests_name("xen_map", tests, NULL, NULL);
}
