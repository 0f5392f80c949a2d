/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The few ACPI tables that are needed (ACPI 6.4, 5.2): MCFG for ECAM, FADT for
 * power-off, reset and the timer, MADT for I/O APICs, HPET, SRAT for memory that may
 * come, DSDT and SSDTs for devices. No AML is run; constants are read out of its bytes.
 * Tables are input: signatures, lengths and checksums are checked, and a table that fails
 * is as good as absent.
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
 * Reads the tables below the RSDP at the physical address `rsdp`; 0: searches the
 * BIOS area for it. Before all else here. -ENOENT: this machine has no ACPI, or
 * none that is sound; the other functions then find nothing.
 */
int acpi_init(paddr_t rsdp);

/* Returns the first table with this signature, or NULL. */
const struct acpi_header *acpi_find(const char signature[4]);

/* Stores the first ECAM window for segment 0 from bus 0 on. -ENOENT: MCFG has none. */
int acpi_find_ecam(paddr_t *base, uint8_t *last_bus);

/*
 * Stores where the registers of the `n`th I/O APIC of the MADT lie, counted from 0,
 * and which global system interrupt its input 0 is (5.2.12.3). -ENOENT: there are
 * not as many.
 */
int acpi_find_ioapic(size_t n, paddr_t *address, uint32_t *first_gsi);

/*
 * Stores the port of the power management timer, and how many bits count (4.8.3.3): 24 or
 * 32. -ENOENT: the FADT names none.
 */
int acpi_find_pm_timer(uint16_t *port, unsigned *bits);

/* Stores where the first HPET's registers lie, in memory. -ENOENT: no table names one. */
int acpi_find_hpet(paddr_t *address);

/*
 * Stores the `n`th range of addresses, counted from 0, in which memory may come while the
 * machine runs: an entry of the SRAT that is enabled and hot-pluggable (5.2.16.2). It has at
 * least a byte and does not wrap; nothing else of it is checked. -ENOENT: there are not as many.
 */
int acpi_find_hotplug_range(size_t n, paddr_t *start, uint64_t *size);

/* The first memory range, ports and interrupt of a device's _CRS (6.4). */
struct acpi_device {
	uint16_t port; /* the lowest; 0: it has none */
	paddr_t base;
	uint64_t size; /* 0: it has no memory */
	bool has_interrupt;
	uint32_t gsi;
	bool level; /* level triggered, else edge; polarity is not read */
};

/*
 * Finds the `n`th device with this _HID ("LNRO0005") in the DSDT or an SSDT,
 * counted from 0. As no AML is run, only constant _HID and _CRS are found, _STA is
 * not evaluated, and bytes that merely look like a device are taken for one: check
 * the device's registers before using it. -ENOENT: there are not as many.
 */
int acpi_find_device(const char *hid, size_t n, struct acpi_device *device);

/* An operation region (19.6.100); space 0 is memory, 1 ports. */
struct acpi_region {
	uint8_t space;
	uint64_t base, size;
};

/*
 * Find the first region, and the first integer, of this name of 4 characters in the DSDT
 * or an SSDT, whatever device it belongs to. Only constants are found, and bytes that
 * merely look like them are taken for them. -ENOENT: there is none.
 */
int acpi_find_region(const char *name, struct acpi_region *region);
int acpi_find_integer(const char *name, uint64_t *value);

#define ACPI_BUSES 256

/*
 * Marks the buses of segment 0 that host bridges say are theirs (_BBN, 6.5.5): bus `n` is
 * bit n % 8 of byte n / 8. Constants only, as above. -ENOENT: there may be others, as there
 * is no AML, one is computed, or there was too much to read.
 */
int acpi_find_root_buses(uint8_t buses[ACPI_BUSES / 8]);

/* Turns the machine off; returns if that cannot be done. */
void acpi_power_off(void);

/* Resets it by the FADT's reset register; returns if there is none. */
void acpi_reset(void);

#endif
