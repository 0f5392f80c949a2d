/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices out of the bytes of a DSDT, and I/O APICs out of the MADT. */
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
#define SSDT 0x7ffe8000
#define MADT 0x7fff0000

#define ID "LNRO0005"

/* Device (VR23), as QEMU's microvm has it. */
static const uint8_t device[] = {
	0x5b, 0x82, 0x42, 0x04, 'V', 'R', '2',	'3', 0x08, '_',	 'H',  'I', 'D', 0x0d,
	'L',  'N',  'R',  'O',	'0', '0', '0',	'5', 0,	   0x08, '_',  'U', 'I', 'D',
	0x0a, 0x17, 0x08, '_',	'C', 'C', 'A',	1,   0x08, '_',	 'C',  'R', 'S', 0x11,
	0x1a, 0x0a, 0x17, 0x86, 9,   0,	  1,	0,   0x2e, 0xb0, 0xfe, 0,   2,	 0,
	0,    0x89, 6,	  0,	1,   1,	  0x2f, 0,   0,	   0,	 0x79, 0,
};

#define DEVICE_LENGTH 2 /* offsets in it */
#define DEVICE_HID 8
#define DEVICE_CRS_BUFFER 41
#define DEVICE_CRS_SIZE 44
#define DEVICE_RESOURCES 45
#define DEVICE_FLAGS 60
#define DEVICE_GSI_COUNT 61
#define DEVICE_GSI 62

static int setup(void **state)
{
	(void)state;
	sim_acpi_reset();
	sim_log_reset();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	sim_acpi_reset();
	return 0;
}

/* A machine with these bytes of AML in its DSDT, and perhaps in an SSDT. */
static void start(const void *aml, size_t size, const void *more, size_t more_size)
{
	static const uint32_t tables[] = { FADT, MADT, SSDT };
	uint8_t fadt[240] = { 0 };
	uint32_t dsdt = DSDT;

	setup(NULL);
	memcpy(fadt + 4, &dsdt, sizeof(dsdt));
	sim_acpi_add_rsdp(RSDP, 0, ROOT, 0);
	sim_acpi_add_rsdt(ROOT, tables, 3);
	sim_acpi_add_table(FADT, "FACP", fadt, sizeof(fadt));
	sim_acpi_add_table(DSDT, "DSDT", aml, size);
	sim_acpi_add_table(SSDT, "SSDT", more, more_size);
	sim_acpi_add_table(MADT, "APIC", "", 0);
	assert_int_equal(acpi_init(RSDP), 0);
}

static void finds_the_memory_and_interrupt_of_a_device(void **state)
{
	struct acpi_device found;

	(void)state;
	start(device, sizeof(device), "", 0);
	assert_int_equal(acpi_find_device(ID, 0, &found), 0);
	assert_true(found.base == 0xfeb02e00);
	assert_true(found.size == 512);
	assert_true(found.has_interrupt);
	assert_int_equal(found.gsi, 47);
	assert_true(found.level);
	assert_int_equal(acpi_find_device(ID, 1, &found), -ENOENT);
	assert_int_equal(acpi_find_device("LNRO0006", 0, &found), -ENOENT);
	assert_int_equal(acpi_find_device("LNRO000", 0, &found), -ENOENT);
}

/* Each device is inside the one before; the last of them is real. */
static size_t make_nest(uint8_t *aml, size_t depth)
{
	size_t size = depth * 6 + sizeof(device), at = 0;

	for (size_t i = 0; i < depth; i++, at += 6) {
		size_t length = size - at - 2;

		aml[at] = 0x5b;
		aml[at + 1] = 0x82;
		aml[at + 2] = (uint8_t)(0xc0 | (length & 0xf));
		aml[at + 3] = (uint8_t)(length >> 4);
		aml[at + 4] = (uint8_t)(length >> 12);
		aml[at + 5] = (uint8_t)(length >> 20);
	}
	memcpy(aml + at, device, sizeof(device));
	return size;
}

