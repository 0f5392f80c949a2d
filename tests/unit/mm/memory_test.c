/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mm/memory.c: from a memory map to a working allocator, or to an error. The
 * RAM is the simulated one, as the frame map is really written; there are no
 * page tables but the frames for them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "arch/paging.h"
#include "mm/frame.h"
#include "mm/ledger.h"
#include "mm/memory.h"
#include "tests/sim/sim_ram.h"

#define RAM_BYTES (SIM_RAM_FRAMES * FRAME_SIZE)
#define IMAGE (SIM_RAM_START + 2 * MIB)
#define IMAGE_FRAMES 77
#define IMAGE_END (IMAGE + IMAGE_FRAMES * FRAME_SIZE - 5)
#define TABLES 3

static unsigned tables = TABLES; /* made at the start */
static uint64_t mapped;		 /* bytes */
static struct boot_info boot;
static paddr_t (*alloc_table)(void);
static paddr_t (*late_alloc)(void);
static void (*late_free)(paddr_t table);

int paging_begin(paddr_t (*alloc)(void))
{
	alloc_table = alloc;
	mapped = 0;
	return 0;
}

int paging_map_ram(paddr_t start, paddr_t end)
{
	assert_true(start < end);
	mapped += end - start;
	return 0;
}

int paging_load(void)
{
	for (unsigned i = 0; i < tables; i++)
		if (alloc_table() == 0)
			return -ENOMEM;
	return 0;
}

void paging_set_allocator(paddr_t (*alloc)(void), void (*free)(paddr_t table))
{
	late_alloc = alloc;
	late_free = free;
}

static void say(uint64_t start, uint64_t end, uint32_t type)
{
	boot.memory[boot.memory_count++] = (struct boot_memory){ start, end - start, type, 0 };
}

/* All of the RAM, but for a hole. */
static int start_with_hole(paddr_t start, paddr_t end)
{
	boot.memory_count = 0;
	say(SIM_RAM_START, SIM_RAM_START + RAM_BYTES, BOOT_MEMORY_RAM);
	if (start < end)
		say(start, end, BOOT_MEMORY_RESERVED);
	return memory_init(&boot, IMAGE, IMAGE_END, 40);
}

static void assert_books(void)
{
	char verdict[LEDGER_VERDICT_MAX];

	if (!ledger_audit(verdict))
		fail_msg("%s", verdict);
}

static void what_is_in_use_has_its_owner(void **state)
{
	pfn_t image_end = IMAGE / FRAME_SIZE + IMAGE_FRAMES;

	(void)state;
	assert_int_equal(start_with_hole(0, 0), 0);
	assert_int_equal(memory_map()->frames, SIM_RAM_FRAMES);
	assert_int_equal(ledger_managed(), SIM_RAM_FRAMES);
	assert_int_equal(ledger_count(OWNER_KERNEL), IMAGE_FRAMES);
	assert_int_equal(ledger_count(OWNER_PAGE_TABLES), TABLES);
	assert_int_equal(ledger_count(OWNER_FRAME_MAP),
			 align_up(frame_init_bytes(memory_map()), FRAME_SIZE) / FRAME_SIZE);
	assert_int_equal(frame_owner(IMAGE / FRAME_SIZE), OWNER_KERNEL);
	assert_int_equal(frame_owner(image_end - 1), OWNER_KERNEL);
	assert_int_equal(frame_owner(image_end), OWNER_PAGE_TABLES);
	assert_int_equal(frame_owner(image_end + TABLES), OWNER_FRAME_MAP);
	assert_books();
}

static void later_tables_come_from_the_allocator(void **state)
{
	paddr_t table;
	pfn_t pfn;

	(void)state;
	assert_int_equal(start_with_hole(0, 0), 0);
	table = late_alloc();
	assert_int_equal(frame_owner(table / FRAME_SIZE), OWNER_PAGE_TABLES);
	assert_int_equal(ledger_count(OWNER_PAGE_TABLES), TABLES + 1);
	late_free(table);
	assert_int_equal(frame_owner(table / FRAME_SIZE), OWNER_FREE);
	while (frame_alloc(0, OWNER_HEAP, &pfn) == 0)
		;
	assert_int_equal(late_alloc(), 0);
}

static void all_memory_is_mapped(void **state)
{
	(void)state;
	assert_int_equal(start_with_hole(0, 0), 0);
	assert_int_equal(mapped, RAM_BYTES);
	assert_int_equal(start_with_hole(SIM_RAM_START + 5 * MIB, SIM_RAM_START + 6 * MIB), 0);
	assert_int_equal(memory_map()->count, 2);
	assert_int_equal(mapped, RAM_BYTES - MIB);
}

