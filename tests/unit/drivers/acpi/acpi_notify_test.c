/* SPDX-License-Identifier: BSD-2-Clause */
/* What the machine tells by its SCI, or by a Generic Event Device. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "drivers/acpi/acpi.h"
#include "drivers/acpi/acpi_notify.h"
#include "tests/sim/sim_acpi.h"
#include "tests/sim/sim_log.h"

#define RSDP 0xf5a00
#define ROOT 0x7ffe0000
#define FADT 0x7ffe1000
#define DSDT 0x7ffe2000

#define FADT_SIZE 276
#define SCI 0x109
#define PM1A 0x600
#define PM1B 0x700
#define PM1_CONTROL 0x604
#define GPE0 0xafe0
#define GPE1 0xb000
#define SMI 0xb2
#define BUTTON 0x0100
#define MEMORY 0x08
#define GED 0xfea00000

static uint8_t fadt[FADT_SIZE];
static size_t fadt_size;
static unsigned buttons, memories;

static void count_button(void)
{
	buttons++;
}

static void count_memory(void)
{
	memories++;
}

static const struct acpi_notify_ops ops = { count_button, count_memory };

static void put(size_t offset, size_t width, uint64_t value)
{
	memcpy(fadt + offset, &value, width);
}

/* A PC's: blocks of 4 bytes, status and enable bits. */
static int setup(void **state)
{
	(void)state;
	sim_acpi_reset();
	sim_log_reset();
	buttons = memories = 0;
	fadt_size = FADT_SIZE;
	memset(fadt, 0, sizeof(fadt));
	put(40, 4, DSDT);
	put(46, 2, SCI);
	put(56, 4, PM1A);
	put(64, 4, PM1_CONTROL);
	put(80, 4, GPE0);
	put(88, 1, 4);
	put(89, 1, 2); /* of the control register: the field after */
	put(92, 1, 4);
	put(94, 1, 16); /* the number of the first event in the second block */
	sim_acpi_clear_by_ones(PM1A, 2);
	sim_acpi_clear_by_ones(PM1B, 2);
	sim_acpi_clear_by_ones(GPE0, 2);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	sim_acpi_reset();
	return 0;
}

static int start_with(const void *aml, size_t size)
{
	static const uint32_t tables[] = { FADT };

	sim_acpi_add_rsdp(RSDP, 0, ROOT, 0);
	sim_acpi_add_rsdt(ROOT, tables, 1);
	sim_acpi_add_table(FADT, "FACP", fadt + 36, fadt_size - 36);
	sim_acpi_add_table(DSDT, "DSDT", aml, size);
	assert_int_equal(acpi_init(RSDP), 0);
	return acpi_notify_start(&ops);
}

static int start(void)
{
	return start_with("", 0);
}

/* The writes to ports from the `first` on. */
static void assert_writes(size_t first, const struct sim_acpi_write *expected, size_t count)
{
	assert_int_equal(sim_acpi_write_count - first, count);
	for (size_t i = 0; i < count; i++) {
		assert_false(sim_acpi_writes[first + i].memory);
		assert_int_equal(sim_acpi_writes[first + i].address, expected[i].address);
		assert_int_equal(sim_acpi_writes[first + i].width, expected[i].width);
		assert_int_equal(sim_acpi_writes[first + i].value, expected[i].value);
	}
}

/* ---- Fixed hardware ---- */

static void each_register_is_written_once(void **state)
{
	static const struct sim_acpi_write expected[] = {
		{ false, PM1A, 2, BUTTON },	{ false, PM1A + 2, 2, BUTTON },
		{ false, GPE0 + 3, 1, 0 },	{ false, GPE0, 1, MEMORY },
		{ false, GPE0 + 2, 1, MEMORY },
	};
	static const struct sim_acpi_write taken[] = { { false, GPE0, 1, MEMORY } };

	(void)state;
	sim_acpi_set_ports(GPE0, 2, MEMORY | 0x0101);
	assert_int_equal(start(), 0);
	assert_writes(0, expected, ARRAY_SIZE(expected));
	/* Nothing of ours happened: nothing is cleared. */
	assert_false(sim_acpi_interrupt());
	assert_writes(ARRAY_SIZE(expected), NULL, 0);
	sim_acpi_set_ports(GPE0, 1, MEMORY | 1);
	assert_true(sim_acpi_interrupt());
	assert_writes(ARRAY_SIZE(expected), taken, ARRAY_SIZE(taken));
}