/* Each is read for itself: the more are around others, the longer that takes. */
static void a_search_of_devices_inside_each_other_ends(void **state)
{
	static uint8_t aml[6 * 10000 + sizeof(device)];
	struct acpi_device found;

	(void)state;
	start(aml, make_nest(aml, 100), "", 0);
	assert_int_equal(acpi_find_device(ID, 100, &found), 0);
	/* 10,000 packages of 30,000 bytes are more than one search reads; of all tables. */
	start(aml, make_nest(aml, 10000), device, sizeof(device));
	assert_int_equal(acpi_find_device(ID, 0, &found), 0);
	assert_int_equal(acpi_find_device(ID, 10000, &found), -ENOENT);
	assert_int_equal(acpi_find_device(ID, 10001, &found), -ENOENT);
}

/* A table without the id takes nothing of the search, whatever else it has. */
static void a_table_without_the_id_is_passed_over(void **state)
{
	static uint8_t aml[6 * 10000 + sizeof(device)];
	size_t size = make_nest(aml, 10000);
	struct acpi_device found;

	(void)state;
	/* A longer id, which begins as the wanted one. */
	memcpy(aml + size - sizeof(device) + DEVICE_HID + 6 + strlen(ID), "7", 1);
	start(aml, size, device, sizeof(device));
	assert_int_equal(acpi_find_device(ID, 0, &found), 0);
	assert_int_equal(found.gsi, 47);
}

static void finds_all_devices_of_all_tables_in_order(void **state)
{
	uint8_t two[2 * sizeof(device)], one[sizeof(device)];
	struct acpi_device found;

	(void)state;
	memcpy(two, device, sizeof(device));
	memcpy(two + sizeof(device), device, sizeof(device));
	memcpy(one, device, sizeof(device));
	two[sizeof(device) + DEVICE_GSI] = 46;
	two[sizeof(device) + DEVICE_FLAGS] = 3;
	one[DEVICE_GSI] = 45;
	start(two, sizeof(two), one, sizeof(one));
	for (unsigned n = 0; n < 3; n++) {
		assert_int_equal(acpi_find_device(ID, n, &found), 0);
		assert_int_equal(found.gsi, 47 - n);
		assert_int_equal(found.level, n != 1);
	}
	assert_int_equal(acpi_find_device(ID, 3, &found), -ENOENT);
}

/* 20.2.4: with a length of one byte more, as long packages have, or of two. */
static void a_long_device_is_found(void **state)
{
	static uint8_t bytes[sizeof(device) + 5002];
	struct acpi_device found;

	(void)state;
	for (unsigned more = 1; more <= 2; more++) {
		size_t length = sizeof(bytes) - 2;

		memset(bytes, 0, sizeof(bytes));
		memcpy(bytes, device, DEVICE_LENGTH);
		bytes[2] = (uint8_t)((1 + more) << 6 | (length & 15));
		bytes[3] = (uint8_t)(length >> 4);
		bytes[4] = (uint8_t)(length >> 12);
		memcpy(bytes + 4 + more, device + 4, sizeof(device) - 4);
		start(bytes, sizeof(bytes), "", 0);
		assert_int_equal(acpi_find_device(ID, 0, &found), 0);
		assert_int_equal(found.gsi, 47);
		/* One byte more than there is. */
		bytes[2]++;
		start(bytes, sizeof(bytes), "", 0);
		assert_int_equal(acpi_find_device(ID, 0, &found), -ENOENT);
	}
}

