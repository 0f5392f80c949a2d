/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nested page tables, walked as the processor does. The pool's pages lie where the hypervisor
 * would see them; a model has a bool for each frame.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/mman.h>

#include "tests/hypervisor/die.h"
#include "tests/hypervisor/npt.h"
#include "tests/hypervisor/page_table.h"

#define POOL_ADDRESS 0x10000000
#define POOL_PAGES 64
#define FRAMES (8 * BLOCK_FRAMES)		   /* that the walks play with */
#define FIRST (GIB_SIZE / FRAME_SIZE - FRAMES / 2) /* half of them in the next GiB */

static bool gib_pages;
static uint64_t root;
static bool hidden[FRAMES];

bool has_gib_pages(void)
{
	return gib_pages;
}

void die(const char *format, ...)
{
	fail_msg("%s", format);
	abort();
}

static int setup(void **state)
{
	static void *pool;

	(void)state;
	if (!pool)
		pool = mmap(phys_to_hv(POOL_ADDRESS), POOL_PAGES * FRAME_SIZE,
			    PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	assert_true(pool == phys_to_hv(POOL_ADDRESS));
	pool_init(POOL_ADDRESS, POOL_PAGES * FRAME_SIZE);
	root = npt_init();
	memset(hidden, 0, sizeof(hidden));
	return 0;
}

static int setup_gib(void **state)
{
	gib_pages = true;
	return setup(state);
}

static int setup_blocks(void **state)
{
	gib_pages = false;
	return setup(state);
}

/* Where an address leads: itself, or UINT64_MAX if nowhere; *size of the page. */
static uint64_t walk(uint64_t address, uint64_t *size)
{
	uint64_t *table = phys_to_hv(root);

	*size = 0;
	for (unsigned level = 4; level > 0; level--) {
		uint64_t entry = table[table_index(address, level)];
		uint64_t page = UINT64_C(1) << (12 + 9 * (level - 1));

		if ((entry & PTE_ACCESS) != PTE_ACCESS)
			return UINT64_MAX;
		if (level == 1 || (entry & PTE_LARGE)) {
			*size = page;
			return (entry & PTE_ADDRESS) / page * page + address % page;
		}
		table = table_of(entry);
	}
	return UINT64_MAX;
}

static void leads_to_itself(uint64_t address, uint64_t page)
{
	uint64_t size;

	assert_int_equal(walk(address, &size), address);
	assert_int_equal(size, page);
}

static void is_nowhere(uint64_t address)
{
	uint64_t size;

	assert_int_equal(walk(address, &size), UINT64_MAX);
}

static void pages_come_when_they_are_touched(void **state)
{
	(void)state;
	is_nowhere(0x1234);
	assert_true(npt_touch(0x1234));
	leads_to_itself(0x1234, gib_pages ? GIB_SIZE : BLOCK_SIZE);
	leads_to_itself(GIB_SIZE - 1, gib_pages ? GIB_SIZE : BLOCK_SIZE);
	is_nowhere(GIB_SIZE);
	assert_true(npt_touch(0x7fffc0000000));
	leads_to_itself(0x7fffffffffff, gib_pages ? GIB_SIZE : BLOCK_SIZE);
	assert_false(npt_is_stale());
}

static void hidden_frame_splits_its_block_and_no_other(void **state)
{
	(void)state;
	assert_true(npt_touch(0));
	npt_show(BLOCK_FRAMES + 3, 2, false);
	assert_int_equal(npt_split_blocks(), 1);
	leads_to_itself(0, BLOCK_SIZE);
	leads_to_itself(BLOCK_SIZE + 2 * FRAME_SIZE, FRAME_SIZE);
	is_nowhere(BLOCK_SIZE + 3 * FRAME_SIZE);
	is_nowhere(BLOCK_SIZE + 5 * FRAME_SIZE - 1);
	leads_to_itself(BLOCK_SIZE + 5 * FRAME_SIZE, FRAME_SIZE);
	assert_true(npt_is_stale());
	assert_false(npt_is_stale());
	assert_false(npt_touch(BLOCK_SIZE + 3 * FRAME_SIZE));
	npt_show(BLOCK_FRAMES, BLOCK_FRAMES, true);
	assert_int_equal(npt_split_blocks(), 0);
	leads_to_itself(BLOCK_SIZE + 3 * FRAME_SIZE, BLOCK_SIZE);
	assert_false(npt_is_stale());
}

static void block_is_hidden_without_a_table(void **state)
{
	(void)state;
	npt_show(BLOCK_FRAMES, 2 * BLOCK_FRAMES, false);
	assert_int_equal(npt_split_blocks(), 0);
	is_nowhere(BLOCK_SIZE);
	is_nowhere(3 * BLOCK_SIZE - 1);
	leads_to_itself(3 * BLOCK_SIZE, BLOCK_SIZE);
	assert_false(npt_touch(BLOCK_SIZE));
	npt_show(BLOCK_FRAMES, 1, true);
	assert_int_equal(npt_split_blocks(), 1);
	leads_to_itself(BLOCK_SIZE, FRAME_SIZE);
	is_nowhere(BLOCK_SIZE + FRAME_SIZE);
}

/* More rounds than the pool has pages: tables that are not used any more come back. */
static void block_whose_frames_are_all_alike_is_whole_again(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 2 * POOL_PAGES; round++) {
		for (uint64_t pfn = 0; pfn < BLOCK_FRAMES; pfn++)
			npt_show(pfn, 1, false);
		assert_int_equal(npt_split_blocks(), 0);
		is_nowhere(0);
		for (uint64_t pfn = 0; pfn < BLOCK_FRAMES; pfn++)
			npt_show(pfn, 1, true);
		assert_int_equal(npt_split_blocks(), 0);
		leads_to_itself(0, BLOCK_SIZE);
	}
}

