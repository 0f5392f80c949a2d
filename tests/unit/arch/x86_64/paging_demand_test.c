/* SPDX-License-Identifier: BSD-2-Clause */
/* arch/x86_64/paging_demand.c: entries of pages that come and go, in tables that the test made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arch/cpu.h"
#include "arch/paging.h"
#include "arch/paging_demand.h"
#include "arch/x86_64/entry.h"
#include "arch/x86_64/paging_internal.h"
#include "arch/x86_64/tlb.h"

#define TABLES_MAX 64
#define PFN UINT64_C(0x123456)

static uint64_t *tables[TABLES_MAX];
static size_t table_count, tables_left;
static size_t others; /* tables that were there before */
static unsigned flushes, page_flushes;
static uint64_t flushed;

unsigned cpu_physical_bits(void)
{
	return 46;
}

bool cpu_has_gib_pages(void)
{
	return false;
}

void tlb_load(uint64_t table)
{
	(void)table;
}

void tlb_flush(void)
{
	flushes++;
}

void tlb_flush_page(uint64_t vaddr)
{
	page_flushes++;
	flushed = vaddr;
}

static paddr_t alloc(void)
{
	if (tables_left == 0)
		return 0;
	tables_left--;
	assert_true(table_count < TABLES_MAX);
	tables[table_count] = aligned_alloc(FRAME_SIZE, FRAME_SIZE);
	memset(tables[table_count], 0xa5, FRAME_SIZE);
	return virt_to_phys(tables[table_count++]);
}

static void give(paddr_t table)
{
	size_t i = 0;

	/* The processor has forgotten it. */
	assert_true(page_flushes > 0);
	while (i < table_count && virt_to_phys(tables[i]) != table)
		i++;
	assert_true(i < table_count);
	free(tables[i]);
	tables[i] = tables[--table_count];
}

static int set_up(void **state)
{
	(void)state;
	tables_left = TABLES_MAX;
	flushes = page_flushes = 0;
	assert_int_equal(paging_begin(alloc), 0);
	others = table_count;
	paging_set_allocator(alloc, give);
	paging_demand_set_handler(NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	while (table_count > 0)
		free(tables[--table_count]);
	return 0;
}

static size_t made(void)
{
	return table_count - others;
}

/* The entry of a page, as the processor finds it. */
static uint64_t *entry_of(uint64_t page)
{
	return paging_entry(PAGING_DEMAND_START + page * FRAME_SIZE, LEVEL_PAGE, false);
}

static void a_page_is_mapped_noted_and_mapped_again(void **state)
{
	(void)state;
	assert_int_equal(paging_demand_frame(5), PFN_NONE);
	assert_int_equal(paging_demand_note(5), 0);
	assert_int_equal(paging_demand_unmap(5, 1), PFN_NONE);
	assert_int_equal(paging_demand_prepare(5), 0);
	assert_int_equal(paging_demand_frame(5), PFN_NONE);
	paging_demand_set_note(5, (UINT64_C(1) << 63) - 1);
	assert_int_equal(paging_demand_note(5), (UINT64_C(1) << 63) - 1);
	assert_int_equal(paging_demand_frame(5), PFN_NONE);
	assert_false(*entry_of(5) & PTE_PRESENT);
	paging_demand_map(5, PFN, true);
	assert_int_equal(*entry_of(5), PFN << 12 | PTE_DATA);
	assert_int_equal(paging_demand_frame(5), PFN);
	assert_int_equal(paging_demand_note(5), 0);
	assert_int_equal(paging_demand_unmap(5, 77), PFN);
	assert_int_equal(paging_demand_note(5), 77);
	assert_int_equal(paging_demand_unmap(5, 78), PFN_NONE);
	assert_int_equal(paging_demand_note(5), 77);
	paging_demand_set_note(5, 0);
	assert_int_equal(*entry_of(5), 0);
	assert_ptr_equal(paging_demand_address(5), (void *)(PAGING_DEMAND_START + 0x5000));
}

static void a_page_is_for_writing_if_it_is_said_so(void **state)
{
	(void)state;
	assert_int_equal(paging_demand_prepare(5), 0);
	paging_demand_map(5, PFN, false);
	assert_int_equal(*entry_of(5), PFN << 12 | PTE_PRESENT | PTE_NO_EXECUTE);
	page_flushes = 0;
	paging_demand_allow_writes(5);
	assert_int_equal(*entry_of(5), PFN << 12 | PTE_DATA);
	assert_int_equal(page_flushes, 1);
	assert_int_equal(flushed, PAGING_DEMAND_START + 0x5000);
}

static void the_mark_of_a_touch_is_taken_once(void **state)
{
	(void)state;
	assert_int_equal(paging_demand_prepare(5), 0);
	paging_demand_map(5, PFN, true);
	assert_false(paging_demand_take_used(5));
	*entry_of(5) |= PTE_ACCESSED;
	assert_int_equal(paging_demand_frame(5), PFN);
	assert_true(paging_demand_take_used(5));
	assert_false(paging_demand_take_used(5));
	assert_int_equal(*entry_of(5), PFN << 12 | PTE_DATA);
	assert_int_equal(flushes, 0);
	paging_demand_flush();
	assert_int_equal(flushes, 1);
}

static void without_memory_for_a_table_nothing_is_prepared(void **state)
{
	(void)state;
	for (tables_left = 0; tables_left < 3;) {
		size_t left = tables_left;

		assert_int_equal(paging_demand_prepare(5), -ENOMEM);
		assert_int_equal(paging_demand_frame(5), PFN_NONE);
		page_flushes = 1;
		/* What there was room for is given back. */
		paging_demand_trim_all(0, 512);
		assert_int_equal(made(), 0);
		tables_left = left + 1;
	}
	assert_int_equal(paging_demand_prepare(5), 0);
	assert_int_equal(made(), 3);
}

static void the_next_page_is_found_however_far(void **state)
{
	static const uint64_t pages[] = {
		3, 511, 512, 262143, 262144 * 7, PAGING_DEMAND_PAGES - 1
	};

	(void)state;
	assert_int_equal(paging_demand_next(0, PAGING_DEMAND_PAGES), PAGING_DEMAND_NONE);
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		assert_int_equal(paging_demand_prepare(pages[i]), 0);
		assert_int_equal(paging_demand_next(0, PAGING_DEMAND_PAGES),
				 i ? 3 : PAGING_DEMAND_NONE);
		if (i % 2)
			paging_demand_map(pages[i], PFN, true);
		else
			paging_demand_set_note(pages[i], 1);
	}
	for (size_t i = 0, page = 0; i < ARRAY_SIZE(pages); i++, page++) {
		page = paging_demand_next(page, PAGING_DEMAND_PAGES);
		assert_int_equal(page, pages[i]);
	}
	assert_int_equal(paging_demand_next(4, 511), PAGING_DEMAND_NONE);
	assert_int_equal(paging_demand_next(4, 512), 511);
}