/* 6.4.3: the length of a large descriptor has 16 bits, and what follows it is read. */
static void a_long_descriptor_is_stepped_over(void **state)
{
	static uint8_t bytes[1200];
	const uint8_t *resources = device + DEVICE_RESOURCES;
	size_t left = sizeof(device) - DEVICE_RESOURCES;
	struct acpi_device found;

	(void)state;
	for (size_t longer = 0x1fd; longer <= 0x203; longer++) {
		size_t buffer = 3 + 3 + 3 + longer + left, all, at = 5;

		memset(bytes, 0, sizeof(bytes));
		memcpy(bytes, device, DEVICE_LENGTH);
		memcpy(bytes + at, device + 4, DEVICE_CRS_BUFFER - 3);
		at += DEVICE_CRS_BUFFER - 3;
		/* The package that is the buffer, its size as a word, and the resources. */
		bytes[at++] = (uint8_t)(0x80 | (buffer & 15));
		bytes[at++] = (uint8_t)(buffer >> 4);
		bytes[at++] = (uint8_t)(buffer >> 12);
		bytes[at++] = 0x0b;
		bytes[at++] = (uint8_t)(3 + longer + left);
		bytes[at++] = (uint8_t)((3 + longer + left) >> 8);
		bytes[at++] = 0x84;
		bytes[at++] = (uint8_t)longer;
		bytes[at++] = (uint8_t)(longer >> 8);
		/* Whoever looks into it finds the end. */
		memset(bytes + at, 0x79, longer);
		at += longer;
		memcpy(bytes + at, resources, left);
		at += left;
		all = at - 2;
		bytes[2] = (uint8_t)(0x80 | (all & 15));
		bytes[3] = (uint8_t)(all >> 4);
		bytes[4] = (uint8_t)(all >> 12);
		start(bytes, at, "", 0);
		assert_int_equal(acpi_find_device(ID, 0, &found), 0);
		assert_true(found.base == 0xfeb02e00);
		assert_true(found.size == 512);
		assert_int_equal(found.gsi, 47);
	}
}

/* An id, or resources, that are nobody's name are no device's. */
static void what_has_no_name_is_not_found(void **state)
{
	uint8_t bytes[sizeof(device)] = { 0x5b, 0x82, 0x2f, 0x0d };
	struct acpi_device found;

	(void)state;
	memcpy(bytes + 4, ID, sizeof(ID));
	memcpy(bytes + 4 + sizeof(ID), device + DEVICE_CRS_BUFFER - 5,
	       sizeof(device) - DEVICE_CRS_BUFFER + 5);
	start(bytes, sizeof(bytes), "", 0);
	assert_int_equal(acpi_find_device(ID, 0, &found), -ENOENT);
	/* As the machine has it, but its id is no string; it is that of a PNP device. */
	memcpy(bytes, device, sizeof(device));
	bytes[DEVICE_HID + 5] = 0x0c;
	start(bytes, sizeof(bytes), "", 0);
	assert_int_equal(acpi_find_device(ID, 0, &found), -ENOENT);
	/* Or the name of its resources is another. */
	memcpy(bytes, device, sizeof(device));
	bytes[DEVICE_CRS_BUFFER - 1] = 'T';
	start(bytes, sizeof(bytes), "", 0);
	assert_int_equal(acpi_find_device(ID, 0, &found), -ENOENT);
}

/* The sanitizer watches the end of each table. */
static void cut_devices_are_never_read_beyond_their_end(void **state)
{
	struct acpi_device found;

	(void)state;
	for (size_t size = 0; size < sizeof(device); size++) {
		start(device, size, "", 0);
		assert_int_equal(acpi_find_device(ID, 0, &found), -ENOENT);
	}
}

/* The package that begins at byte 2 ends earlier or later than it should. */
static void a_device_ends_where_its_package_ends(void **state)
{
	uint8_t aml[sizeof(device)];
	struct acpi_device found;

	(void)state;
	memcpy(aml, device, sizeof(device));
	for (unsigned length = 0; length < sizeof(device) - 2; length++) {
		aml[DEVICE_LENGTH] = (uint8_t)(0x40 | (length & 0xf));
		aml[DEVICE_LENGTH + 1] = (uint8_t)(length >> 4);
		start(aml, sizeof(aml), "", 0);
		assert_int_equal(acpi_find_device(ID, 0, &found), -ENOENT);
	}
	aml[DEVICE_LENGTH + 1] = 0xff;
	start(aml, sizeof(aml), "", 0);
	assert_int_equal(acpi_find_device(ID, 0, &found), -ENOENT);
}

