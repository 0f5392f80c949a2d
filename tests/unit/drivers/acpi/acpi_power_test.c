/* SPDX-License-Identifier: BSD-2-Clause */
/* Turning off and resetting by what the FADT says, and finding S5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "arch/clock.h"
#include "drivers/acpi/acpi.h"
#include "tests/sim/sim_acpi.h"
#include "tests/sim/sim_log.h"

#define RSDP 0xf5a00
#define ROOT 0x7ffe0000
#define FADT 0x7ffe1000
#define DSDT 0x7ffe2000
#define SSDT 0x7ffe8000

#define FADT_SIZE 276
#define PM1A 0x604
#define PM1B 0x704
#define SMI 0xb2

/* The FADT's bytes from its start; the header is made afterwards. */
static uint8_t fadt[FADT_SIZE];

static void put(size_t offset, size_t width, uint64_t value)
{
	memcpy(fadt + offset, &value, width);
}

static void put_register(size_t offset, uint8_t space, uint64_t address)
{
	put(offset, 1, space);
	put(offset + 4, 8, address);
}

static int setup(void **state)
{
	(void)state;
	sim_acpi_reset();
	sim_log_reset();
	memset(fadt, 0, sizeof(fadt));
	put(40, 4, DSDT);
	put(64, 4, PM1A);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	sim_acpi_reset();
	return 0;
}

static void start(size_t fadt_size)
{
	static const uint32_t tables[] = { FADT };

	sim_acpi_add_rsdp(RSDP, 0, ROOT, 0);
	sim_acpi_add_rsdt(ROOT, tables, 1);
	sim_acpi_add_table(FADT, "FACP", fadt + 36, fadt_size - 36);
	assert_int_equal(acpi_init(RSDP), 0);
}

/* Whether a DSDT of these bytes gives S5, and PM1a's type. */
static bool has_s5(const void *aml, size_t size, unsigned *type)
{
	setup(NULL);
	sim_acpi_add_table(DSDT, "DSDT", aml, size);
	start(FADT_SIZE);
	acpi_power_off();
	if (sim_acpi_write_count == 0)
		return false;
	*type = sim_acpi_writes[0].value >> 10 & 7;
	return true;
}

static void assert_write(size_t i, bool memory, uint64_t address, unsigned width, uint32_t value)
{
	assert_true(i < sim_acpi_write_count);
	assert_int_equal(sim_acpi_writes[i].memory, memory);
	assert_int_equal(sim_acpi_writes[i].address, address);
	assert_int_equal(sim_acpi_writes[i].width, width);
	assert_int_equal(sim_acpi_writes[i].value, value);
}

/* Name (_S5_, Package (0x04) {0x05, 0x03, Zero, Zero}) */
static const uint8_t s5[] = { 0x08, '_',  'S',	'5',  '_',  0x12, 0x08,
			      0x04, 0x0a, 0x05, 0x0a, 0x03, 0x00, 0x00 };

/* ---- The sleep type ---- */

