/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory in slots, by QEMU's registers for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "drivers/acpi/acpi.h"
#include "drivers/acpi/acpi_memory.h"
#include "tests/sim/sim_acpi.h"
#include "tests/sim/sim_log.h"

#define RSDP 0xf5a00
#define ROOT 0x7ffe0000
#define FADT 0x7ffe1000
#define DSDT 0x7ffe2000

#define BASE 0x0a00
#define FLAGS (BASE + 0x14)
#define SLOTS 3

/* OperationRegion (HPMR, SystemIO, 0x0a00, 0x18), Name (MDNR, 3) */
static const uint8_t aml[] = { 0x5b, 0x80, 'H',	 'P', 'M', 'R', 1,   0x0b, 0x00, 0x0a,
			       0x0a, 0x18, 0x08, 'M', 'D', 'N', 'R', 0x0a, SLOTS };

#define AML_SIZE_OF_REGION 11 /* offsets in it */
#define AML_SLOTS 18

/* The host's side. */
static struct {
	uint64_t size;
	uint8_t flags;
} slots[SLOTS];
static unsigned selected, ejected;

static void show_slot(void)
{
	sim_acpi_set_ports(BASE + 0x08, 4, (uint32_t)slots[selected].size);
	sim_acpi_set_ports(BASE + 0x0c, 4, (uint32_t)(slots[selected].size >> 32));
	sim_acpi_set_ports(FLAGS, 1, slots[selected].flags);
}

static void on_write(uint16_t port, uint32_t value)
{
	if (port == BASE && value < SLOTS)
		selected = value;
	if (port == FLAGS && value == 8) {
		ejected++;
		slots[selected].flags = 0;
	} else if (port == FLAGS) {
		slots[selected].flags &= (uint8_t)~value;
	}
	show_slot();
}

/* A register is read as wide as it is. */
static void on_read(uint16_t port, unsigned width)
{
	assert_int_equal(width, port == FLAGS ? 1 : 4);
}

static int setup(void **state)
{
	(void)state;
	sim_acpi_reset();
	sim_log_reset();
	memset(slots, 0, sizeof(slots));
	selected = ejected = 0;
	sim_acpi_on_port_write = on_write;
	sim_acpi_on_port_read = on_read;
	return 0;
}

static int start_with(const void *bytes, size_t size)
{
	static const uint32_t tables[] = { FADT };
	uint8_t fadt[240] = { 0 };
	uint32_t dsdt = DSDT;

	memcpy(fadt + 4, &dsdt, sizeof(dsdt));
	sim_acpi_add_rsdp(RSDP, 0, ROOT, 0);
	sim_acpi_add_rsdt(ROOT, tables, 1);
	sim_acpi_add_table(FADT, "FACP", fadt, sizeof(fadt));
	sim_acpi_add_table(DSDT, "DSDT", bytes, size);
	assert_int_equal(acpi_init(RSDP), 0);
	return acpi_memory_find();
}

static void fill(unsigned slot, uint64_t size, uint8_t flags)
{
	slots[slot].size = size;
	slots[slot].flags = flags;
	show_slot();
}

static void empty_slots_are_no_line(void **state)
{
	(void)state;
	assert_int_equal(start_with(aml, sizeof(aml)), 0);
	/* A size without its bit is nothing. */
	fill(1, GIB, 0);
	acpi_memory_look();
	assert_int_equal(sim_log_warnings + sim_log_infos, 0);
}

static void memory_from_the_start_is_one_line(void **state)
{
	(void)state;
	fill(0, 512 * MIB, 1);
	fill(2, 6 * GIB, 1);
	assert_int_equal(start_with(aml, sizeof(aml)), 0);
	acpi_memory_look();
	assert_int_equal(sim_log_warnings, 1);
	assert_string_equal(sim_log_warning,
			    "memory: 6.5 GiB in 2 slots are there, which this guest does not use");
	assert_true(acpi_memory_unused() == 6 * GIB + 512 * MIB);
	/* Nothing changed. */
	acpi_memory_look();
	assert_int_equal(sim_log_warnings + sim_log_infos, 1);
}

static void memory_that_comes_is_a_line_and_is_seen(void **state)
{
	(void)state;
	assert_int_equal(start_with(aml, sizeof(aml)), 0);
	acpi_memory_look();
	fill(1, GIB, 3);
	acpi_memory_look();
	assert_int_equal(sim_log_warnings, 1);
	assert_string_equal(sim_log_warning,
			    "memory: 1.0 GiB in 1 slot are there, which this guest does not use");
	assert_int_equal(slots[1].flags, 1);
	assert_int_equal(ejected, 0);
}