static void a_press_is_told_once_and_its_bit_cleared(void **state)
{
	(void)state;
	assert_int_equal(start(), 0);
	assert_int_equal(sim_acpi_gsi, SCI);
	assert_true(sim_acpi_level);
	assert_int_equal(sim_acpi_get_ports(PM1A + 2, 2), BUTTON);
	/* The timer's bit is nobody's here and stays. */
	sim_acpi_set_ports(PM1A, 2, BUTTON | 1);
	assert_true(sim_acpi_interrupt());
	assert_int_equal(buttons, 1);
	assert_int_equal(memories, 0);
	assert_int_equal(sim_acpi_get_ports(PM1A, 2), 1);
	assert_false(sim_acpi_interrupt());
	assert_int_equal(buttons, 1);
}

static void memory_is_told_by_its_general_purpose_event(void **state)
{
	(void)state;
	sim_acpi_set_ports(GPE0 + 2, 2, 0xffff);
	assert_int_equal(start(), 0);
	/* All other events are silent now. */
	assert_int_equal(sim_acpi_get_ports(GPE0 + 2, 2), MEMORY);
	sim_acpi_set_ports(GPE0, 2, MEMORY | 2);
	assert_true(sim_acpi_interrupt());
	assert_int_equal(memories, 1);
	assert_int_equal(buttons, 0);
	assert_int_equal(sim_acpi_get_ports(GPE0, 2), 2);
	assert_false(sim_acpi_interrupt());
}

static void two_events_in_one_interrupt_are_both_told(void **state)
{
	(void)state;
	assert_int_equal(start(), 0);
	sim_acpi_set_ports(PM1A, 2, BUTTON);
	sim_acpi_set_ports(GPE0, 1, MEMORY);
	assert_true(sim_acpi_interrupt());
	assert_int_equal(buttons, 1);
	assert_int_equal(memories, 1);
}

static void what_was_told_to_an_earlier_guest_is_dropped(void **state)
{
	(void)state;
	sim_acpi_set_ports(PM1A, 2, BUTTON);
	sim_acpi_set_ports(GPE0, 1, MEMORY);
	assert_int_equal(start(), 0);
	assert_false(sim_acpi_interrupt());
	assert_int_equal(buttons + memories, 0);
}

static void the_second_block_counts_too(void **state)
{
	(void)state;
	put(60, 4, PM1B);
	assert_int_equal(start(), 0);
	assert_int_equal(sim_acpi_get_ports(PM1B + 2, 2), BUTTON);
	sim_acpi_set_ports(PM1B, 2, BUTTON);
	assert_true(sim_acpi_interrupt());
	assert_int_equal(buttons, 1);
	assert_int_equal(sim_acpi_get_ports(PM1B, 2), 0);
}

static void events_of_the_second_gpe_block_are_silenced(void **state)
{
	(void)state;
	put(84, 4, GPE1);
	put(93, 1, 8);
	sim_acpi_set_ports(GPE1 + 4, 4, 0xffffffff);
	assert_int_equal(start(), 0);
	assert_int_equal(sim_acpi_get_ports(GPE1 + 4, 4), 0);
	sim_acpi_set_ports(GPE1, 1, MEMORY);
	assert_false(sim_acpi_interrupt());
}

static void the_firmware_hands_the_registers_over_first(void **state)
{
	(void)state;
	put(48, 4, SMI);
	put(52, 1, 0xf1);
	sim_acpi_set_port(PM1_CONTROL, 0);
	sim_acpi_set_smi(SMI, 0xf1);
	assert_int_equal(start(), 0);
	assert_int_equal(sim_acpi_writes[0].address, SMI);
	assert_int_equal(sim_acpi_writes[0].value, 0xf1);
	/* The field before says as much as it said. */
	assert_int_equal(sim_acpi_gsi, SCI);
}

static void registers_that_are_not_there_are_no_button(void **state)
{
	(void)state;
	put(56, 4, 0);
	assert_int_equal(start(), -ENODEV);
	setup(NULL);
	put(88, 1, 3);
	assert_int_equal(start(), -ENODEV);
	setup(NULL);
	/* Its enable bits do not stay, as they are all cleared by ones. */
	sim_acpi_clear_by_ones(PM1A + 2, 2);
	assert_int_equal(start(), -ENODEV);
	assert_false(sim_acpi_has_handler());
}

/* Ports that read as ones whatever is written. */
static void an_empty_bus_is_no_button(void **state)
{
	(void)state;
	sim_acpi_empty_bus = true;
	assert_int_equal(start(), -ENODEV);
	assert_false(sim_acpi_has_handler());
}