static void the_ways_to_write_s5_are_understood(void **state)
{
	static const struct {
		uint8_t size;
		uint8_t aml[20];
		unsigned type;
	} good[] = {
		{ 13, { 0x08, '_', 'S', '5', '_', 0x12, 0x07, 0x02, 0x0a, 5, 0x0a, 5, 0 }, 5 },
		{ 14, { 0x08, '\\', '_', 'S', '5', '_', 0x12, 0x06, 0x04, 0, 0, 0, 0, 0 }, 0 },
		{ 11, { 0x08, '_', 'S', '5', '_', 0x12, 0x04, 0x02, 0x01, 0x01, 0 }, 1 },
		{ 14, { 0x08, '_', 'S', '5', '_', 0x12, 0x08, 0x02, 0x0b, 7, 0, 0x0a, 7 }, 7 },
		{ 18,
		  { 0x08, '_', 'S', '5', '_', 0x12, 0x0c, 0x02, 0x0c, 6, 0, 0, 0, 0x0c, 6, 0, 0,
		    0 },
		  6 },
		/* The package's length in two bytes. */
		{ 12, { 0x08, '_', 'S', '5', '_', 0x12, 0x46, 0x00, 0x02, 0x0a, 4, 0 }, 4 },
		/* One element: for both. */
		{ 10, { 0x08, '_', 'S', '5', '_', 0x12, 0x04, 0x01, 0x0a, 3 }, 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		unsigned type = 99;

		if (!has_s5(good[i].aml, good[i].size, &type))
			fail_msg("%zu is not understood", i);
		assert_int_equal(type, good[i].type);
	}
}

static void what_is_no_s5_is_not_taken_for_one(void **state)
{
	static const struct {
		uint8_t size;
		uint8_t aml[16];
	} bad[] = {
		{ 0, { 0 } },
		{ 4, { '_', 'S', '5', '_' } },
		/* Not a name's definition but its use. */
		{ 13, { 0x70, '_', 'S', '5', '_', 0x12, 0x07, 0x04, 0x0a, 5, 0x0a, 5, 0 } },
		{ 12, { '_', 'S', '5', '_', 0x12, 0x07, 0x04, 0x0a, 5, 0x0a, 5, 0 } },
		/* A method. */
		{ 13, { 0x08, '_', 'S', '5', '_', 0x14, 0x07, 0x04, 0x0a, 5, 0x0a, 5, 0 } },
		/* No elements. */
		{ 13, { 0x08, '_', 'S', '5', '_', 0x12, 0x07, 0x00, 0x0a, 5, 0x0a, 5, 0 } },
		/* A sleep type of more than three bits. */
		{ 13, { 0x08, '_', 'S', '5', '_', 0x12, 0x07, 0x04, 0x0a, 8, 0x0a, 5, 0 } },
		/* A string where the number should be. */
		{ 13, { 0x08, '_', 'S', '5', '_', 0x12, 0x07, 0x04, 0x0d, 5, 0x0a, 5, 0 } },
		/* A package of length 0, and one that ends within its length. */
		{ 13, { 0x08, '_', 'S', '5', '_', 0x12, 0x00, 0x04, 0x0a, 5, 0x0a, 5, 0 } },
		{ 13, { 0x08, '_', 'S', '5', '_', 0x12, 0x41, 0x00, 0x04, 0x0a, 5, 5, 0 } },
		/* One that goes beyond the table. */
		{ 13, { 0x08, '_', 'S', '5', '_', 0x12, 0x08, 0x04, 0x0a, 5, 0x0a, 5, 0 } },
		{ 13, { 0x08, '_', 'S', '5', '_', 0x12, 0xff, 0xff, 0xff, 0xff, 5, 0 } },
	};
	unsigned type;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (has_s5(bad[i].aml, bad[i].size, &type))
			fail_msg("%zu is taken for one", i);
	}
}

/* The sanitizer sees a read after the end of the table. */
static void an_s5_that_the_table_cuts_off_is_none(void **state)
{
	unsigned type;

	(void)state;
	for (size_t size = 0; size < sizeof(s5); size++)
		assert_false(has_s5(s5, size, &type));
	assert_true(has_s5(s5, sizeof(s5), &type));
	assert_int_equal(type, 5);
}

static void an_s5_cut_off_in_an_open_package_is_none(void **state)
{
	static const uint8_t aml[] = { 0x08, '_', 'S', '5', '_', 0x12, 0x03, 0x04, 0x0a };
	static const uint8_t prefix[] = { 0x08, '_', 'S', '5', '_', 0x12, 0x05, 0x04, 0x0c, 1, 0 };
	unsigned type;

	(void)state;
	assert_false(has_s5(aml, sizeof(aml), &type));
	assert_false(has_s5(prefix, sizeof(prefix), &type));
}

