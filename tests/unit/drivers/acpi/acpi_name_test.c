/* SPDX-License-Identifier: BSD-2-Clause */
/* Named constants out of the bytes of DSDT and SSDT. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "drivers/acpi/acpi.h"
#include "tests/sim/sim_acpi.h"
#include "tests/sim/sim_log.h"

#define RSDP 0xf5a00
#define ROOT 0x7ffe0000
#define FADT 0x7ffe1000
#define DSDT 0x7fe00000
#define SSDT 0x7fff0000

static int setup(void **state)
{
	(void)state;
	sim_acpi_reset();
	sim_log_reset();
	return 0;
}

static void add_tables(const void *aml, size_t size, size_t count)
{
	static const uint32_t tables[] = { FADT, SSDT };
	uint8_t fadt[240] = { 0 };
	uint32_t dsdt = DSDT;

	setup(NULL);
	memcpy(fadt + 4, &dsdt, sizeof(dsdt));
	sim_acpi_add_rsdp(RSDP, 0, ROOT, 0);
	sim_acpi_add_rsdt(ROOT, tables, count);
	sim_acpi_add_table(FADT, "FACP", fadt, sizeof(fadt));
	sim_acpi_add_table(DSDT, "DSDT", aml, size);
}

/* A machine with these bytes of AML in its DSDT, and no other table with AML. */
static void start_alone(const void *aml, size_t size)
{
	add_tables(aml, size, 1);
	assert_int_equal(acpi_init(RSDP), 0);
}

/* With a DSDT, and an SSDT. */
static void start(const void *aml, size_t size, const void *more, size_t more_size)
{
	add_tables(aml, size, 2);
	sim_acpi_add_table(SSDT, "SSDT", more, more_size);
	assert_int_equal(acpi_init(RSDP), 0);
}

static bool has_bus(const uint8_t *buses, unsigned bus)
{
	return buses[bus / 8] >> bus % 8 & 1;
}

static unsigned count_buses(const uint8_t *buses)
{
	unsigned count = 0;

	for (unsigned bus = 0; bus < ACPI_BUSES; bus++)
		count += has_bus(buses, bus);
	return count;
}

/* ---- Integers ---- */

/* Name (MDNR, 0x02), as QEMU counts its slots, between uses of that name. */
static const uint8_t slots[] = { 0x93, 'M', 'D',  'N', 'R',  0,	  0x08, 'M', 'D',
				 'N',  'R', 0x0a, 2,   0x70, 'M', 'D',	'N', 'R' };

static void an_integer_is_found_where_it_is_defined(void **state)
{
	uint64_t value = 99;

	(void)state;
	start(slots, sizeof(slots), "", 0);
	assert_int_equal(acpi_find_integer("MDNR", &value), 0);
	assert_int_equal(value, 2);
	assert_int_equal(acpi_find_integer("MDNS", &value), -ENOENT);
	start("", 0, slots, sizeof(slots));
	assert_int_equal(acpi_find_integer("MDNR", &value), 0);
	assert_int_equal(value, 2);
}

static void a_name_that_is_no_integer_is_passed_over(void **state)
{
	static const uint8_t two[] = { 0x08, 'M', 'D', 'N', 'R', 0x0d, 'x',  0,
				       0x08, 'M', 'D', 'N', 'R', 0x0b, 0x34, 0x12 };
	uint64_t value;

	(void)state;
	start(two, sizeof(two), "", 0);
	assert_int_equal(acpi_find_integer("MDNR", &value), 0);
	assert_int_equal(value, 0x1234);
}

/* The sanitizer sees a read after the end. */
static void a_cut_integer_is_none(void **state)
{
	uint64_t value;

	(void)state;
	for (size_t size = 0; size < 13; size++) {
		start(slots, size, "", 0);
		assert_int_equal(acpi_find_integer("MDNR", &value), -ENOENT);
	}
}

/* ---- Regions ---- */

/* OperationRegion (HPMR, SystemIO, 0x0a00, 0x18), and a field of it. */
static const uint8_t region[] = { 0x5b, 0x80, 'H',  'P',  'M', 'R', 1,	 0x0b, 0x00, 0x0a,
				  0x0a, 0x18, 0x5b, 0x81, 6,   'H', 'P', 'M',  'R',  3 };