/* Whatever one byte is: nothing is read beyond an end, and nothing loops. */
static void any_wrong_byte_is_survived(void **state)
{
	uint8_t aml[sizeof(device)];
	struct acpi_device found;

	(void)state;
	for (size_t at = 0; at < sizeof(device); at++) {
		for (unsigned value = 0; value < 256; value++) {
			memcpy(aml, device, sizeof(device));
			aml[at] = (uint8_t)value;
			start(aml, sizeof(aml), "", 0);
			if (acpi_find_device(ID, 0, &found) == 0)
				assert_int_equal(acpi_find_device(ID, 1, &found), -ENOENT);
		}
	}
}

static void a_resource_that_is_cut_is_not_taken(void **state)
{
	uint8_t aml[sizeof(device)];
	struct acpi_device found;

	(void)state;
	memcpy(aml, device, sizeof(device));
	/* The buffer ends within the interrupt. */
	aml[DEVICE_CRS_SIZE] = 12 + 6;
	start(aml, sizeof(aml), "", 0);
	assert_int_equal(acpi_find_device(ID, 0, &found), 0);
	assert_true(found.size == 512);
	assert_false(found.has_interrupt);
	/* An interrupt descriptor that ends within its number. */
	memcpy(aml, device, sizeof(device));
	aml[DEVICE_FLAGS - 2] = 5;
	start(aml, sizeof(aml), "", 0);
	assert_int_equal(acpi_find_device(ID, 0, &found), 0);
	assert_false(found.has_interrupt);
	/* One without a number in it. */
	memcpy(aml, device, sizeof(device));
	aml[DEVICE_GSI_COUNT] = 0;
	start(aml, sizeof(aml), "", 0);
	assert_int_equal(acpi_find_device(ID, 0, &found), 0);
	assert_false(found.has_interrupt);
	/* A memory range too short to have a length. */
	memcpy(aml, device, sizeof(device));
	aml[DEVICE_RESOURCES + 1] = 5;
	start(aml, sizeof(aml), "", 0);
	assert_int_equal(acpi_find_device(ID, 0, &found), 0);
	assert_true(found.size == 0);
	aml[DEVICE_RESOURCES + 1] = 8;
	start(aml, sizeof(aml), "", 0);
	assert_int_equal(acpi_find_device(ID, 0, &found), 0);
	assert_true(found.size == 0);
}

/* From the lowest to the highest, and none of what follows. */
static void all_bits_of_a_resource_count(void **state)
{
	static const uint8_t resources[] = { 0x78, 0x56, 0x34, 0x92, 0x03, 0x02, 0x00, 0xa1,
					     0x89, 10,	 0,    1,    2,	   0x67, 0x45, 0x23,
					     0x81, 9,	 9,    9,    9,	   0x79, 0 };
	uint8_t aml[sizeof(device) + 4];
	struct acpi_device found;

	(void)state;
	/* An interrupt descriptor with two numbers is four bytes longer. */
	memcpy(aml, device, sizeof(device));
	memcpy(aml + DEVICE_RESOURCES + 4, resources, sizeof(resources));
	aml[DEVICE_LENGTH] += 4;
	aml[DEVICE_CRS_BUFFER + 1] += 4;
	aml[DEVICE_CRS_SIZE] += 4;
	start(aml, sizeof(aml), "", 0);
	assert_int_equal(acpi_find_device(ID, 0, &found), 0);
	assert_true(found.base == 0x92345678);
	assert_true(found.size == 0xa1000203);
	assert_int_equal(found.gsi, 0x81234567);
}