static void a_wrong_one_before_the_right_one_is_passed_over(void **state)
{
	uint8_t aml[64] = { 0x70, '_', 'S', '5', '_', '_', '_', 'S', '5' };
	unsigned type;

	(void)state;
	memcpy(aml + sizeof(aml) - sizeof(s5), s5, sizeof(s5));
	assert_true(has_s5(aml, sizeof(aml), &type));
	assert_int_equal(type, 5);
}

static void s5_may_stand_in_an_ssdt(void **state)
{
	static const uint32_t tables[] = { SSDT, SSDT + 0x1000, FADT };

	(void)state;
	sim_acpi_add_rsdp(RSDP, 0, ROOT, 0);
	sim_acpi_add_rsdt(ROOT, tables, 3);
	sim_acpi_add_table(FADT, "FACP", fadt + 36, FADT_SIZE - 36);
	sim_acpi_add_table(DSDT, "DSDT", "nothing", 7);
	sim_acpi_add_table(SSDT, "SSDT", "nothing", 7);
	sim_acpi_add_table(SSDT + 0x1000, "SSDT", s5, sizeof(s5));
	assert_int_equal(acpi_init(RSDP), 0);
	acpi_power_off();
	assert_write(0, false, PM1A, 2, 5 << 10);
}

static void a_dsdt_with_a_bad_checksum_is_absent(void **state)
{
	(void)state;
	sim_acpi_add_table(DSDT, "DSDT", s5, sizeof(s5))[40]++;
	start(FADT_SIZE);
	acpi_power_off();
	assert_int_equal(sim_acpi_write_count, 0);
	assert_int_equal(sim_log_warnings, 1);
}

/* ---- Turning off ---- */

static void both_pm1_registers_get_their_type_and_then_the_enable_bit(void **state)
{
	(void)state;
	put(68, 4, PM1B);
	sim_acpi_set_port(PM1A, 0x9c03);
	sim_acpi_add_table(DSDT, "DSDT", s5, sizeof(s5));
	start(FADT_SIZE);
	assert_int_equal(sim_acpi_write_count, 0);
	acpi_power_off();
	assert_int_equal(sim_acpi_write_count, 4);
	assert_write(0, false, PM1A, 2, 0x8000 | 5 << 10 | 3);
	assert_write(1, false, PM1B, 2, 3 << 10);
	assert_write(2, false, PM1A, 2, 0xa000 | 5 << 10 | 3);
	assert_write(3, false, PM1B, 2, 0x2000 | 3 << 10);
}

static void acpi_mode_is_entered_before(void **state)
{
	(void)state;
	put(48, 4, SMI);
	put(52, 1, 0xf1);
	sim_acpi_set_port(PM1A, 0);
	sim_acpi_set_smi(SMI, 0xf1);
	sim_acpi_add_table(DSDT, "DSDT", s5, sizeof(s5));
	start(FADT_SIZE);
	acpi_power_off();
	assert_int_equal(sim_acpi_write_count, 3);
	assert_write(0, false, SMI, 1, 0xf1);
	assert_write(1, false, PM1A, 2, 5 << 10 | 1);
	/* Not again when it is on. */
	sim_acpi_write_count = 0;
	acpi_power_off();
	assert_int_equal(sim_acpi_write_count, 2);
}

static void firmware_that_does_not_answer_is_not_waited_for_for_ever(void **state)
{
	(void)state;
	put(48, 4, SMI);
	put(52, 1, 0xf1);
	sim_acpi_add_table(DSDT, "DSDT", s5, sizeof(s5));
	start(FADT_SIZE);
	acpi_power_off();
	assert_int_equal(sim_acpi_write_count, 3);
}

