/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The few ACPI tables that are needed (ACPI 6.4, 5.2): MCFG for ECAM, FADT for
 * power-off and reset, MADT for I/O APICs. No AML is run; the sleep type of S5 is read out of the
 * DSDT's bytes. Tables are input: signatures, lengths and checksums are
 * checked, and a table that fails is as good as absent.
 */
#ifndef DRIVERS_ACPI_ACPI_H
#define DRIVERS_ACPI_ACPI_H

#include "kernel/lib/types.h"

struct acpi_header {
	char signature[4];
	uint32_t length; /* of the whole table */
	uint8_t revision;
	uint8_t checksum;
	char oem_id[6];
	char oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
} __attribute__((packed));

_Static_assert(sizeof(struct acpi_header) == 36, "5.2.6");

/*
 * `rsdp` is a physical address, or 0: then the BIOS area is searched. -ENOENT:
 * there is no ACPI, which is no fault.
 */
int acpi_init(paddr_t rsdp);

/* The first table with this signature, or NULL. */
const struct acpi_header *acpi_find(const char signature[4]);

/* The first ECAM window for segment 0, starting at bus 0. -ENOENT. */
int acpi_find_ecam(paddr_t *base, uint8_t *last_bus);

/*
 * The `n`th I/O APIC of the MADT (5.2.12.3): its registers, and which global
 * system interrupt its input 0 is. -ENOENT.
 */
int acpi_find_ioapic(size_t n, paddr_t *address, uint32_t *first_gsi);

/* What a device's _CRS says (6.4): its first memory range and interrupt. */
struct acpi_device {
	paddr_t base;
	uint64_t size; /* 0: it has no memory */
	bool has_interrupt;
	uint32_t gsi;
	bool level; /* else edge; active high is not asked */
};

/*
 * The `n`th device with this _HID ("LNRO0005") in the DSDT or an SSDT. No AML
 * is run: only constant _HID and _CRS are found, _STA is not asked, and what
 * looks like a device but is none is taken for one. So whoever uses it looks
 * at the registers before he believes it. -ENOENT.
 */
int acpi_find_device(const char *hid, size_t n, struct acpi_device *device);

/* Turns the machine off; returns if that cannot be done. */
void acpi_power_off(void);

/* Resets it by the FADT's reset register; returns if there is none. */
void acpi_reset(void);

#endif
