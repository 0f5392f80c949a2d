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
	uint64_t address, size;
	uint8_t flags;
} slots[SLOTS];
static unsigned selected, ejected;

static void show_slot(void)
{
	sim_acpi_set_ports(BASE + 0x00, 4, (uint32_t)slots[selected].address);
	sim_acpi_set_ports(BASE + 0x04, 4, (uint32_t)(slots[selected].address >> 32));
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

static void start(void)
{
	assert_int_equal(start_with(aml, sizeof(aml)), 0);
	assert_int_equal(acpi_memory_slots(), SLOTS);
	sim_acpi_write_count = 0;
}

static void fill(unsigned slot, uint64_t address, uint64_t size, uint8_t flags)
{
	slots[slot].address = address;
	slots[slot].size = size;
	slots[slot].flags = flags;
	show_slot();
}

static struct acpi_memory_slot read_slot(unsigned slot)
{
	struct acpi_memory_slot state;

	memset(&state, 0xa5, sizeof(state));
	acpi_memory_read(slot, &state);
	return state;
}

static void an_empty_slot_says_so(void **state)
{
	struct acpi_memory_slot slot;

	(void)state;
	start();
	/* Addresses, sizes and news without the bit that something is there are nothing. */
	fill(1, 4 * GIB, GIB, 6);
	slot = read_slot(1);
	assert_false(slot.present || slot.inserted || slot.removing);
	assert_true(slot.address == 0 && slot.size == 0);
	fill(1, 4 * GIB, GIB, 0xff);
	slot = read_slot(1);
	assert_false(slot.present || slot.inserted || slot.removing);
	assert_true(slot.address == 0 && slot.size == 0);
}

static void a_slot_says_what_is_in_it(void **state)
{
	struct acpi_memory_slot slot;

	(void)state;
	start();
	fill(2, UINT64_C(0x123456789abcdef0), UINT64_C(0xfedcba9876543210), 1);
	slot = read_slot(2);
	assert_true(slot.present);
	assert_false(slot.inserted || slot.removing);
	assert_true(slot.address == UINT64_C(0x123456789abcdef0));
	assert_true(slot.size == UINT64_C(0xfedcba9876543210));
	fill(2, 0, 1, 3);
	slot = read_slot(2);
	assert_true(slot.present && slot.inserted && !slot.removing);
	fill(2, 0, 1, 5);
	slot = read_slot(2);
	assert_true(slot.present && !slot.inserted && slot.removing);
	assert_false(read_slot(0).present);
}

static void assert_write(size_t i, uint16_t port, unsigned width, uint32_t value)
{
	assert_int_equal(sim_acpi_writes[i].address, port);
	assert_int_equal(sim_acpi_writes[i].width, width);
	assert_int_equal(sim_acpi_writes[i].value, value);
}

static void news_is_cleared_bit_by_bit(void **state)
{
	(void)state;
	start();
	fill(1, 0, GIB, 7);
	acpi_memory_clear_inserted(1);
	assert_int_equal(sim_acpi_write_count, 2);
	assert_write(0, BASE, 4, 1);
	assert_write(1, FLAGS, 1, 2);
	assert_int_equal(slots[1].flags, 5);
	acpi_memory_clear_removing(1);
	assert_int_equal(sim_acpi_write_count, 4);
	assert_write(2, BASE, 4, 1);
	assert_write(3, FLAGS, 1, 4);
	assert_int_equal(slots[1].flags, 1);
	assert_int_equal(ejected, 0);
}

static void an_ejection_empties_the_slot(void **state)
{
	(void)state;
	start();
	fill(2, 0, GIB, 1);
	acpi_memory_eject(2);
	assert_int_equal(sim_acpi_write_count, 2);
	assert_write(0, BASE, 4, 2);
	assert_write(1, FLAGS, 1, 8);
	assert_int_equal(ejected, 1);
	assert_false(read_slot(2).present);
}

/* The event first: the host is told when the status is written. */
static void answers_are_an_event_and_then_a_status(void **state)
{
	(void)state;
	start();
	acpi_memory_refuse(1);
	assert_int_equal(sim_acpi_write_count, 3);
	assert_write(0, BASE, 4, 1);
	assert_write(1, BASE + 4, 4, 3);
	assert_write(2, BASE + 8, 4, 0x81);
	acpi_memory_report(2, true);
	assert_write(3, BASE, 4, 2);
	assert_write(4, BASE + 4, 4, 1);
	assert_write(5, BASE + 8, 4, 0);
	acpi_memory_report(2, false);
	assert_write(7, BASE + 4, 4, 1);
	assert_write(8, BASE + 8, 4, 1);
	assert_int_equal(sim_acpi_write_count, 9);
}

static void assert_no_slots(const void *bytes, size_t size)
{
	assert_int_equal(start_with(bytes, size), -ENODEV);
	assert_int_equal(acpi_memory_slots(), 0);
	setup(NULL);
}

static void a_machine_without_slots_has_none(void **state)
{
	uint8_t bytes[sizeof(aml)];

	(void)state;
	start();
	setup(NULL);
	/* Those of before are forgotten. */
	assert_no_slots("", 0);
	assert_no_slots(aml, 12);
	memcpy(bytes, aml, sizeof(aml));
	bytes[AML_SIZE_OF_REGION] = 0x17;
	assert_no_slots(bytes, sizeof(bytes));
	memcpy(bytes, aml, sizeof(aml));
	bytes[AML_SLOTS] = 0;
	assert_no_slots(bytes, sizeof(bytes));
	sim_acpi_empty_bus = true;
	assert_no_slots(aml, sizeof(aml));
}

/* More slots than there can be are not looked at for ever. */
static void an_impossible_number_of_slots_is_cut(void **state)
{
	uint8_t bytes[sizeof(aml) + 3];

	(void)state;
	memcpy(bytes, aml, sizeof(aml));
	bytes[AML_SLOTS - 1] = 0x0c;
	memset(bytes + AML_SLOTS, 0xff, 4);
	assert_int_equal(start_with(bytes, sizeof(bytes)), 0);
	assert_int_equal(acpi_memory_slots(), 256);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_empty_slot_says_so),
		TEST(a_slot_says_what_is_in_it),
		TEST(news_is_cleared_bit_by_bit),
		TEST(an_ejection_empties_the_slot),
		TEST(answers_are_an_event_and_then_a_status),
		TEST(a_machine_without_slots_has_none),
		TEST(an_impossible_number_of_slots_is_cut),
	};

	return cmocka_run_group_tests_name("acpi_memory", tests, NULL, NULL);
}
