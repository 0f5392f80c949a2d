/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices that ACPI describes (ACPI 6.4, 19.6.30, 6.1.5, 6.2.2, 6.4), read out
 * of the bytes of DSDT and SSDTs without running any AML. That finds a device
 * if its _HID is a string and its _CRS a buffer of constants, as hypervisors
 * write them; methods, _STA, and devices of a table that was loaded at run time
 * are not seen. Bytes inside something else that look like a device are taken
 * for one; see acpi_find_device().
 */
#include <errno.h>

#include "drivers/acpi/acpi_internal.h"

/* Resource descriptors (6.4.2, 6.4.3): a small one has its length in its tag. */
#define RESOURCE_LARGE 0x80
#define RESOURCE_SMALL_LENGTH 0x07
#define RESOURCE_PORTS 0x47 /* 6.4.2.5: after one byte, the lowest base; 7 bytes */
#define RESOURCE_END 0x79
#define RESOURCE_END_MASK 0xf8
#define RESOURCE_MEMORY32_FIXED 0x86 /* 6.4.3.4: after one byte, base and length */
#define MEMORY32_SIZE 9
#define RESOURCE_INTERRUPT 0x89 /* 6.4.3.6: flags, count, and so many numbers */
#define INTERRUPT_SIZE 6
#define INTERRUPT_EDGE 0x02

static bool has_hid(struct aml aml, const char *hid)
{
	size_t size = strlen(hid) + 1;
	uint8_t byte;

	if (!aml_find_name(&aml, "_HID") || !aml_read_byte(&aml, &byte) || byte != AML_STRING)
		return false;
	return (size_t)(aml.end - aml.at) >= size && memcmp(aml.at, hid, size) == 0;
}

/* `at` has `size` bytes. */
static void take_resource(uint8_t tag, const uint8_t *at, size_t size, struct acpi_device *device)
{
	if (tag == RESOURCE_MEMORY32_FIXED && size >= MEMORY32_SIZE && device->size == 0) {
		device->base = acpi_read_number(at + 1, 4);
		device->size = acpi_read_number(at + 5, 4);
	}
	if (tag == RESOURCE_PORTS && device->port == 0)
		device->port = (uint16_t)acpi_read_number(at + 1, 2);
	if (tag == RESOURCE_INTERRUPT && size >= INTERRUPT_SIZE && at[1] > 0 &&
	    !device->has_interrupt) {
		device->has_interrupt = true;
		device->level = !(at[0] & INTERRUPT_EDGE);
		device->gsi = (uint32_t)acpi_read_number(at + 2, 4);
	}
}

static void read_resources(struct aml aml, struct acpi_device *device)
{
	size_t size;
	uint8_t tag;

	while (aml_read_byte(&aml, &tag)) {
		if ((tag & RESOURCE_END_MASK) == (RESOURCE_END & RESOURCE_END_MASK))
			return;
		size = tag & RESOURCE_SMALL_LENGTH;
		if (tag & RESOURCE_LARGE) {
			if (aml.end - aml.at < 2)
				return;
			size = acpi_read_number(aml.at, 2);
			aml.at += 2;
		}
		if (size > (size_t)(aml.end - aml.at))
			return;
		take_resource(tag, aml.at, size, device);
		aml.at += size;
	}
}

/* Name (_CRS, Buffer (size) { ... }) */
static bool read_crs(struct aml aml, struct acpi_device *device)
{
	uint64_t size;
	uint8_t byte;

	memset(device, 0, sizeof(*device));
	if (!aml_find_name(&aml, "_CRS") || !aml_read_byte(&aml, &byte) || byte != AML_BUFFER ||
	    !aml_enter_package(&aml) || !aml_read_integer(&aml, &size))
		return false;
	if (size < (size_t)(aml.end - aml.at))
		aml.end = aml.at + size;
	read_resources(aml, device);
	return true;
}

/* What goes on from table to table. */
struct search {
	size_t n; /* matches to pass over */
	uint64_t left;
};

/* True at the match that is searched for. */
static bool find_in_table(const struct acpi_header *table, const char *hid, struct search *search,
			  struct acpi_device *device)
{
	struct aml aml = aml_open(table), any = aml, inside;

	/* Cheaper than looking into every device. */
	if (!aml_find(&any, hid, strlen(hid) + 1))
		return false;
	while (aml_find_device(&aml, &inside, &search->left)) {
		if (has_hid(inside, hid) && read_crs(inside, device) && search->n-- == 0)
			return true;
	}
	return false;
}

int acpi_find_device(const char *hid, size_t n, struct acpi_device *device)
{
	struct search search = { .n = n, .left = AML_SEARCH_MAX };
	const struct acpi_header *table;

	for (size_t i = 0; (table = acpi_find_aml(i)); i++) {
		if (find_in_table(table, hid, &search, device))
			return 0;
	}
	return -ENOENT;
}