static void tables_go_with_the_last_page(void **state)
{
	(void)state;
	for (uint64_t page = 510; page < 514; page++) {
		assert_int_equal(paging_demand_prepare(page), 0);
		paging_demand_map(page, PFN, true);
	}
	assert_int_equal(made(), 4);
	paging_demand_unmap(510, 0);
	paging_demand_unmap(511, 9);
	paging_demand_trim(510);
	assert_int_equal(made(), 4);
	paging_demand_set_note(511, 0);
	page_flushes = 0;
	paging_demand_trim(510);
	assert_int_equal(made(), 3);
	assert_int_equal(page_flushes, 1);
	assert_int_equal(paging_demand_frame(512), PFN);
	paging_demand_unmap(512, 0);
	paging_demand_unmap(513, 0);
	/* All the way up, but for the first. */
	paging_demand_trim(600);
	assert_int_equal(made(), 0);
	paging_demand_trim(600);
	assert_int_equal(made(), 0);
	assert_int_equal(paging_demand_prepare(512), 0);
}

static void all_tables_that_lead_nowhere_go(void **state)
{
	static const uint64_t pages[] = { 0, 700, 262144, 5 * 262144 + 1 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
		assert_int_equal(paging_demand_prepare(pages[i]), 0);
	paging_demand_map(700, PFN, true);
	assert_int_equal(made(), 8);
	paging_demand_trim_all(0, UINT64_C(1) << 30);
	assert_int_equal(made(), 3);
	assert_int_equal(paging_demand_frame(700), PFN);
	paging_demand_unmap(700, 3);
	paging_demand_trim_all(0, UINT64_C(1) << 30);
	assert_int_equal(made(), 3);
	assert_int_equal(paging_demand_note(700), 3);
	paging_demand_set_note(700, 0);
	/* Not those of others. */
	paging_demand_trim_all(512 * 3, UINT64_C(1) << 30);
	assert_int_equal(made(), 3);
	paging_demand_trim_all(0, 1024);
	assert_int_equal(made(), 0);
}

static uint64_t seen_page;
static bool seen_write, answer;

static bool handle(uint64_t page, bool write)
{
	seen_page = page;
	seen_write = write;
	return answer;
}

static void only_accesses_to_the_window_are_handled(void **state)
{
	uint64_t last = PAGING_DEMAND_START + (PAGING_DEMAND_PAGES << 12) - 1;

	(void)state;
	assert_false(paging_demand_fault(PAGING_DEMAND_START, true));
	paging_demand_set_handler(handle);
	answer = true;
	seen_page = 77;
	assert_false(paging_demand_fault(0, true));
	assert_false(paging_demand_fault(PAGING_DEMAND_START - 1, true));
	assert_false(paging_demand_fault(last + 1, true));
	assert_int_equal(seen_page, 77);
	assert_true(paging_demand_fault(last, true));
	assert_int_equal(seen_page, PAGING_DEMAND_PAGES - 1);
	assert_true(seen_write);
	answer = false;
	assert_false(paging_demand_fault(PAGING_DEMAND_START + 0x3fff, false));
	assert_int_equal(seen_page, 3);
	assert_false(seen_write);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_page_is_mapped_noted_and_mapped_again),
		TEST(a_page_is_for_writing_if_it_is_said_so),
		TEST(the_mark_of_a_touch_is_taken_once),
		TEST(without_memory_for_a_table_nothing_is_prepared),
		TEST(the_next_page_is_found_however_far),
		TEST(tables_go_with_the_last_page),
		TEST(all_tables_that_lead_nowhere_go),
		TEST(only_accesses_to_the_window_are_handled),
	};

	return cmocka_run_group_tests_name("paging_demand", tests, NULL, NULL);
}
