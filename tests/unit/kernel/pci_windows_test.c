/* SPDX-License-Identifier: BSD-2-Clause */
/* Where PCI may go: above and beside all that the memory map and the SRAT name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "arch/cpu.h"
#include "drivers/acpi/acpi.h"
#include "kernel/pci_windows.h"

static struct boot_info boot;
static struct {
	paddr_t start;
	uint64_t size;
} ranges[4];
static size_t range_count; /* UINT64_MAX: without end, each the first */
static unsigned physical_bits;

unsigned cpu_physical_bits(void)
{
	return physical_bits;
}

int acpi_find_hotplug_range(size_t n, paddr_t *start, uint64_t *size)
{
	if (n >= range_count)
		return -ENOENT;
	if (range_count <= ARRAY_SIZE(ranges)) {
		*start = ranges[n].start;
		*size = ranges[n].size;
	} else {
		*start = ranges[0].start;
		*size = ranges[0].size;
	}
	return 0;
}

static void add_memory(uint64_t start, uint64_t size)
{
	boot.memory[boot.memory_count++] =
		(struct boot_memory){ .start = start, .size = size, .type = BOOT_MEMORY_RAM };
}

static void add_range(paddr_t start, uint64_t size)
{
	ranges[range_count].start = start;
	ranges[range_count++].size = size;
}

static int set_up(void **state)
{
	(void)state;
	boot = (struct boot_info){ 0 };
	range_count = 0;
	physical_bits = 40;
	add_memory(0, GIB);
	return 0;
}

static struct pci_windows find(void)
{
	struct pci_windows windows;

	pci_windows_find(&boot, 0, 0, &windows);
	return windows;
}

static void assert_high(uint64_t start)
{
	struct pci_windows windows = find();

	assert_true(windows.memory64_start == start);
	assert_true(windows.memory64_end == start + 32 * GIB);
}

static void the_high_window_is_above_the_first_hole(void **state)
{
	(void)state;
	assert_high(4 * GIB);
	add_memory(4 * GIB, 3 * GIB - MIB);
	assert_high(7 * GIB);
	/* A hole that is too small, and one that is not. */
	add_memory(30 * GIB, GIB);
	assert_high(31 * GIB);
	add_memory(100 * GIB, GIB);
	assert_high(31 * GIB);
}

/* What is plugged in at one place would be hidden by the other. */
static void the_high_window_is_beside_memory_that_may_come(void **state)
{
	(void)state;
	add_range(4 * GIB, 8 * GIB);
	assert_high(12 * GIB);
	/* Entries of the map and ranges, in any order. */
	add_memory(12 * GIB, GIB);
	add_range(14 * GIB, GIB);
	add_range(13 * GIB, GIB);
	assert_high(15 * GIB);
	add_range(200 * GIB, GIB);
	assert_high(15 * GIB);
}

static void a_table_without_end_is_read_in_part(void **state)
{
	(void)state;
	add_range(4 * GIB, 8 * GIB);
	range_count = SIZE_MAX;
	assert_high(12 * GIB);
}

static void without_room_there_is_no_high_window(void **state)
{
	struct pci_windows windows;

	(void)state;
	physical_bits = 36;
	add_range(4 * GIB, 40 * GIB);
	windows = find();
	assert_true(windows.memory64_start == 0 && windows.memory64_end == 0);
	assert_true(windows.memory_start == UINT64_C(0x80000000));
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_high_window_is_above_the_first_hole),
		TEST(the_high_window_is_beside_memory_that_may_come),
		TEST(a_table_without_end_is_read_in_part),
		TEST(without_room_there_is_no_high_window),
	};

	return cmocka_run_group_tests_name("pci_windows", tests, NULL, NULL);
}
