/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of this folder share. */
#ifndef DRIVERS_ACPI_ACPI_INTERNAL_H
#define DRIVERS_ACPI_ACPI_INTERNAL_H

#include <string.h>

#include "drivers/acpi/acpi.h"

/* No table and no register lies behind this. */
#define ACPI_ADDRESS_END (UINT64_C(1) << 46)

/* A little-endian number at any alignment, of 8 bytes at most. */
static inline uint64_t acpi_read_number(const uint8_t *at, size_t bytes)
{
	uint64_t value = 0;

	memcpy(&value, at, bytes);
	return value;
}

/* A field of a table; 0 if the table ends before it does. */
uint64_t acpi_read_field(const struct acpi_header *table, size_t offset, size_t bytes);

bool acpi_has_signature(const struct acpi_header *table, const char *signature);

/* NULL, and a line in the log, if there is no sound table. */
const struct acpi_header *acpi_check_table(paddr_t paddr);

/* The table with this signature behind `n` others with it, or NULL. */
const struct acpi_header *acpi_find_nth(const char signature[4], size_t n);

/* acpi_power.c: learns from the tables found how to turn off and reset. */
void acpi_read_power(void);

#endif