static void memory_that_is_to_leave_may_go(void **state)
{
	(void)state;
	fill(1, GIB, 1);
	fill(2, GIB, 1);
	assert_int_equal(start_with(aml, sizeof(aml)), 0);
	acpi_memory_look();
	slots[1].flags |= 4;
	acpi_memory_look();
	assert_int_equal(ejected, 1);
	assert_int_equal(slots[2].flags, 1);
	assert_int_equal(sim_log_warnings + sim_log_infos, 2);
	slots[2].flags |= 4;
	acpi_memory_look();
	assert_int_equal(ejected, 2);
	assert_int_equal(sim_log_warnings + sim_log_infos, 3);
	assert_string_equal(sim_log_info, "memory: all slots are empty now");
	assert_true(acpi_memory_unused() == 0);
}

static uint64_t seen_meanwhile;

static void look_meanwhile(uint16_t port, unsigned width)
{
	(void)port;
	(void)width;
	seen_meanwhile = acpi_memory_unused();
}

/* Break + m may ask in the middle of a look. */
static void the_sum_is_whole_at_any_time(void **state)
{
	(void)state;
	fill(0, GIB, 1);
	assert_int_equal(start_with(aml, sizeof(aml)), 0);
	acpi_memory_look();
	sim_acpi_on_port_read = look_meanwhile;
	acpi_memory_look();
	assert_true(seen_meanwhile == GIB);
}

static void assert_write(size_t i, uint16_t port, unsigned width, uint32_t value)
{
	assert_int_equal(sim_acpi_writes[i].address, port);
	assert_int_equal(sim_acpi_writes[i].width, width);
	assert_int_equal(sim_acpi_writes[i].value, value);
}

/* A slot is selected; what was asked for is first seen, and then done. */
static void each_register_is_written_in_its_turn(void **state)
{
	(void)state;
	fill(1, GIB, 1 | 2 | 4);
	assert_int_equal(start_with(aml, sizeof(aml)), 0);
	assert_int_equal(sim_acpi_write_count, 1);
	assert_write(0, BASE, 4, 0);
	acpi_memory_look();
	assert_int_equal(sim_acpi_write_count, 7);
	assert_write(1, BASE, 4, 0);
	assert_write(2, BASE, 4, 1);
	assert_write(3, FLAGS, 1, 2);
	assert_write(4, FLAGS, 1, 4);
	assert_write(5, FLAGS, 1, 8);
	assert_write(6, BASE, 4, 2);
}

static void a_byte_is_memory_too(void **state)
{
	(void)state;
	fill(0, 1, 1);
	assert_int_equal(start_with(aml, sizeof(aml)), 0);
	acpi_memory_look();
	assert_string_equal(sim_log_warning,
			    "memory: 1 B in 1 slot are there, which this guest does not use");
}

static void a_machine_without_slots_has_none(void **state)
{
	uint8_t bytes[sizeof(aml)];

	(void)state;
	assert_int_equal(start_with("", 0), -ENODEV);
	setup(NULL);
	assert_int_equal(start_with(aml, 12), -ENODEV);
	setup(NULL);
	memcpy(bytes, aml, sizeof(aml));
	bytes[AML_SIZE_OF_REGION] = 0x17;
	assert_int_equal(start_with(bytes, sizeof(bytes)), -ENODEV);
	acpi_memory_look();
	assert_int_equal(sim_log_warnings + sim_log_infos, 0);
	setup(NULL);
	sim_acpi_empty_bus = true;
	assert_int_equal(start_with(aml, sizeof(aml)), -ENODEV);
	sim_acpi_write_count = 0;
	acpi_memory_look();
	assert_int_equal(sim_acpi_write_count, 0);
	assert_int_equal(sim_log_warnings + sim_log_infos, 0);
}

/* More slots than there can be are not looked at for ever; a sum stays a large one. */
static void impossible_numbers_do_no_harm(void **state)
{
	uint8_t bytes[sizeof(aml) + 3];

	(void)state;
	memcpy(bytes, aml, sizeof(aml));
	bytes[AML_SLOTS - 1] = 0x0c;
	memset(bytes + AML_SLOTS, 0xff, 4);
	fill(0, UINT64_MAX, 1);
	fill(1, 2, 1);
	assert_int_equal(start_with(bytes, sizeof(bytes)), 0);
	sim_acpi_write_count = 0;
	acpi_memory_look();
	assert_int_equal(sim_acpi_write_count, 256);
	assert_int_equal(sim_log_warnings, 1);
	assert_true(acpi_memory_unused() == UINT64_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(empty_slots_are_no_line),
		TEST(memory_from_the_start_is_one_line),
		TEST(memory_that_comes_is_a_line_and_is_seen),
		TEST(memory_that_is_to_leave_may_go),
		TEST(the_sum_is_whole_at_any_time),
		TEST(each_register_is_written_in_its_turn),
		TEST(a_byte_is_memory_too),
		TEST(a_machine_without_slots_has_none),
		TEST(impossible_numbers_do_no_harm),
	};

	return cmocka_run_group_tests_name("acpi_memory", tests, NULL, NULL);
}
