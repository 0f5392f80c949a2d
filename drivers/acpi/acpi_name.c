/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Constants that DSDT and SSDTs name, read out of their bytes without running any AML:
 * integers, operation regions, and the buses of host bridges. A hypervisor writes them
 * as constants; what it computes at run time is not found. Bytes inside something else
 * that look like a name are taken for one.
 */
#include <errno.h>

#include "drivers/acpi/acpi_internal.h"

/* ---- Integers ---- */

int acpi_find_integer(const char *name, uint64_t *value)
{
	const struct acpi_header *table;

	for (size_t n = 0; (table = acpi_find_aml(n)); n++) {
		struct aml aml = aml_open(table);

		while (aml_find_name(&aml, name)) {
			struct aml number = aml;

			if (aml_read_integer(&number, value))
				return 0;
		}
	}
	return -ENOENT;
}

/* ---- Operation regions (19.6.100, 20.2.5.2) ---- */

/* `aml` begins after the name. */
static bool read_region(struct aml aml, struct acpi_region *region)
{
	return aml_read_byte(&aml, &region->space) && aml_read_integer(&aml, &region->base) &&
	       aml_read_integer(&aml, &region->size);
}

static bool find_region_in(struct aml aml, const char *name, struct acpi_region *region)
{
	uint8_t start[2 + AML_NAME_SIZE] = { AML_EXTENDED, AML_EXTENDED_REGION };

	memcpy(start + 2, name, AML_NAME_SIZE);
	while (aml_find(&aml, start, sizeof(start))) {
		if (read_region(aml, region))
			return true;
	}
	return false;
}

int acpi_find_region(const char *name, struct acpi_region *region)
{
	const struct acpi_header *table;

	for (size_t n = 0; (table = acpi_find_aml(n)); n++) {
		if (find_region_in(aml_open(table), name, region))
			return 0;
	}
	return -ENOENT;
}

/* ---- Buses of host bridges (6.5.5, 6.5.6) ---- */

#define BUS_NUMBER "_BBN"

/* Tells whether the device, whose package `aml` is, belongs to another segment than 0. */
static bool is_of_other_segment(struct aml aml)
{
	uint64_t segment;

	return aml_find_name(&aml, "_SEG") && (!aml_read_integer(&aml, &segment) || segment != 0);
}

/* Tells whether the name stands anywhere in `aml`, and in `*constant` whether always so. */
static bool has_bus_numbers(struct aml aml, bool *constant)
{
	const uint8_t *start = aml.at;
	bool found = false;

	while (aml_find(&aml, BUS_NUMBER, AML_NAME_SIZE)) {
		struct aml value = aml;
		uint64_t bus;

		found = true;
		if (!aml_is_name(start, aml.at - AML_NAME_SIZE) || !aml_read_integer(&value, &bus))
			*constant = false;
	}
	return found;
}

static void add_root_buses(struct aml aml, uint64_t *left, uint8_t buses[ACPI_BUSES / 8])
{
	struct aml device;
	uint64_t bus;

	while (aml_find_device(&aml, &device, left)) {
		if (is_of_other_segment(device) || !aml_find_name(&device, BUS_NUMBER) ||
		    !aml_read_integer(&device, &bus) || bus >= ACPI_BUSES)
			continue;
		buses[bus / 8] |= (uint8_t)(1u << bus % 8);
	}
}

int acpi_find_root_buses(uint8_t buses[ACPI_BUSES / 8])
{
	const struct acpi_header *table;
	uint64_t left = AML_SEARCH_MAX;
	bool constant = true;

	memset(buses, 0, ACPI_BUSES / 8);
	for (size_t n = 0; (table = acpi_find_aml(n)); n++) {
		/* Most machines have no such name: a look that takes less than the search. */
		if (has_bus_numbers(aml_open(table), &constant))
			add_root_buses(aml_open(table), &left, buses);
	}
	return acpi_find_aml(0) && constant && left > 0 ? 0 : -ENOENT;
}