/* The order of names is free, and the id may be the last thing that there is. */
static void an_id_may_end_its_device(void **state)
{
	const size_t size = 6 + sizeof(ID); /* of its name and value */
	uint8_t aml[sizeof(device)];
	struct acpi_device found;

	(void)state;
	memcpy(aml, device, DEVICE_HID);
	memcpy(aml + DEVICE_HID, device + DEVICE_HID + size, sizeof(device) - DEVICE_HID - size);
	memcpy(aml + sizeof(device) - size, device + DEVICE_HID, size);
	start(aml, sizeof(aml), "", 0);
	assert_int_equal(acpi_find_device(ID, 0, &found), 0);
	assert_int_equal(found.gsi, 47);
}

/* What stands after the end is no resource, whatever it looks like. */
static void resources_end_with_their_end(void **state)
{
	uint8_t aml[sizeof(device)];
	struct acpi_device found;

	(void)state;
	memcpy(aml, device, sizeof(device));
	/* In the place of the memory range, twelve bytes: an end, and things without a meaning. */
	memset(aml + DEVICE_RESOURCES, 0, 12);
	/* With a checksum, as it should be, or with any number of bytes. */
	for (uint8_t end = 0x78; end <= 0x7f; end++) {
		aml[DEVICE_RESOURCES] = end;
		start(aml, sizeof(aml), "", 0);
		assert_int_equal(acpi_find_device(ID, 0, &found), 0);
		assert_true(found.size == 0);
		assert_false(found.has_interrupt);
	}
	/* They may also end with their buffer, without any mark. */
	memcpy(aml, device, sizeof(device));
	aml[DEVICE_CRS_SIZE] = 12 + 9;
	start(aml, sizeof(aml), "", 0);
	assert_int_equal(acpi_find_device(ID, 0, &found), 0);
	assert_true(found.has_interrupt);
}

/* 6.4.2: its length is in the lowest three bits of its tag. */
static void a_small_descriptor_is_stepped_over(void **state)
{
	static const uint8_t small[] = { 0x23, 0x79, 0x79, 0x79 };
	uint8_t aml[sizeof(device) + sizeof(small)];
	struct acpi_device found;

	(void)state;
	memcpy(aml, device, DEVICE_RESOURCES);
	memcpy(aml + DEVICE_RESOURCES, small, sizeof(small));
	memcpy(aml + DEVICE_RESOURCES + sizeof(small), device + DEVICE_RESOURCES,
	       sizeof(device) - DEVICE_RESOURCES);
	aml[DEVICE_LENGTH] += sizeof(small);
	aml[DEVICE_CRS_BUFFER + 1] += sizeof(small);
	aml[DEVICE_CRS_SIZE] += sizeof(small);
	start(aml, sizeof(aml), "", 0);
	assert_int_equal(acpi_find_device(ID, 0, &found), 0);
	assert_true(found.size == 512);
	assert_int_equal(found.gsi, 47);
}

/* A processor, or a power resource, may have the same names in it. */
static void other_things_are_no_devices(void **state)
{
	uint8_t aml[sizeof(device)];
	struct acpi_device found;

	(void)state;
	memcpy(aml, device, sizeof(device));
	aml[1] = 0x83;
	start(aml, sizeof(aml), "", 0);
	assert_int_equal(acpi_find_device(ID, 0, &found), -ENOENT);
	aml[0] = 0x5c;
	aml[1] = 0x82;
	start(aml, sizeof(aml), "", 0);
	assert_int_equal(acpi_find_device(ID, 0, &found), -ENOENT);
}

/* Its package ends with the table, and both in the middle of the string. */
static void an_id_that_is_cut_is_not_read_beyond_its_end(void **state)
{
	static const uint8_t aml[] = { 0x5b, 0x82, 17,	 'V', 'R', '2', '3', 0x08, '_', 'H',
				       'I',  'D',  0x0d, 'L', 'N', 'R', 'O', '0',  '0' };
	struct acpi_device found;

	(void)state;
	start(aml, sizeof(aml), "", 0);
	assert_int_equal(acpi_find_device(ID, 0, &found), -ENOENT);
}