static void without_general_purpose_events_there_is_the_button(void **state)
{
	(void)state;
	put(92, 1, 0);
	assert_int_equal(start(), 0);
	sim_acpi_set_ports(GPE0, 1, MEMORY);
	assert_false(sim_acpi_interrupt());
	assert_int_equal(memories, 0);
	sim_acpi_set_ports(PM1A, 2, BUTTON);
	assert_true(sim_acpi_interrupt());
	assert_int_equal(buttons, 1);
}

/* A register of each kind; what lies behind them is another's. */
static void the_smallest_block_of_general_purpose_events_will_do(void **state)
{
	(void)state;
	put(80, 4, GPE0 + 1);
	put(92, 1, 2);
	sim_acpi_set_ports(GPE0 + 3, 1, 0x55);
	assert_int_equal(start(), 0);
	assert_int_equal(sim_acpi_get_ports(GPE0 + 2, 2), 0x5500 | MEMORY);
	sim_acpi_set_ports(GPE0 + 1, 1, MEMORY);
	assert_true(sim_acpi_interrupt());
	assert_int_equal(memories, 1);
	/* A single register cannot be both. */
	setup(NULL);
	put(80, 4, GPE0 + 2);
	put(92, 1, 1);
	assert_int_equal(start(), 0);
	sim_acpi_set_ports(GPE0 + 2, 1, MEMORY);
	assert_false(sim_acpi_interrupt());
	assert_int_equal(memories, 0);
}

/* A generic address: a space, its width in bits, the address. */
static void put_extended(size_t offset, uint16_t port)
{
	put(offset, 4, 0x2001);
	put(offset + 4, 8, port);
}

static void extended_fields_count_where_they_are_filled_in(void **state)
{
	(void)state;
	put(60, 4, PM1B);
	put(84, 4, GPE1);
	put(93, 1, 4);
	put_extended(148, PM1A + 0x40);
	put_extended(160, PM1B + 0x40);
	put_extended(220, GPE0 + 0x40);
	put_extended(232, GPE1 + 0x40);
	sim_acpi_set_ports(GPE1 + 2, 2, 0x1234);
	sim_acpi_set_ports(GPE1 + 0x42, 2, 0x1234);
	assert_int_equal(start(), 0);
	assert_int_equal(sim_acpi_get_ports(PM1A + 2, 2), 0);
	assert_int_equal(sim_acpi_get_ports(PM1A + 0x42, 2), BUTTON);
	assert_int_equal(sim_acpi_get_ports(PM1B + 2, 2), 0);
	assert_int_equal(sim_acpi_get_ports(PM1B + 0x42, 2), BUTTON);
	assert_int_equal(sim_acpi_get_ports(GPE0 + 2, 2), 0);
	assert_int_equal(sim_acpi_get_ports(GPE0 + 0x42, 2), MEMORY);
	assert_int_equal(sim_acpi_get_ports(GPE1 + 2, 2), 0x1234);
	assert_int_equal(sim_acpi_get_ports(GPE1 + 0x42, 2), 0);
}

static void events_whose_enable_bits_do_not_stay_are_none(void **state)
{
	(void)state;
	sim_acpi_clear_by_ones(GPE0 + 2, 1);
	assert_int_equal(start(), 0);
	sim_acpi_set_ports(GPE0, 1, MEMORY);
	assert_false(sim_acpi_interrupt());
	assert_int_equal(memories, 0);
}

static void an_interrupt_that_cannot_be_had_is_told(void **state)
{
	(void)state;
	sim_acpi_irq_err = -ENOSPC;
	assert_int_equal(start(), -ENOSPC);
}

static void a_machine_without_acpi_tells_nothing(void **state)
{
	(void)state;
	assert_int_equal(acpi_init(0x12340), -ENOENT);
	assert_int_equal(acpi_notify_start(&ops), -ENODEV);
}

/* ---- The Generic Event Device ---- */

/* As QEMU's microvm has it: _HID, _UID, _CRS with interrupt 9, the region EREG. */
static const uint8_t ged[] = {
	0x5b, 0x82, 0x3c, 'G',	'E',  'D',  '_', 0x08, '_', 'H',  'I',	'D', 0x0d,
	'A',  'C',  'P',  'I',	'0',  '0',  '1', '3',  0,   0x08, '_',	'C', 'R',
	'S',  0x11, 0x0e, 0x0a, 0x0b, 0x89, 6,	 0,    3,   1,	  9,	0,   0,
	0,    0x79, 0,	  0x5b, 0x80, 'E',  'R', 'E',  'G', 0,	  0x0c, 0,   0,
	0xa0, 0xfe, 0x0a, 4,	0x5b, 0x81, 6,	 'E',  'R', 'E',  'G',	3,
};

