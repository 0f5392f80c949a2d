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

/*
 * Finds all tables that are sound, from the RSDP at a physical address, or 0:
 * then that is searched for. -ENOENT: there is none, or one that leads nowhere.
 */
int acpi_find_tables(paddr_t rsdp);

/* A field of a table; 0 if the table ends before it does. */
uint64_t acpi_read_field(const struct acpi_header *table, size_t offset, size_t bytes);

bool acpi_has_signature(const struct acpi_header *table, const char *signature);

/* NULL, and a line in the log, if there is no sound table. */
const struct acpi_header *acpi_check_table(paddr_t paddr);

/* The table with this signature behind `n` others with it, or NULL. */
const struct acpi_header *acpi_find_nth(const char signature[4], size_t n);

/* acpi_power.c: NULL if there is none that is sound. */
const struct acpi_header *acpi_find_dsdt(const struct acpi_header *fadt);

/* AML (20.2): the few codes that are looked for. */
#define AML_ZERO 0x00
#define AML_ONE 0x01
#define AML_NAME 0x08
#define AML_BYTE 0x0a
#define AML_WORD 0x0b
#define AML_DWORD 0x0c
#define AML_STRING 0x0d
#define AML_BUFFER 0x11
#define AML_PACKAGE 0x12
#define AML_EXTENDED 0x5b
#define AML_EXTENDED_DEVICE 0x82
#define AML_ROOT '\\'

/* Bytes of AML that are still to be read. */
struct aml {
	const uint8_t *at, *end;
};

/* acpi_aml.c: all false if the bytes end too soon, or are something else. */
bool aml_read_byte(struct aml *aml, uint8_t *byte);

/* A constant of up to 32 bits. */
bool aml_read_integer(struct aml *aml, uint64_t *value);

/* A package's length counts itself: bounds `aml` to the package (20.2.4). */
bool aml_enter_package(struct aml *aml);

/* Name (XXXX, ...): whether the name at `at` is defined here, alone or below the root. */
bool aml_is_name(const uint8_t *start, const uint8_t *at);

/* acpi_power.c: learns from the tables found how to turn off and reset. */
void acpi_read_power(void);

#endif
