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

static struct boot_info boot;
static paddr_t (*alloc_table)(void);
static paddr_t (*late_alloc)(void);
static void (*late_free)(paddr_t table);

int paging_begin(paddr_t (*alloc)(void))
{
	alloc_table = alloc;
	return 0;
}

int paging_map_ram(paddr_t start, paddr_t end)
{
	assert_true(start < end);
	return 0;
}

int paging_load(void)
{
	for (unsigned i = 0; i < TABLES; i++)
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

	(void)state;
	assert_int_equal(start_with_hole(0, 0), 0);
	table = late_alloc();
	assert_int_equal(frame_owner(table / FRAME_SIZE), OWNER_PAGE_TABLES);
	late_free(table);
	assert_int_equal(frame_owner(table / FRAME_SIZE), OWNER_FREE);
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

/* The tables fit, but the frame map has no run of frames that is long enough. */
static void no_room_for_the_frame_map_is_an_error(void **state)
{
	paddr_t after = align_up(IMAGE_END, FRAME_SIZE) + TABLES * FRAME_SIZE;

	(void)state;
	boot.memory_count = 0;
	say(SIM_RAM_START, after, BOOT_MEMORY_RAM);
	for (paddr_t at = after + FRAME_SIZE; at < after + 128 * FRAME_SIZE; at += 2 * FRAME_SIZE)
		if (boot.memory_count < ARRAY_SIZE(boot.memory))
			say(at, at + FRAME_SIZE, BOOT_MEMORY_RAM);
	assert_true(memory_init(&boot, IMAGE, IMAGE_END, 40) < 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_in_use_has_its_owner),
		cmocka_unit_test(later_tables_come_from_the_allocator),
		cmocka_unit_test(an_image_that_is_not_all_in_ram_is_an_error),
		cmocka_unit_test(no_room_for_tables_after_the_image_is_an_error),
		cmocka_unit_test(no_room_for_the_frame_map_is_an_error),
		cmocka_unit_test(too_little_memory_is_an_error),
	};

	if (sim_ram_reserve() != 0)
		return 1;
	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