static void what_is_so_already_changes_nothing(void **state)
{
	(void)state;
	npt_show(0, BLOCK_FRAMES / 2, true);
	assert_int_equal(npt_split_blocks(), 0);
	npt_show(0, BLOCK_FRAMES / 2, false);
	npt_show(10, 20, false);
	npt_show(BLOCK_FRAMES / 2, 20, true);
	assert_int_equal(npt_split_blocks(), 1);
	npt_show(0, BLOCK_FRAMES / 2, true);
	assert_int_equal(npt_split_blocks(), 0);
}

static void random_ranges_are_as_in_the_model(void **state)
{
	uint64_t size;

	(void)state;
	srand(3);
	for (unsigned i = 0; i < 3000; i++) {
		uint64_t first = (uint64_t)rand() % FRAMES;
		uint64_t count = 1 + (uint64_t)rand() % (rand() % 3 ? 40 : FRAMES - first);
		bool present = rand() % 2;

		if (count > FRAMES - first)
			count = FRAMES - first;
		npt_show(FIRST + first, count, present);
		for (uint64_t frame = first; frame < first + count; frame++)
			hidden[frame] = !present;
	}
	for (uint64_t frame = 0; frame < FRAMES; frame++) {
		uint64_t address = (FIRST + frame) * FRAME_SIZE;

		assert_int_equal(walk(address, &size), hidden[frame] ? UINT64_MAX : address);
	}
}

#define CASES(name) \
	{ #name " (1 GiB)", name, setup_gib, NULL, NULL }, \
	{ \
#name, name, setup_blocks, NULL, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASES(pages_come_when_they_are_touched),
		CASES(hidden_frame_splits_its_block_and_no_other),
		CASES(block_is_hidden_without_a_table),
		CASES(block_whose_frames_are_all_alike_is_whole_again),
		CASES(what_is_so_already_changes_nothing),
		CASES(random_ranges_are_as_in_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