static void a_region_is_found(void **state)
{
	struct acpi_region found;

	(void)state;
	start("", 0, region, sizeof(region));
	assert_int_equal(acpi_find_region("HPMR", &found), 0);
	assert_int_equal(found.space, 1);
	assert_int_equal(found.base, 0xa00);
	assert_int_equal(found.size, 0x18);
	assert_int_equal(acpi_find_region("HPMS", &found), -ENOENT);
}

static void a_region_that_is_computed_is_not_found(void **state)
{
	uint8_t computed[sizeof(region)];
	struct acpi_region found;

	(void)state;
	memcpy(computed, region, sizeof(region));
	computed[7] = 0x68; /* Arg0 */
	start(computed, sizeof(computed), "", 0);
	assert_int_equal(acpi_find_region("HPMR", &found), -ENOENT);
	for (size_t size = 0; size < 12; size++) {
		start(region, size, "", 0);
		assert_int_equal(acpi_find_region("HPMR", &found), -ENOENT);
	}
}

/* ---- Buses ---- */

/* Device (PC80) { Name (_UID, 0x80) Name (_BBN, 0x80) Name (_SEG, 0) } */
static const uint8_t bridge[] = { 0x5b, 0x82, 0x17, 'P',  'C',	'8',  '0', 0x08, '_',
				  'U',	'I',  'D',  0x0a, 0x80, 0x08, '_', 'B',	 'B',
				  'N',	0x0a, 0x80, 0x08, '_',	'S',  'E', 'G' };

#define BRIDGE_LENGTH 2 /* offsets in it */
#define BRIDGE_BUS 20
#define BRIDGE_SEGMENT 26

/* With its segment, which is the byte of a constant. */
static void make_bridge(uint8_t *bytes, uint8_t bus, uint8_t segment)
{
	memcpy(bytes, bridge, sizeof(bridge));
	bytes[BRIDGE_LENGTH] = sizeof(bridge) - 1;
	bytes[BRIDGE_BUS] = bus;
	bytes[BRIDGE_SEGMENT] = segment;
}

#define BRIDGE_SIZE (sizeof(bridge) + 1)

static void the_buses_of_all_host_bridges_are_found(void **state)
{
	uint8_t two[2 * BRIDGE_SIZE], one[BRIDGE_SIZE], buses[ACPI_BUSES / 8];

	(void)state;
	make_bridge(two, 0x80, 0);
	make_bridge(two + BRIDGE_SIZE, 0xff, 0);
	make_bridge(one, 7, 0);
	start(two, sizeof(two), one, sizeof(one));
	assert_int_equal(acpi_find_root_buses(buses), 0);
	assert_int_equal(count_buses(buses), 3);
	assert_true(has_bus(buses, 0x80));
	assert_true(has_bus(buses, 0xff));
	assert_true(has_bus(buses, 7));
}

static void buses_of_other_segments_are_left_out(void **state)
{
	uint8_t two[2 * BRIDGE_SIZE], buses[ACPI_BUSES / 8];

	(void)state;
	make_bridge(two, 0x80, 1);
	make_bridge(two + BRIDGE_SIZE, 0x90, 0);
	start(two, sizeof(two), "", 0);
	assert_int_equal(acpi_find_root_buses(buses), 0);
	assert_int_equal(count_buses(buses), 1);
	assert_true(has_bus(buses, 0x90));
}

static void a_number_that_is_no_bus_is_left_out(void **state)
{
	static const uint8_t aml[] = { 0x5b, 0x82, 13,	'P', 'C',  '8',	 '0', 0x08,
				       '_',  'B',  'B', 'N', 0x0b, 0x00, 0x01 };
	uint8_t buses[ACPI_BUSES / 8];

	(void)state;
	start(aml, sizeof(aml), "", 0);
	assert_int_equal(acpi_find_root_buses(buses), 0);
	assert_int_equal(count_buses(buses), 0);
}

/* A device in a device in a device, each nearly as large as a table can be. */
static size_t nest_devices(uint8_t *aml, size_t size, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++, aml += 10, size -= 10) {
		size_t length = size - 2;

		aml[0] = 0x5b;
		aml[1] = 0x82;
		aml[2] = (uint8_t)(0xc0 | (length & 0xf));
		for (unsigned k = 0; k < 3; k++)
			aml[3 + k] = (uint8_t)(length >> (4 + 8 * k));
		memcpy(aml + 6, "DEEP", 4);
	}
	return size;
}