/* It has a thousand looks for it. */
static void firmware_that_answers_late_is_waited_for(void **state)
{
	for (unsigned reads = 999; reads <= 1000; reads++) {
		setup(state);
		put(48, 4, SMI);
		put(52, 1, 0xf1);
		sim_acpi_set_port(PM1A, 0);
		sim_acpi_add_table(DSDT, "DSDT", s5, sizeof(s5));
		start(FADT_SIZE);
		sim_acpi_smi_reads = reads;
		acpi_power_off();
		assert_int_equal(sim_acpi_write_count, 3);
		assert_write(0, false, SMI, 1, 0xf1);
		assert_write(1, false, PM1A, 2, 5 << 10 | 1);
	}
}

static void after_a_thousand_looks_no_answer_is_expected(void **state)
{
	/* One look comes before it is asked, and one sees what else is in the register. */
	for (unsigned late = 0; late <= 1; late++) {
		setup(state);
		put(48, 4, SMI);
		put(52, 1, 0xf1);
		sim_acpi_set_port(PM1A, 0);
		sim_acpi_add_table(DSDT, "DSDT", s5, sizeof(s5));
		start(FADT_SIZE);
		sim_acpi_smi_reads = 1 + 1000 + 1 + late;
		acpi_power_off();
		assert_write(1, false, PM1A, 2, 5 << 10 | (late ? 0 : SIM_ACPI_SCI_ENABLE));
	}
}

/* A machine that is always in ACPI mode says so by a value of 0. */
static void firmware_is_not_asked_without_a_value_to_ask_with(void **state)
{
	(void)state;
	for (uint8_t value = 0; value <= 1; value++) {
		setup(state);
		put(48, 4, SMI);
		put(52, 1, value);
		sim_acpi_add_table(DSDT, "DSDT", s5, sizeof(s5));
		start(FADT_SIZE);
		acpi_power_off();
		assert_int_equal(sim_acpi_write_count, value ? 3 : 2);
		assert_write(0, false, value ? SMI : PM1A, value ? 1 : 2, value ? 1 : 5 << 10);
	}
}

/* Whatever follows in the package. */
static void one_type_is_for_both_registers(void **state)
{
	static const uint8_t one[] = {
		0x08, '_', 'S', '5', '_', 0x12, 0x06, 0x01, 0x0a, 5, 0x0a, 3
	};

	(void)state;
	put(68, 4, PM1B);
	sim_acpi_add_table(DSDT, "DSDT", one, sizeof(one));
	start(FADT_SIZE);
	acpi_power_off();
	assert_int_equal(sim_acpi_write_count, 4);
	assert_write(0, false, PM1A, 2, 5 << 10);
	assert_write(1, false, PM1B, 2, 5 << 10);
}

/* A package of two has a type for each. */
static void two_types_are_for_one_register_each(void **state)
{
	static const uint8_t two[] = {
		0x08, '_', 'S', '5', '_', 0x12, 0x06, 0x02, 0x0a, 5, 0x0a, 3
	};

	(void)state;
	put(68, 4, PM1B);
	sim_acpi_add_table(DSDT, "DSDT", two, sizeof(two));
	start(FADT_SIZE);
	acpi_power_off();
	assert_int_equal(sim_acpi_write_count, 4);
	assert_write(0, false, PM1A, 2, 5 << 10);
	assert_write(1, false, PM1B, 2, 3 << 10);
}

/* Stopped after the write, the hypervisor has had no time; see sim_acpi.c. */
static void the_end_is_waited_for_while_the_guest_is_awake(void **state)
{
	(void)state;
	sim_acpi_add_table(DSDT, "DSDT", s5, sizeof(s5));
	start(FADT_SIZE);
	acpi_power_off();
	assert_int_equal(sim_acpi_looks, 1 + NS_PER_S / CLOCK_AWAKE_STEP_NS);
}

/* As it does before it was set up. */
static void a_clock_that_stands_does_not_hold_the_guest_for_ever(void **state)
{
	(void)state;
	sim_acpi_add_table(DSDT, "DSDT", s5, sizeof(s5));
	start(FADT_SIZE);
	sim_acpi_clock_stands = true;
	acpi_power_off();
	assert_int_equal(sim_acpi_looks, 1 + 1000000);
}

