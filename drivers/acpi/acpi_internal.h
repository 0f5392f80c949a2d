/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the files of this folder: fields of tables, and the bytes of AML. */
#ifndef DRIVERS_ACPI_ACPI_INTERNAL_H
#define DRIVERS_ACPI_ACPI_INTERNAL_H

#include <string.h>

#include "drivers/acpi/acpi.h"

/* No table and no register lies from here on. */
#define ACPI_ADDRESS_END (UINT64_C(1) << 46)

/* Reads a little-endian number of `bytes` bytes, 8 at most, at any alignment. */
static inline uint64_t acpi_read_number(const uint8_t *at, size_t bytes)
{
	uint64_t value = 0;

	memcpy(&value, at, bytes);
	return value;
}

/* ---- acpi_tables.c ---- */

/*
 * Finds the sound tables below the RSDP at `rsdp`; 0: searches for it where a BIOS
 * puts it. -ENOENT: there are none.
 */
int acpi_find_tables(paddr_t rsdp);

/* Read a field of so many bits; 0 if the table ends before the field does. */
uint8_t acpi_read_field8(const struct acpi_header *table, size_t offset);
uint16_t acpi_read_field16(const struct acpi_header *table, size_t offset);
uint32_t acpi_read_field32(const struct acpi_header *table, size_t offset);
uint64_t acpi_read_field64(const struct acpi_header *table, size_t offset);

/* Tells whether the table has this signature of 4 characters. */
bool acpi_has_signature(const struct acpi_header *table, const char *signature);

/* Returns the table at `paddr`, or NULL, with a line in the log, if it is not sound. */
const struct acpi_header *acpi_check_table(paddr_t paddr);

/* Returns the `n`th table with this signature, counted from 0, or NULL. */
const struct acpi_header *acpi_find_nth(const char signature[4], size_t n);

/* ---- acpi_power.c ---- */

/* Learns from the tables found how to turn the machine off and how to reset it. */
void acpi_read_power(void);

/* Returns the `n`th table of AML, the DSDT first, then the SSDTs; NULL: there are not as many. */
const struct acpi_header *acpi_find_aml(size_t n);

/* Has the firmware hand the fixed registers over (SCI_EN), if it still has them. */
void acpi_enter_mode(void);

/* ---- acpi_register.c ---- */

/* Fixed ACPI Description Table (5.2.9): what more than one file reads of it. */
#define ACPI_FADT_FLAGS 112 /* 32 */
#define ACPI_FLAG_HW_REDUCED (1u << 20)

/* Address spaces (5.2.3.2) */
#define ACPI_SPACE_MEMORY 0
#define ACPI_SPACE_IO 1

/* A register; address 0: there is none. */
struct acpi_register {
	uint8_t space;
	uint64_t address;
};

/* Makes a register of what a table says; none if no register can lie there. */
struct acpi_register acpi_make_register(uint8_t space, uint64_t address);

/*
 * Read where a register lies: from a generic address in the FADT; from a port of 32
 * bits; from both, of which the extended field counts where it is filled in (5.2.9).
 */
struct acpi_register acpi_read_register(const struct acpi_header *fadt, size_t offset);
struct acpi_register acpi_read_port(const struct acpi_header *fadt, size_t offset);
struct acpi_register acpi_read_block(const struct acpi_header *fadt, size_t offset,
				     size_t extended);

/* Returns the register that lies `offset` bytes after `reg`, if there is one. */
struct acpi_register acpi_register_after(struct acpi_register reg, uint64_t offset);

/*
 * Read and write a register, in one access of `width` bytes: 1, 2 or 4. False: there is
 * none, or it cannot be reached.
 */
bool acpi_register_read(const struct acpi_register *reg, unsigned width, uint32_t *value);
bool acpi_register_write(const struct acpi_register *reg, unsigned width, uint32_t value);

/* ---- acpi_aml.c ---- */

/* The few codes of AML that matter here (20.2). */
#define AML_ZERO 0x00
#define AML_ONE 0x01
#define AML_NAME 0x08
#define AML_BYTE 0x0a
#define AML_WORD 0x0b
#define AML_DWORD 0x0c
#define AML_STRING 0x0d
#define AML_QWORD 0x0e
#define AML_BUFFER 0x11
#define AML_PACKAGE 0x12
#define AML_EXTENDED 0x5b
#define AML_EXTENDED_REGION 0x80
#define AML_EXTENDED_DEVICE 0x82
#define AML_ROOT '\\'
#define AML_NAME_SIZE 4

/* The bytes of AML from `at` to `end`, still to be read. */
struct aml {
	const uint8_t *at, *end;
};

/* Returns the bytes of a table after its header. */
struct aml aml_open(const struct acpi_header *table);

/*
 * Read and step over a byte, and a constant of up to 64 bits. False, and
 * anything may have been stepped over, if the bytes end or say something else.
 */
bool aml_read_byte(struct aml *aml, uint8_t *byte);
bool aml_read_integer(struct aml *aml, uint64_t *value);

/*
 * Steps into a package, whose length counts itself (20.2.4): `aml` ends with it.
 * False if the package would end after `aml` does.
 */
bool aml_enter_package(struct aml *aml);

/* Steps to what follows the next place where these bytes are; false: there is none. */
bool aml_find(struct aml *aml, const void *bytes, size_t size);

/* Tells whether the name at `at` is defined here, by Name (XXXX, ...) or Name (\XXXX, ...). */
bool aml_is_name(const uint8_t *start, const uint8_t *at);

/* Steps to what follows the next Name (`name`, ...), of 4 characters; false: there is none. */
bool aml_find_name(struct aml *aml, const char *name);

/* Bytes of packages to look at in one search: devices inside each other are read anew each. */
#define AML_SEARCH_MAX (16 * MIB)

/*
 * Steps to the next Device whose package is sound, and stores that as `inside`; takes its
 * bytes off `*left`. False: there is none, or it has more than are left.
 */
bool aml_find_device(struct aml *aml, struct aml *inside, uint64_t *left);

#endif