/* A search reads 16 MiB of packages: a table in which no bus is named has no part in that. */
static void a_table_without_buses_takes_nothing_of_the_search(void **state)
{
	static uint8_t nested[1024 * 1024 - 36];
	uint8_t one[BRIDGE_SIZE], buses[ACPI_BUSES / 8];
	size_t left = nest_devices(nested, sizeof(nested), 20);

	(void)state;
	make_bridge(one, 0x80, 0);
	start(nested, sizeof(nested), one, sizeof(one));
	assert_int_equal(acpi_find_root_buses(buses), 0);
	assert_int_equal(count_buses(buses), 1);
	assert_true(has_bus(buses, 0x80));
	/* With one, it may take all. */
	make_bridge(nested + sizeof(nested) - left, 0x90, 0);
	start(nested, sizeof(nested), one, sizeof(one));
	assert_int_equal(acpi_find_root_buses(buses), -ENOENT);
	assert_false(has_bus(buses, 0x80));
}

/* Method (_BBN) { Return (0x80) }, beside a bridge that has a constant. */
static void a_bus_that_is_computed_may_be_any(void **state)
{
	static const uint8_t computed[] = { 0x5b, 0x82, 15,  'P', 'C', '9',  '0',  0x14, 9,
					    '_',  'B',	'B', 'N', 0,   0xa4, 0x0a, 0x80 };
	uint8_t one[BRIDGE_SIZE], buses[ACPI_BUSES / 8];

	(void)state;
	make_bridge(one, 7, 0);
	start(computed, sizeof(computed), one, sizeof(one));
	assert_int_equal(acpi_find_root_buses(buses), -ENOENT);
	assert_int_equal(count_buses(buses), 1);
	assert_true(has_bus(buses, 7));
	start(one, sizeof(one), computed, sizeof(computed));
	assert_int_equal(acpi_find_root_buses(buses), -ENOENT);
	assert_int_equal(count_buses(buses), 1);
}

static void tables_that_name_no_bus_leave_bus_0(void **state)
{
	uint8_t buses[ACPI_BUSES / 8];

	(void)state;
	start("\x08_ADR", 5, "", 0);
	assert_int_equal(acpi_find_root_buses(buses), 0);
	assert_int_equal(count_buses(buses), 0);
}

static void the_main_table_alone_is_tables_enough(void **state)
{
	uint8_t one[BRIDGE_SIZE], buses[ACPI_BUSES / 8];

	(void)state;
	make_bridge(one, 0x80, 0);
	start_alone(one, sizeof(one));
	assert_int_equal(acpi_find_root_buses(buses), 0);
	assert_int_equal(count_buses(buses), 1);
}

static void without_tables_nobody_knows_the_buses(void **state)
{
	uint8_t buses[ACPI_BUSES / 8];

	(void)state;
	acpi_init(0);
	assert_int_equal(acpi_find_root_buses(buses), -ENOENT);
	assert_int_equal(count_buses(buses), 0);
}

/* The sanitizer watches; a bus outside of a device is nobody's. */
static void cut_and_loose_numbers_are_left_out(void **state)
{
	uint8_t one[BRIDGE_SIZE], buses[ACPI_BUSES / 8];

	(void)state;
	make_bridge(one, 0x80, 0);
	for (size_t size = 0; size < sizeof(one); size++) {
		start(one, size, "", 0);
		/* Where it is named, and its number cut, there may be one. */
		assert_int_equal(acpi_find_root_buses(buses),
				 size < BRIDGE_BUS - 1 || size > BRIDGE_BUS ? 0 : -ENOENT);
		assert_int_equal(count_buses(buses), 0);
	}
	start(one + 7, sizeof(one) - 7, "", 0);
	assert_int_equal(acpi_find_root_buses(buses), 0);
	assert_int_equal(count_buses(buses), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_integer_is_found_where_it_is_defined),
		TEST(a_name_that_is_no_integer_is_passed_over),
		TEST(a_cut_integer_is_none),
		TEST(a_region_is_found),
		TEST(a_region_that_is_computed_is_not_found),
		TEST(the_buses_of_all_host_bridges_are_found),
		TEST(buses_of_other_segments_are_left_out),
		TEST(a_number_that_is_no_bus_is_left_out),
		TEST(a_table_without_buses_takes_nothing_of_the_search),
		TEST(a_bus_that_is_computed_may_be_any),
		TEST(tables_that_name_no_bus_leave_bus_0),
		TEST(the_main_table_alone_is_tables_enough),
		TEST(without_tables_nobody_knows_the_buses),
		TEST(cut_and_loose_numbers_are_left_out),
	};

	return cmocka_run_group_tests_name("acpi_name", tests, NULL, NULL);
}