#define GED_GSI 36 /* offsets in it */
#define GED_ADDRESS 50
#define GED_LENGTH 55

/*
 * As cloud-hypervisor has it: the register, in a region of 1 byte near the end of 46 bits, is
 * another device's than the interrupt, 5.
 */
static const uint8_t cloud_ged[] = {
	0x5b, 0x82, 'K',  8,	0x2e, '_',  'S',  'B',	'_',  'G',  'E',  'C', '_',  8,	   '_',
	'H',  'I',  'D',  0x0c, 'A',  0xd0, 0x0a, 6,	8,    '_',  'U',  'I', 'D',  0x0d, 'G',
	'e',  'n',  'e',  'r',	'i',  'c',  0x20, 'E',	'v',  'e',  'n',  't', 0x20, 'C',  'o',
	'n',  't',  'r',  'o',	'l',  'l',  'e',  'r',	0,    8,    '_',  'C', 'R',  'S',  0x11,
	'3',  0x0a, '0',  0x8a, 0x2b, 0,    0,	  0x0c, 1,    0,    0,	  0,   0,    0,	   0,
	0,    0,    0,	  0,	0xef, 0xff, 0xff, 0x3f, 0,    0,    0,	  0,   0xef, 0xff, 0xff,
	0x3f, 0,    0,	  0,	0,    0,    0,	  0,	0,    0,    0,	  1,   0,    0,	   0,
	0,    0,    0,	  0,	'y',  0,    0x5b, 0x80, 'G',  'D',  'S',  'T', 0,    0x0e, 0,
	0,    0xef, 0xff, 0xff, 0x3f, 0,    0,	  1,	0x5b, 0x81, 0x0b, 'G', 'D',  'S',  'T',
	'A',  'G',  'D',  'A',	'T',  8,    0x5b, 0x82, '3',  0x2e, '_',  'S', 'B',  '_',  'G',
	'E',  'D',  '_',  8,	'_',  'H',  'I',  'D',	0x0d, 'A',  'C',  'P', 'I',  '0',  '0',
	'1',  '3',  0,	  8,	'_',  'U',  'I',  'D',	0,    8,    '_',  'C', 'R',  'S',  0x11,
	0x0e, 0x0a, 0x0b, 0x89, 6,    0,    3,	  1,	5,    0,    0,	  0,   'y',  0,
};

#define CLOUD_GED UINT64_C(0x3fffffef0000)
#define CLOUD_GED_LENGTH 127

static void make_reduced(void)
{
	setup(NULL);
	put(112, 4, 1u << 20);
}

static void the_event_device_tells_what_its_bits_say(void **state)
{
	(void)state;
	make_reduced();
	assert_int_equal(start_with(ged, sizeof(ged)), 0);
	assert_int_equal(sim_acpi_gsi, 9);
	assert_false(sim_acpi_level);
	sim_acpi_set_memory(GED, 2);
	assert_true(sim_acpi_interrupt());
	assert_int_equal(buttons, 1);
	assert_int_equal(memories, 0);
	sim_acpi_set_memory(GED, 1);
	assert_true(sim_acpi_interrupt());
	assert_int_equal(memories, 1);
	assert_int_equal(buttons, 1);
	assert_false(sim_acpi_interrupt());
	/* The fixed hardware is not touched: there is none. */
	assert_int_equal(sim_acpi_write_count, 0);
}

/* They are the last field of the table's first version. */
static void flags_count_if_they_are_whole(void **state)
{
	(void)state;
	make_reduced();
	fadt_size = 116;
	assert_int_equal(start_with(ged, sizeof(ged)), 0);
	assert_int_equal(sim_acpi_gsi, 9);
	make_reduced();
	fadt_size = 115;
	assert_int_equal(start_with(ged, sizeof(ged)), 0);
	assert_int_equal(sim_acpi_gsi, SCI);
}

static void old_events_of_the_event_device_are_dropped(void **state)
{
	(void)state;
	make_reduced();
	sim_acpi_set_memory(GED, 3);
	assert_int_equal(start_with(ged, sizeof(ged)), 0);
	assert_false(sim_acpi_interrupt());
	assert_int_equal(buttons + memories, 0);
}

