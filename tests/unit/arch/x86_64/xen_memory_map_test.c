/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of arch/x86_64/xen_memory_map.c, with Xen's answer made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "arch/x86_64/xen_memory_map.h"
#include "arch/xen.h"

#define ROOM 4

static const unsigned char packed[] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 1, 0, 0, 0, /* 640 KiB of RAM */
	0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0,  2, 0, 0, 0, 0, 2, 0, 0, 0, /* 32 MiB at 32 GiB */
};

static uint32_t told_count;
static long answer;

long xen_hypercall(enum xen_hypercall number, uint64_t first, uint64_t second, uint64_t third)
{
	uint32_t *count = (uint32_t *)(uintptr_t)second;
	uint64_t entries;

	(void)third;
	assert_int_equal(number, XEN_MEMORY_OP);
	assert_int_equal(first, 9);
	assert_int_equal(*count, ROOM);
	memcpy(&entries, count + 2, sizeof(entries));
	memcpy((void *)(uintptr_t)entries, packed, sizeof(packed));
	*count = told_count;
	return answer;
}

static void entries_of_20_bytes_are_taken(void **state)
{
	struct boot_memory memory[ROOM + 1];

	(void)state;
	memset(memory, 0xee, sizeof(memory));
	told_count = 2;
	assert_int_equal(xen_read_memory_map(memory, ROOM), 2);
	assert_int_equal(memory[0].start, 0);
	assert_int_equal(memory[0].size, 0xa0000);
	assert_int_equal(memory[0].type, BOOT_MEMORY_RAM);
	assert_int_equal(memory[1].start, 0x800000000);
	assert_int_equal(memory[1].size, 0x2000000);
	assert_int_equal(memory[1].type, BOOT_MEMORY_RESERVED);
	assert_int_equal(memory[2].type, 0xeeeeeeee);
}

static void a_count_beyond_the_room_is_none(void **state)
{
	struct boot_memory memory[ROOM];

	(void)state;
	told_count = ROOM + 1;
	assert_int_equal(xen_read_memory_map(memory, ROOM), 0);
	told_count = UINT32_MAX;
	assert_int_equal(xen_read_memory_map(memory, ROOM), 0);
	told_count = ROOM;
	assert_int_equal(xen_read_memory_map(memory, ROOM), ROOM);
}

static void a_refusal_is_no_map(void **state)
{
	struct boot_memory memory[ROOM];

	(void)state;
	told_count = 2;
	answer = -XEN_ENOSYS;
	assert_int_equal(xen_read_memory_map(memory, ROOM), 0);
	answer = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_of_20_bytes_are_taken),
		cmocka_unit_test(a_count_beyond_the_room_is_none),
		cmocka_unit_test(a_refusal_is_no_map),
	};

	return cmocka_run_group_tests_name("xen_memory_map", tests, NULL, NULL);
}