/* However often it is looked at, a clock that goes is believed. */
static void the_end_is_waited_for_as_long_on_a_fast_processor(void **state)
{
	(void)state;
	sim_acpi_add_table(DSDT, "DSDT", s5, sizeof(s5));
	start(FADT_SIZE);
	sim_acpi_look_ns = 500;
	acpi_power_off();
	assert_int_equal(sim_acpi_looks, 1 + NS_PER_S / 500);
}

static void the_extended_register_counts(void **state)
{
	(void)state;
	put_register(172, 0, UINT64_C(0xfed00000));
	sim_acpi_add_table(DSDT, "DSDT", s5, sizeof(s5));
	start(FADT_SIZE);
	acpi_power_off();
	assert_int_equal(sim_acpi_write_count, 2);
	assert_write(1, true, 0xfed00000, 2, 0x2000 | 5 << 10);
	setup(NULL);
	put(68, 4, SMI);
	put_register(184, 1, PM1B);
	sim_acpi_add_table(DSDT, "DSDT", s5, sizeof(s5));
	start(FADT_SIZE);
	acpi_power_off();
	assert_int_equal(sim_acpi_write_count, 4);
	assert_write(3, false, PM1B, 2, 0x2000 | 3 << 10);
}

static void the_extended_dsdt_counts(void **state)
{
	(void)state;
	put(40, 4, 0x66600000);
	put(140, 8, DSDT);
	sim_acpi_add_table(DSDT, "DSDT", s5, sizeof(s5));
	start(FADT_SIZE);
	acpi_power_off();
	assert_int_equal(sim_acpi_write_count, 2);
}

static void ports_that_cannot_be_are_not_written(void **state)
{
	(void)state;
	put(64, 4, 0x10604);
	put_register(172, 1, 0x10604);
	put_register(184, 3, 0x604);
	sim_acpi_add_table(DSDT, "DSDT", s5, sizeof(s5));
	start(FADT_SIZE);
	acpi_power_off();
	assert_int_equal(sim_acpi_write_count, 0);
}

static void hardware_reduced_acpi_has_a_sleep_register(void **state)
{
	(void)state;
	put(112, 4, 1u << 20);
	put_register(244, 0, UINT64_C(0xfea00200));
	sim_acpi_add_table(DSDT, "DSDT", s5, sizeof(s5));
	start(FADT_SIZE);
	acpi_power_off();
	assert_int_equal(sim_acpi_write_count, 1);
	assert_write(0, true, 0xfea00200, 1, 5 << 2 | 0x20);
}

/* ---- Resetting ---- */

static void the_reset_register_may_be_a_port(void **state)
{
	(void)state;
	put(112, 4, 1u << 10);
	put_register(116, 1, 0xcf9);
	put(128, 1, 0x0f);
	start(FADT_SIZE);
	acpi_reset();
	assert_int_equal(sim_acpi_write_count, 1);
	assert_write(0, false, 0xcf9, 1, 0x0f);
	/* The hypervisor gets its time. */
	assert_int_equal(sim_acpi_looks, 1 + NS_PER_S / CLOCK_AWAKE_STEP_NS);
}

static void the_reset_register_may_lie_in_memory(void **state)
{
	(void)state;
	put(112, 4, 1u << 10);
	put_register(116, 0, UINT64_C(0xfea00201));
	put(128, 1, 0x42);
	start(FADT_SIZE);
	acpi_reset();
	assert_int_equal(sim_acpi_write_count, 1);
	assert_write(0, true, 0xfea00201, 1, 0x42);
}