static void a_crs_that_is_no_buffer_is_not_taken(void **state)
{
	uint8_t aml[sizeof(device)];
	struct acpi_device found;

	(void)state;
	memcpy(aml, device, sizeof(device));
	aml[DEVICE_CRS_BUFFER] = 0x12;
	start(aml, sizeof(aml), "", 0);
	assert_int_equal(acpi_find_device(ID, 0, &found), -ENOENT);
}

static void a_method_for_crs_is_not_run(void **state)
{
	uint8_t aml[sizeof(device)];
	struct acpi_device found;

	(void)state;
	memcpy(aml, device, sizeof(device));
	aml[DEVICE_CRS_BUFFER - 5] = 0x14;
	start(aml, sizeof(aml), "", 0);
	assert_int_equal(acpi_find_device(ID, 0, &found), -ENOENT);
}

/* 6.4.2.5; the first one counts. */
static void the_ports_of_a_device_are_found(void **state)
{
	static const uint8_t resources[] = { 0x47, 1,	 0xf8, 0x13, 0xf9, 0x13, 1, 8,	  0x47,
					     1,	   0x34, 2,    0x34, 2,	   1,	 8, 0x79, 0 };
	uint8_t aml[sizeof(device)];
	struct acpi_device found;

	(void)state;
	start(device, sizeof(device), "", 0);
	assert_int_equal(acpi_find_device(ID, 0, &found), 0);
	assert_int_equal(found.port, 0);
	memcpy(aml, device, sizeof(device));
	memcpy(aml + DEVICE_RESOURCES, resources, sizeof(resources));
	start(aml, sizeof(aml), "", 0);
	assert_int_equal(acpi_find_device(ID, 0, &found), 0);
	assert_int_equal(found.port, 0x13f8);
	assert_int_equal(found.size, 0);
	assert_false(found.has_interrupt);
}

/* The texts are there, but not as this device's. */
static void an_id_is_compared_whole(void **state)
{
	static const char texts[] = "LNRO000\0LNRO0006";
	uint8_t aml[sizeof(device) + sizeof(texts)];
	struct acpi_device found;

	(void)state;
	memcpy(aml, device, sizeof(device));
	memcpy(aml + sizeof(device), texts, sizeof(texts));
	start(aml, sizeof(aml), "", 0);
	assert_int_equal(acpi_find_device("LNRO000", 0, &found), -ENOENT);
	assert_int_equal(acpi_find_device("LNRO0006", 0, &found), -ENOENT);
	assert_int_equal(acpi_find_device(ID, 0, &found), 0);
}

static void no_tables_are_no_devices(void **state)
{
	struct acpi_device found;
	uint32_t gsi;
	paddr_t at;

	(void)state;
	assert_int_equal(acpi_init(0), -ENOENT);
	assert_int_equal(acpi_find_device(ID, 0, &found), -ENOENT);
	assert_int_equal(acpi_find_ioapic(0, &at, &gsi), -ENOENT);
}

static void start_madt(const void *entries, size_t size)
{
	static const uint32_t tables[] = { MADT };
	uint8_t body[128] = { 0 };

	setup(NULL);
	memcpy(body + 8, entries, size);
	sim_acpi_add_rsdp(RSDP, 0, ROOT, 0);
	sim_acpi_add_rsdt(ROOT, tables, 1);
	sim_acpi_add_table(MADT, "APIC", body, 8 + size);
	assert_int_equal(acpi_init(RSDP), 0);
}