static void an_event_device_of_another_kind_is_left_alone(void **state)
{
	uint8_t other[sizeof(ged)];

	(void)state;
	/* One byte wide: its bits are another hypervisor's. */
	make_reduced();
	memcpy(other, ged, sizeof(ged));
	other[GED_LENGTH - 1] = 1;
	assert_int_equal(start_with(other, sizeof(other)), -ENODEV);
	/* A register that nobody answers for. */
	make_reduced();
	sim_acpi_set_memory(GED, UINT32_MAX);
	assert_int_equal(start_with(ged, sizeof(ged)), -ENODEV);
	/* No interrupt. */
	make_reduced();
	memcpy(other, ged, sizeof(ged));
	other[GED_GSI - 1] = 0;
	assert_int_equal(start_with(other, sizeof(other)), -ENODEV);
	make_reduced();
	assert_int_equal(start(), -ENODEV);
	assert_false(sim_acpi_has_handler());
}

/* Its bits: processors 1, memory 2 (by registers that are not QEMU's), PCI 4, the button 8. */
static void the_event_device_of_cloud_hypervisor_tells_of_the_button(void **state)
{
	(void)state;
	make_reduced();
	assert_int_equal(start_with(cloud_ged, sizeof(cloud_ged)), 0);
	assert_int_equal(sim_acpi_gsi, 5);
	assert_false(sim_acpi_level);
	sim_acpi_set_memory(CLOUD_GED, 8);
	assert_true(sim_acpi_interrupt());
	assert_int_equal(buttons, 1);
	assert_false(sim_acpi_interrupt());
	sim_acpi_set_memory(CLOUD_GED, 1 | 2 | 4);
	assert_true(sim_acpi_interrupt());
	assert_int_equal(buttons, 1);
	assert_int_equal(memories, 0);
}

static void old_events_of_cloud_hypervisor_are_dropped(void **state)
{
	(void)state;
	make_reduced();
	sim_acpi_set_memory(CLOUD_GED, 8);
	assert_int_equal(start_with(cloud_ged, sizeof(cloud_ged)), 0);
	assert_false(sim_acpi_interrupt());
	assert_int_equal(buttons, 0);
}

static void a_register_of_cloud_hypervisors_name_is_checked(void **state)
{
	uint8_t other[sizeof(cloud_ged)];

	(void)state;
	/* Nobody answers. */
	make_reduced();
	sim_acpi_set_memory(CLOUD_GED, UINT8_MAX);
	assert_int_equal(start_with(cloud_ged, sizeof(cloud_ged)), -ENODEV);
	/* No bytes. */
	make_reduced();
	memcpy(other, cloud_ged, sizeof(other));
	other[CLOUD_GED_LENGTH] = 0;
	assert_int_equal(start_with(other, sizeof(other)), -ENODEV);
	assert_false(sim_acpi_has_handler());
}

static void an_event_device_that_never_ends_does_not_hold_the_machine(void **state)
{
	(void)state;
	make_reduced();
	assert_int_equal(start_with(ged, sizeof(ged)), 0);
	sim_acpi_set_memory(GED, UINT32_MAX);
	assert_true(sim_acpi_interrupt());
	assert_int_equal(buttons, 16);
	assert_int_equal(memories, 16);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_register_is_written_once),
		TEST(a_press_is_told_once_and_its_bit_cleared),
		TEST(memory_is_told_by_its_general_purpose_event),
		TEST(two_events_in_one_interrupt_are_both_told),
		TEST(what_was_told_to_an_earlier_guest_is_dropped),
		TEST(the_second_block_counts_too),
		TEST(events_of_the_second_gpe_block_are_silenced),
		TEST(the_firmware_hands_the_registers_over_first),
		TEST(registers_that_are_not_there_are_no_button),
		TEST(an_empty_bus_is_no_button),
		TEST(without_general_purpose_events_there_is_the_button),
		TEST(the_smallest_block_of_general_purpose_events_will_do),
		TEST(extended_fields_count_where_they_are_filled_in),
		TEST(events_whose_enable_bits_do_not_stay_are_none),
		TEST(an_interrupt_that_cannot_be_had_is_told),
		TEST(a_machine_without_acpi_tells_nothing),
		TEST(the_event_device_tells_what_its_bits_say),
		TEST(flags_count_if_they_are_whole),
		TEST(old_events_of_the_event_device_are_dropped),
		TEST(an_event_device_of_another_kind_is_left_alone),
		TEST(the_event_device_of_cloud_hypervisor_tells_of_the_button),
		TEST(old_events_of_cloud_hypervisor_are_dropped),
		TEST(a_register_of_cloud_hypervisors_name_is_checked),
		TEST(an_event_device_that_never_ends_does_not_hold_the_machine),
	};

	return cmocka_run_group_tests_name("acpi_notify", tests, NULL, NULL);
}