/* Nothing was written, and so there is no end to wait for. */
static void registers_that_cannot_be_mapped_are_not_waited_for(void **state)
{
	(void)state;
	put(112, 4, 1u << 10);
	put_register(116, 0, UINT64_C(0xfea00201));
	put_register(172, 0, UINT64_C(0xfed00000));
	sim_acpi_add_table(DSDT, "DSDT", s5, sizeof(s5));
	start(FADT_SIZE);
	sim_acpi_refuses_windows = true;
	acpi_reset();
	assert_int_equal(sim_acpi_write_count, 0);
	assert_int_equal(sim_acpi_looks, 0);
	acpi_power_off();
	assert_int_equal(sim_acpi_write_count, 0);
	assert_int_equal(sim_acpi_looks, 0);
	/* Nor is there one without any registers at all. */
	setup(NULL);
	put(64, 4, 0);
	sim_acpi_add_table(DSDT, "DSDT", s5, sizeof(s5));
	start(FADT_SIZE);
	acpi_power_off();
	acpi_reset();
	assert_int_equal(sim_acpi_write_count, 0);
	assert_int_equal(sim_acpi_looks, 0);
}

static void without_the_flag_there_is_no_reset_register(void **state)
{
	(void)state;
	put_register(116, 1, 0xcf9);
	start(FADT_SIZE);
	acpi_reset();
	assert_int_equal(sim_acpi_write_count, 0);
}

static void a_short_fadt_has_only_what_it_holds(void **state)
{
	(void)state;
	for (size_t size = 36; size <= FADT_SIZE; size++) {
		setup(NULL);
		put(112, 4, 1u << 10);
		put_register(116, 1, 0xcf9);
		put_register(172, 1, PM1B);
		put(128, 1, 6);
		sim_acpi_add_table(DSDT, "DSDT", s5, sizeof(s5));
		start(size);
		acpi_reset();
		assert_int_equal(sim_acpi_write_count, size >= 129 ? 1 : 0);
		if (size >= 129)
			assert_write(0, false, 0xcf9, 1, 6);
		sim_acpi_write_count = 0;
		acpi_power_off();
		assert_int_equal(sim_acpi_write_count, size >= 68 ? 2 : 0);
		if (size >= 68)
			assert_int_equal(sim_acpi_writes[0].address, size >= 184 ? PM1B : PM1A);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_ways_to_write_s5_are_understood),
		TEST(what_is_no_s5_is_not_taken_for_one),
		TEST(an_s5_that_the_table_cuts_off_is_none),
		TEST(an_s5_cut_off_in_an_open_package_is_none),
		TEST(a_wrong_one_before_the_right_one_is_passed_over),
		TEST(s5_may_stand_in_an_ssdt),
		TEST(a_dsdt_with_a_bad_checksum_is_absent),
		TEST(both_pm1_registers_get_their_type_and_then_the_enable_bit),
		TEST(acpi_mode_is_entered_before),
		TEST(firmware_that_does_not_answer_is_not_waited_for_for_ever),
		TEST(the_end_is_waited_for_while_the_guest_is_awake),
		TEST(the_extended_register_counts),
		TEST(the_extended_dsdt_counts),
		TEST(ports_that_cannot_be_are_not_written),
		TEST(hardware_reduced_acpi_has_a_sleep_register),
		TEST(the_reset_register_may_be_a_port),
		TEST(the_reset_register_may_lie_in_memory),
		TEST(registers_that_cannot_be_mapped_are_not_waited_for),
		TEST(firmware_that_answers_late_is_waited_for),
		TEST(after_a_thousand_looks_no_answer_is_expected),
		TEST(firmware_is_not_asked_without_a_value_to_ask_with),
		TEST(one_type_is_for_both_registers),
		TEST(two_types_are_for_one_register_each),
		TEST(a_clock_that_stands_does_not_hold_the_guest_for_ever),
		TEST(the_end_is_waited_for_as_long_on_a_fast_processor),
		TEST(without_the_flag_there_is_no_reset_register),
		TEST(a_short_fadt_has_only_what_it_holds),
	};

	return cmocka_run_group_tests_name("acpi_power", tests, NULL, NULL);
}
