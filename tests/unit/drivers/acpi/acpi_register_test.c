/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a register may lie, and that each access is of the width that was asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "drivers/acpi/acpi_internal.h"
#include "tests/sim/sim_acpi.h"

#define PORT 0xcd6
#define MEMORY 0xfed80300

static int setup(void **state)
{
	(void)state;
	sim_acpi_reset();
	return 0;
}

static void assert_register(struct acpi_register reg, uint8_t space, uint64_t address)
{
	assert_int_equal(reg.space, space);
	assert_int_equal(reg.address, address);
}

static void assert_none(struct acpi_register reg)
{
	assert_int_equal(reg.address, 0);
}

static void a_register_lies_in_a_port_or_in_memory(void **state)
{
	(void)state;
	assert_register(acpi_make_register(1, 0xffff), 1, 0xffff);
	assert_none(acpi_make_register(1, 0x10000));
	assert_register(acpi_make_register(0, 0x10000), 0, 0x10000);
	assert_register(acpi_make_register(0, ACPI_ADDRESS_END - 1), 0, ACPI_ADDRESS_END - 1);
	assert_none(acpi_make_register(0, ACPI_ADDRESS_END));
	/* A device's configuration space. */
	assert_none(acpi_make_register(2, 0x1000));
}

static void a_register_after_another_may_be_none(void **state)
{
	(void)state;
	assert_register(acpi_register_after((struct acpi_register){ 1, PORT }, 2), 1, PORT + 2);
	assert_register(acpi_register_after((struct acpi_register){ 0, 1 }, 2), 0, 3);
	assert_none(acpi_register_after((struct acpi_register){ 1, 0xffff }, 1));
	assert_none(acpi_register_after((struct acpi_register){ 1, 0 }, 4));
}

static void a_table_tells_a_register_by_two_fields(void **state)
{
	uint8_t bytes[64] = { 0 };
	const struct acpi_header *table = (const void *)bytes;
	uint32_t length = sizeof(bytes);
	uint64_t address = MEMORY;

	(void)state;
	memcpy(bytes + 4, &length, sizeof(length));
	assert_none(acpi_read_block(table, 40, 44));
	memcpy(bytes + 40, "\xff\xff\x00\x00", 4);
	assert_register(acpi_read_block(table, 40, 44), 1, 0xffff);
	memcpy(bytes + 40, "\x00\x00\x01\x00", 4);
	assert_none(acpi_read_block(table, 40, 44));
	memcpy(bytes + 48, &address, sizeof(address));
	assert_register(acpi_read_block(table, 40, 44), 0, MEMORY);
}

static void assert_reads(struct acpi_register reg, unsigned width, uint32_t expected)
{
	uint32_t value = 0;

	sim_acpi_set_ports(PORT, 4, 0x89abcdef);
	sim_acpi_set_memory(MEMORY, 0x89abcdef);
	assert_true(acpi_register_read(&reg, width, &value));
	assert_int_equal(value, expected);
}

static void assert_writes(struct acpi_register reg, unsigned width, uint32_t expected)
{
	sim_acpi_write_count = 0;
	assert_true(acpi_register_write(&reg, width, 0x89abcdef));
	assert_int_equal(sim_acpi_write_count, 1);
	assert_int_equal(sim_acpi_writes[0].memory, reg.space == 0);
	assert_int_equal(sim_acpi_writes[0].address, reg.address);
	assert_int_equal(sim_acpi_writes[0].width, width);
	assert_int_equal(sim_acpi_writes[0].value, expected);
}

static void an_access_has_the_width_that_is_asked_for(void **state)
{
	static const struct acpi_register registers[] = { { 1, PORT }, { 0, MEMORY } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(registers); i++) {
		assert_reads(registers[i], 1, 0xef);
		assert_reads(registers[i], 2, 0xcdef);
		assert_reads(registers[i], 4, 0x89abcdef);
		assert_writes(registers[i], 1, 0xef);
		assert_writes(registers[i], 2, 0xcdef);
		assert_writes(registers[i], 4, 0x89abcdef);
	}
}

static void assert_unreachable(struct acpi_register reg)
{
	uint32_t value = 0x55;

	assert_false(acpi_register_read(&reg, 1, &value));
	assert_int_equal(value, 0x55);
	assert_false(acpi_register_write(&reg, 1, 0));
	assert_int_equal(sim_acpi_write_count, 0);
}

static void what_is_not_there_is_not_touched(void **state)
{
	(void)state;
	assert_unreachable((struct acpi_register){ 1, 0 });
	assert_unreachable((struct acpi_register){ 0, 0 });
	sim_acpi_refuses_windows = true;
	assert_unreachable((struct acpi_register){ 0, MEMORY });
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_register_lies_in_a_port_or_in_memory),
		TEST(a_register_after_another_may_be_none),
		TEST(a_table_tells_a_register_by_two_fields),
		TEST(an_access_has_the_width_that_is_asked_for),
		TEST(what_is_not_there_is_not_touched),
	};

	return cmocka_run_group_tests_name("acpi_register", tests, NULL, NULL);
}