static void page_0_is_nobodys(void **state)
{
	(void)state;
	boot.memory_count = 0;
	say(0, 4 * FRAME_SIZE, BOOT_MEMORY_RAM);
	say(SIM_RAM_START, SIM_RAM_START + RAM_BYTES, BOOT_MEMORY_RAM);
	assert_int_equal(memory_init(&boot, IMAGE, IMAGE_END, 40), 0);
	assert_int_equal(memory_map()->range[0].start, 1);
	assert_int_equal(ledger_managed(), 3 + SIM_RAM_FRAMES);
	assert_books();
}

static void tables_may_be_there_already(void **state)
{
	(void)state;
	tables = 0;
	assert_int_equal(start_with_hole(0, 0), 0);
	tables = TABLES;
	assert_int_equal(ledger_count(OWNER_PAGE_TABLES), 0);
	assert_books();
}

/* Found by fuzzing: it was a panic when the image was entered under its owner. */
static void an_image_that_is_not_all_in_ram_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(start_with_hole(IMAGE, IMAGE + 1), -EINVAL);
	assert_int_equal(start_with_hole(SIM_RAM_START, IMAGE + FRAME_SIZE), -EINVAL);
	assert_int_equal(start_with_hole(IMAGE + 5 * FRAME_SIZE, IMAGE + 6 * FRAME_SIZE), -EINVAL);
	assert_int_equal(start_with_hole(IMAGE_END, SIM_RAM_START + 4 * MIB), -EINVAL);
	assert_int_equal(start_with_hole(SIM_RAM_START, SIM_RAM_START + 4 * MIB), -EINVAL);
	assert_int_equal(start_with_hole(SIM_RAM_START, IMAGE), 0);
	assert_books();
	/* What an earlier map had does not count. */
	assert_int_equal(start_with_hole(SIM_RAM_START + MIB, SIM_RAM_START + MIB + 1), 0);
	assert_int_equal(start_with_hole(SIM_RAM_START, SIM_RAM_START + 32 * MIB), -EINVAL);
}

static void no_room_for_tables_after_the_image_is_an_error(void **state)
{
	paddr_t after = align_up(IMAGE_END, FRAME_SIZE);

	(void)state;
	assert_int_equal(start_with_hole(after, after + FRAME_SIZE), -ENOMEM);
	after += (TABLES - 1) * FRAME_SIZE;
	assert_int_equal(start_with_hole(after, after + FRAME_SIZE), -ENOMEM);
	after += FRAME_SIZE;
	assert_int_equal(start_with_hole(after, after + FRAME_SIZE), 0);
	assert_books();
}

/* The tables fit; then there are so many frames for the frame map. */
static int start_with_room(uint64_t frames)
{
	paddr_t image = SIM_RAM_START + MEMORY_MIN;
	paddr_t after = image + FRAME_SIZE;

	boot.memory_count = 0;
	say(SIM_RAM_START, after + (TABLES + frames) * FRAME_SIZE, BOOT_MEMORY_RAM);
	return memory_init(&boot, image, after, 40);
}

static void the_frame_map_has_the_room_that_it_needs_or_there_is_an_error(void **state)
{
	uint64_t frames = 0;

	(void)state;
	while (start_with_room(frames) == -ENOMEM)
		frames++;
	assert_int_equal(start_with_room(frames), 0);
	assert_int_equal(frames, align_up(frame_init_bytes(memory_map()), FRAME_SIZE) / FRAME_SIZE);
	assert_books();
}

static void too_little_memory_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(start_with_hole(SIM_RAM_START + MEMORY_MIN - FRAME_SIZE,
					 SIM_RAM_START + RAM_BYTES),
			 -ENOMEM);
	assert_int_equal(memory_map()->frames, MEMORY_MIN / FRAME_SIZE - 1);
	assert_int_equal(start_with_hole(SIM_RAM_START + MEMORY_MIN, SIM_RAM_START + RAM_BYTES), 0);
}

/* ---- The loader's file ---- */

#define MODULE (SIM_RAM_START + 8 * MIB)

static int start_with_module(paddr_t at, uint64_t bytes)
{
	int err;

	boot.module = at;
	boot.module_size = bytes;
	err = start_with_hole(0, 0);
	boot.module = boot.module_size = 0;
	return err;
}

static void the_loaders_file_is_kept(void **state)
{
	static const uint64_t bytes[] = { 1, FRAME_SIZE - 1, FRAME_SIZE, FRAME_SIZE + 1, 3 * MIB };
	size_t size;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bytes); i++) {
		uint64_t frames = (bytes[i] + FRAME_SIZE - 1) / FRAME_SIZE;

		assert_int_equal(start_with_module(MODULE, bytes[i]), 0);
		assert_ptr_equal(memory_module(&size), phys_to_virt(MODULE));
		assert_int_equal(size, bytes[i]);
		assert_int_equal(ledger_count(OWNER_KERNEL), IMAGE_FRAMES + frames);
		assert_int_equal(frame_owner(MODULE / FRAME_SIZE - 1), OWNER_FREE);
		assert_int_equal(frame_owner(MODULE / FRAME_SIZE), OWNER_KERNEL);
		assert_int_equal(frame_owner(MODULE / FRAME_SIZE + frames - 1), OWNER_KERNEL);
		assert_int_equal(frame_owner(MODULE / FRAME_SIZE + frames), OWNER_FREE);
		assert_books();
	}
	assert_int_equal(start_with_hole(0, 0), 0);
	assert_null(memory_module(&size));
	assert_int_equal(size, 0);
}

