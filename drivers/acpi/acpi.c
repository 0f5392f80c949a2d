/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers other drivers' questions from the tables: the ECAM window, I/O APICs, timers.
 * A field counts only if it lies in its table.
 */
#include <errno.h>

#include "drivers/acpi/acpi_internal.h"

/* MCFG (PCI Firmware 3.2, 4.1.2): after 8 reserved bytes, entries */
#define MCFG_ENTRIES 44
#define MCFG_ENTRY_SIZE 16	/* the first 64 bits: the base */
#define MCFG_ENTRY_SEGMENT 8	/* 16 */
#define MCFG_ENTRY_FIRST_BUS 10 /* 8 */
#define MCFG_ENTRY_LAST_BUS 11	/* 8 */
#define ECAM_ALIGN MIB

/* The MADT and the SRAT end in entries of a type and a length each */
#define ENTRY_TYPE 0   /* 8 */
#define ENTRY_LENGTH 1 /* 8 */

/* MADT (5.2.12) */
#define MADT_ENTRIES 44
#define MADT_IOAPIC 1
#define MADT_IOAPIC_ADDRESS 4 /* 32 */
#define MADT_IOAPIC_GSI 8     /* 32 */
#define MADT_IOAPIC_SIZE 12

/* The timer in the FADT (5.2.9) */
#define FADT_PM_TIMER 76      /* 32, a port */
#define FADT_PM_TIMER_SIZE 91 /* 8: 4, or 0 */
#define FADT_FLAG_TIMER_32_BITS (1u << 8)

/* HPET (IA-PC HPET specification 1.0a, 3.2.4): a generic address (5.2.3.2) */
#define HPET_SPACE 40	/* 8 */
#define HPET_ADDRESS 44 /* 64 */

/* SRAT (5.2.16): after 12 reserved bytes, entries */
#define SRAT_ENTRIES 48
#define SRAT_MEMORY 1
#define SRAT_MEMORY_START 8  /* 64 */
#define SRAT_MEMORY_BYTES 16 /* 64 */
#define SRAT_MEMORY_FLAGS 28 /* 32 */
#define SRAT_MEMORY_SIZE 40
#define SRAT_FLAGS_HOTPLUG 3u /* enabled, and hot-pluggable */

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
		uint64_t address = acpi_read_field64(mcfg, at);

		if (acpi_read_field16(mcfg, at + MCFG_ENTRY_SEGMENT) != 0 ||
		    acpi_read_field8(mcfg, at + MCFG_ENTRY_FIRST_BUS) != 0)
			continue;
		if (address == 0 || address >= ACPI_ADDRESS_END || address % ECAM_ALIGN != 0)
			continue;
		*base = address;
		*last_bus = acpi_read_field8(mcfg, at + MCFG_ENTRY_LAST_BUS);
		return 0;
	}
	return -ENOENT;
}

static size_t entry_length(const struct acpi_header *table, size_t at)
{
	return acpi_read_field8(table, at + ENTRY_LENGTH);
}

/* Moves on to the first entry from *at on that has this type and so many bytes; false: none has. */
static bool find_entry(const struct acpi_header *table, uint8_t type, size_t size, size_t *at)
{
	for (;; *at += entry_length(table, *at)) {
		/* 0 after the last one. */
		size_t length = entry_length(table, *at);

		if (length <= ENTRY_LENGTH || length > table->length - *at)
			return false;
		if (acpi_read_field8(table, *at + ENTRY_TYPE) == type && length >= size)
			return true;
	}
}

int acpi_find_ioapic(size_t n, paddr_t *address, uint32_t *first_gsi)
{
	const struct acpi_header *madt = acpi_find("APIC");
	size_t at = MADT_ENTRIES;

	if (!madt)
		return -ENOENT;
	for (; find_entry(madt, MADT_IOAPIC, MADT_IOAPIC_SIZE, &at); at += entry_length(madt, at)) {
		if (n-- != 0)
			continue;
		*address = acpi_read_field32(madt, at + MADT_IOAPIC_ADDRESS);
		*first_gsi = acpi_read_field32(madt, at + MADT_IOAPIC_GSI);
		return 0;
	}
	return -ENOENT;
}

int acpi_find_pm_timer(uint16_t *port, unsigned *bits)
{
	const struct acpi_header *fadt = acpi_find("FACP");
	uint32_t address, flags;

	if (!fadt)
		return -ENOENT;
	address = acpi_read_field32(fadt, FADT_PM_TIMER);
	flags = acpi_read_field32(fadt, ACPI_FADT_FLAGS);
	if (address == 0 || address > UINT16_MAX || flags & ACPI_FLAG_HW_REDUCED ||
	    acpi_read_field8(fadt, FADT_PM_TIMER_SIZE) != sizeof(uint32_t))
		return -ENOENT;
	*port = (uint16_t)address;
	*bits = flags & FADT_FLAG_TIMER_32_BITS ? 32 : 24;
	return 0;
}

int acpi_find_hpet(paddr_t *address)
{
	const struct acpi_header *hpet = acpi_find("HPET");
	uint64_t value;

	if (!hpet || acpi_read_field8(hpet, HPET_SPACE) != ACPI_SPACE_MEMORY)
		return -ENOENT;
	value = acpi_read_field64(hpet, HPET_ADDRESS);
	if (value == 0 || value >= ACPI_ADDRESS_END)
		return -ENOENT;
	*address = value;
	return 0;
}

/* Stores the range of an entry; false: nothing comes there. */
static bool read_hotplug_range(const struct acpi_header *srat, size_t at, paddr_t *start,
			       uint64_t *size)
{
	uint32_t flags = acpi_read_field32(srat, at + SRAT_MEMORY_FLAGS);

	*start = acpi_read_field64(srat, at + SRAT_MEMORY_START);
	*size = acpi_read_field64(srat, at + SRAT_MEMORY_BYTES);
	return (flags & SRAT_FLAGS_HOTPLUG) == SRAT_FLAGS_HOTPLUG && *size > 0 &&
	       *size <= UINT64_MAX - *start;
}

int acpi_find_hotplug_range(size_t n, paddr_t *start, uint64_t *size)
{
	const struct acpi_header *srat = acpi_find("SRAT");
	size_t at = SRAT_ENTRIES;

	if (!srat)
		return -ENOENT;
	for (; find_entry(srat, SRAT_MEMORY, SRAT_MEMORY_SIZE, &at); at += entry_length(srat, at)) {
		paddr_t range;
		uint64_t bytes;

		if (!read_hotplug_range(srat, at, &range, &bytes) || n-- != 0)
			continue;
		*start = range;
		*size = bytes;
		return 0;
	}
	return -ENOENT;
}