static void finds_io_apics(void **state)
{
	static const uint8_t entries[] = { 0,	 8,    0,    0, 1, 0, 0, 0, 1,	  12, 0, 0, 0,
					   0,	 0xc0, 0xfe, 0, 0, 0, 0, 1, 12,	  1,  0, 0, 0,
					   0xc1, 0xfe, 24,   0, 0, 0, 4, 6, 0xff, 0,  0, 1 };
	uint32_t gsi;
	paddr_t at;

	(void)state;
	start_madt(entries, sizeof(entries));
	assert_int_equal(acpi_find_ioapic(0, &at, &gsi), 0);
	assert_true(at == 0xfec00000 && gsi == 0);
	assert_int_equal(acpi_find_ioapic(1, &at, &gsi), 0);
	assert_true(at == 0xfec10000 && gsi == 24);
	assert_int_equal(acpi_find_ioapic(2, &at, &gsi), -ENOENT);
}

/* After the shortest entry that there can be, the last one, whose input 0 has a large number. */
static void an_io_apic_may_end_the_madt(void **state)
{
	static const uint8_t entries[] = {
		9, 2, 1, 12, 0, 0, 0, 0, 2, 0xfe, 0x78, 0x56, 0x34, 0x12
	};
	uint32_t gsi;
	paddr_t at;

	(void)state;
	start_madt(entries, sizeof(entries));
	assert_int_equal(acpi_find_ioapic(0, &at, &gsi), 0);
	assert_int_equal(at, 0xfe020000);
	assert_int_equal(gsi, 0x12345678);
}

static void bad_entries_end_the_madt(void **state)
{
	/* Lengths of 0 and 1 would go on for ever, 200 is beyond the end, 11 too short. */
	static const uint8_t lengths[] = { 0, 1, 200, 11, 13 };
	static const uint8_t too_short[] = { 1, 1, 12, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0, 0 };
	uint8_t entry[12] = { 1, 12, 0, 0, 0, 0, 0xc0, 0xfe };
	uint32_t gsi;
	paddr_t at;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		entry[1] = lengths[i];
		start_madt(entry, sizeof(entry));
		assert_int_equal(acpi_find_ioapic(0, &at, &gsi), -ENOENT);
	}
	start_madt(too_short, sizeof(too_short));
	assert_int_equal(acpi_find_ioapic(0, &at, &gsi), -ENOENT);
	for (size_t size = 0; size < sizeof(entry); size++) {
		entry[1] = 12;
		start_madt(entry, size);
		assert_int_equal(acpi_find_ioapic(0, &at, &gsi), -ENOENT);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(finds_the_memory_and_interrupt_of_a_device),
		CASE(finds_all_devices_of_all_tables_in_order),
		CASE(a_search_of_devices_inside_each_other_ends),
		CASE(a_table_without_the_id_is_passed_over),
		CASE(a_long_device_is_found),
		CASE(a_long_descriptor_is_stepped_over),
		CASE(what_has_no_name_is_not_found),
		CASE(cut_devices_are_never_read_beyond_their_end),
		CASE(a_device_ends_where_its_package_ends),
		CASE(any_wrong_byte_is_survived),
		CASE(a_resource_that_is_cut_is_not_taken),
		CASE(all_bits_of_a_resource_count),
		CASE(an_id_may_end_its_device),
		CASE(resources_end_with_their_end),
		CASE(a_small_descriptor_is_stepped_over),
		CASE(other_things_are_no_devices),
		CASE(an_id_that_is_cut_is_not_read_beyond_its_end),
		CASE(a_crs_that_is_no_buffer_is_not_taken),
		CASE(a_method_for_crs_is_not_run),
		CASE(the_ports_of_a_device_are_found),
		CASE(an_id_is_compared_whole),
		CASE(no_tables_are_no_devices),
		CASE(finds_io_apics),
		CASE(an_io_apic_may_end_the_madt),
		CASE(bad_entries_end_the_madt),
	};

	return cmocka_run_group_tests_name("acpi_device", tests, NULL, NULL);
}
