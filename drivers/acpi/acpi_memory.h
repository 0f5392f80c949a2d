/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slots for memory (DIMMs), which may be in them from the start, come and go. QEMU's
 * registers for it (its docs/specs/acpi_mem_hotplug) are named by the DSDT. This is how
 * they are read and written; what is done with the memory is decided elsewhere. What a slot
 * says is the host's word: nothing of it is checked here. Tasks only.
 */
#ifndef DRIVERS_ACPI_ACPI_MEMORY_H
#define DRIVERS_ACPI_ACPI_MEMORY_H

#include "kernel/lib/types.h"

/* More are not looked at. */
#define ACPI_MEMORY_SLOTS_MAX 256

struct acpi_memory_slot {
	bool present;
	bool inserted;	 /* it has come since acpi_memory_clear_inserted() */
	bool removing;	 /* the host wants it back, since acpi_memory_clear_removing() */
	paddr_t address; /* 0 unless it is present */
	uint64_t size;	 /* in bytes; likewise */
};

/* Finds the slots, after acpi_init(). -ENODEV: the machine has none, or they do not answer. */
int acpi_memory_find(void);

/* Returns how many slots were found; they are numbered from 0. */
unsigned acpi_memory_slots(void);

/* Stores what the slot says now. */
void acpi_memory_read(unsigned slot, struct acpi_memory_slot *state);

/* Tell the slot that its news was seen. */
void acpi_memory_clear_inserted(unsigned slot);
void acpi_memory_clear_removing(unsigned slot);

/* Tells the host, after memory was inserted, whether the guest uses it. */
void acpi_memory_report(unsigned slot, bool used);

/* Lets the host take what is in the slot; acpi_memory_read() tells whether it did. */
void acpi_memory_eject(unsigned slot);

/* Tells the host that what it wants back is in use. */
void acpi_memory_refuse(unsigned slot);

#endif