static void it_may_end_where_memory_ends(void **state)
{
	size_t size;

	(void)state;
	assert_int_equal(
		start_with_module(SIM_RAM_START + RAM_BYTES - 5 * FRAME_SIZE, 5 * FRAME_SIZE), 0);
	assert_non_null(memory_module(&size));
	assert_int_equal(ledger_count(OWNER_KERNEL), IMAGE_FRAMES + 5);
	assert_books();
}

/* A loader that is wrong about it has no other effect, and what it said is known. */
static void a_file_that_cannot_be_kept_is_none(void **state)
{
	paddr_t image_end = IMAGE + IMAGE_FRAMES * FRAME_SIZE;
	paddr_t ram_end = SIM_RAM_START + RAM_BYTES;
	const struct {
		paddr_t at;
		uint64_t bytes;
	} files[] = {
		{ IMAGE, 1 },
		{ IMAGE - FRAME_SIZE, FRAME_SIZE + 1 },
		{ image_end - FRAME_SIZE, 3 * FRAME_SIZE },
		{ image_end, 1 }, /* page tables */
		{ image_end + (TABLES - 1) * FRAME_SIZE, 1 },
		{ image_end + TABLES * FRAME_SIZE, 1 }, /* the frame map */
		{ SIM_RAM_START, RAM_BYTES },
		{ MODULE + 1, FRAME_SIZE },
		{ MODULE + FRAME_SIZE - 1, 1 },
		{ 0, 1 },
		{ 0, FRAME_SIZE },
		{ SIM_RAM_START - FRAME_SIZE, 2 * FRAME_SIZE },
		{ ram_end, 1 },
		{ ram_end - FRAME_SIZE, FRAME_SIZE + 1 },
		{ MODULE, RAM_BYTES },
		{ MODULE, RAM_BYTES + 1 },
		{ MODULE, UINT64_MAX },
		{ MODULE, UINT64_MAX - MODULE + 1 },
		{ MODULE, UINT64_C(1) << 63 },
		{ UINT64_MAX - FRAME_SIZE + 1, 1 },
		{ UINT64_MAX - FRAME_SIZE + 1, FRAME_SIZE - 1 },
		{ UINT64_MAX - FRAME_SIZE + 1, FRAME_SIZE },
		{ UINT64_C(1) << 52, FRAME_SIZE },
	};
	size_t size;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		assert_int_equal(start_with_module(files[i].at, files[i].bytes), 0);
		if (memory_module(&size))
			fail_msg("%#llx bytes at %#llx were kept",
				 (unsigned long long)files[i].bytes,
				 (unsigned long long)files[i].at);
		assert_int_equal(size, files[i].bytes);
		assert_int_equal(ledger_count(OWNER_KERNEL), IMAGE_FRAMES);
		assert_books();
	}
}

static void a_file_in_a_hole_of_ram_is_none(void **state)
{
	size_t size;

	(void)state;
	boot.module = MODULE;
	boot.module_size = 4 * FRAME_SIZE;
	assert_int_equal(start_with_hole(MODULE + 2 * FRAME_SIZE, MODULE + 3 * FRAME_SIZE), 0);
	boot.module = boot.module_size = 0;
	assert_null(memory_module(&size));
	assert_int_equal(size, 4 * FRAME_SIZE);
	assert_int_equal(ledger_count(OWNER_KERNEL), IMAGE_FRAMES);
	assert_books();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_in_use_has_its_owner),
		cmocka_unit_test(later_tables_come_from_the_allocator),
		cmocka_unit_test(an_image_that_is_not_all_in_ram_is_an_error),
		cmocka_unit_test(no_room_for_tables_after_the_image_is_an_error),
		cmocka_unit_test(the_frame_map_has_the_room_that_it_needs_or_there_is_an_error),
		cmocka_unit_test(all_memory_is_mapped),
		cmocka_unit_test(page_0_is_nobodys),
		cmocka_unit_test(tables_may_be_there_already),
		cmocka_unit_test(too_little_memory_is_an_error),
		cmocka_unit_test(the_loaders_file_is_kept),
		cmocka_unit_test(it_may_end_where_memory_ends),
		cmocka_unit_test(a_file_that_cannot_be_kept_is_none),
		cmocka_unit_test(a_file_in_a_hole_of_ram_is_none),
	};

	if (sim_ram_reserve() != 0)
		return 1;
	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
