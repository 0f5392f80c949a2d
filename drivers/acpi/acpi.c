/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers other drivers' questions from the tables: the ECAM window, the I/O APICs.
 * A field counts only if it lies in its table.
 */
#include <errno.h>

#include "drivers/acpi/acpi_internal.h"

/* MCFG (PCI Firmware 3.2, 4.1.2): after 8 reserved bytes, entries */
#define MCFG_ENTRIES 44
#define MCFG_ENTRY_SIZE 16
#define MCFG_ENTRY_BASE 0	/* 64 */
#define MCFG_ENTRY_SEGMENT 8	/* 16 */
#define MCFG_ENTRY_FIRST_BUS 10 /* 8 */
#define MCFG_ENTRY_LAST_BUS 11	/* 8 */
#define ECAM_ALIGN MIB

/* MADT (5.2.12): entries of a type and a length each */
#define MADT_ENTRIES 44
#define MADT_ENTRY_LENGTH 1 /* 8 */
#define MADT_IOAPIC 1
#define MADT_IOAPIC_ADDRESS 4 /* 32 */
#define MADT_IOAPIC_GSI 8     /* 32 */
#define MADT_IOAPIC_SIZE 12

int acpi_init(paddr_t rsdp)
{
	int err = acpi_find_tables(rsdp);

	/* Without tables this forgets those of an earlier call. */
	acpi_read_power();
	return err;
}

int acpi_find_ecam(paddr_t *base, uint8_t *last_bus)
{
	const struct acpi_header *mcfg = acpi_find("MCFG");
	size_t at;

	if (!mcfg)
		return -ENOENT;
	for (at = MCFG_ENTRIES; at + MCFG_ENTRY_SIZE <= mcfg->length; at += MCFG_ENTRY_SIZE) {
		uint64_t address = acpi_read_field(mcfg, at + MCFG_ENTRY_BASE, 8);

		if (acpi_read_field(mcfg, at + MCFG_ENTRY_SEGMENT, 2) != 0 ||
		    acpi_read_field(mcfg, at + MCFG_ENTRY_FIRST_BUS, 1) != 0)
			continue;
		if (address == 0 || address >= ACPI_ADDRESS_END || address % ECAM_ALIGN != 0)
			continue;
		*base = address;
		*last_bus = (uint8_t)acpi_read_field(mcfg, at + MCFG_ENTRY_LAST_BUS, 1);
		return 0;
	}
	return -ENOENT;
}

int acpi_find_ioapic(size_t n, paddr_t *address, uint32_t *first_gsi)
{
	const struct acpi_header *madt = acpi_find("APIC");
	size_t at, length;

	if (!madt)
		return -ENOENT;
	for (at = MADT_ENTRIES; at + MADT_ENTRY_LENGTH < madt->length; at += length) {
		length = acpi_read_field(madt, at + MADT_ENTRY_LENGTH, 1);
		if (length < MADT_ENTRY_LENGTH + 1 || length > madt->length - at)
			break;
		if (acpi_read_field(madt, at, 1) != MADT_IOAPIC || length < MADT_IOAPIC_SIZE ||
		    n-- != 0)
			continue;
		*address = acpi_read_field(madt, at + MADT_IOAPIC_ADDRESS, 4);
		*first_gsi = (uint32_t)acpi_read_field(madt, at + MADT_IOAPIC_GSI, 4);
		return 0;
	}
	return -ENOENT;
}
