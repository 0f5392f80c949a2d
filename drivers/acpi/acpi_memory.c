/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A slot is selected, and then its registers are read or written. Some offsets are one
 * register when they are read, and another when they are written.
 */
#include "drivers/acpi/acpi_memory.h"

#include <assert.h>
#include <errno.h>

#include "drivers/acpi/acpi_internal.h"

/* What QEMU's AML calls them: the registers, and the number of slots. */
#define REGION "HPMR"
#define SLOTS "MDNR"

/* The registers, 32 bits each but the last */
#define SELECT 0x00  /* written */
#define ADDRESS 0x00 /* read, 64 bits */
#define EVENT 0x04   /* written: what _OST (ACPI 6.4, 6.3.5) answers */
#define SIZE 0x08    /* read, 64 bits */
#define STATUS 0x08  /* written: how; the host is told then */
#define FLAGS 0x14   /* 8 bits */
#define REGISTERS_SIZE 0x18

#define FLAG_ENABLED 0x01
#define FLAG_INSERTED 0x02 /* written: seen */
#define FLAG_REMOVING 0x04 /* written: seen */
#define FLAG_EJECT 0x08	   /* written: it may go */
#define FLAGS_NOBODY 0xff

/* Events and statuses of _OST */
#define EVENT_INSERTED 1
#define EVENT_EJECTION 3
#define STATUS_SUCCESS 0x00
#define STATUS_FAILURE 0x01
#define STATUS_BUSY 0x81

static struct acpi_register registers; /* address 0: there are none */
static unsigned slot_count;

static uint32_t read_register(unsigned offset, unsigned width)
{
	struct acpi_register reg = acpi_register_after(registers, offset);
	uint32_t value = UINT32_MAX;

	acpi_register_read(&reg, width, &value);
	return value;
}

static uint64_t read_register64(unsigned offset)
{
	return read_register(offset, 4) | (uint64_t)read_register(offset + 4, 4) << 32;
}

static void write_register(unsigned offset, unsigned width, uint32_t value)
{
	struct acpi_register reg = acpi_register_after(registers, offset);

	acpi_register_write(&reg, width, value);
}

int acpi_memory_find(void)
{
	struct acpi_region region;
	uint64_t slots;

	registers = (struct acpi_register){ 0 };
	slot_count = 0;
	if (acpi_find_region(REGION, &region) || region.size < REGISTERS_SIZE ||
	    acpi_find_integer(SLOTS, &slots))
		return -ENODEV;
	registers = acpi_make_register(region.space, region.base);
	write_register(SELECT, 4, 0);
	if (slots == 0 || (uint8_t)read_register(FLAGS, 1) == FLAGS_NOBODY)
		return -ENODEV;
	slot_count = (unsigned)min_u64(slots, ACPI_MEMORY_SLOTS_MAX);
	return 0;
}

unsigned acpi_memory_slots(void)
{
	return slot_count;
}

static void select_slot(unsigned slot)
{
	assert(slot < slot_count);
	write_register(SELECT, 4, slot);
}

void acpi_memory_read(unsigned slot, struct acpi_memory_slot *state)
{
	uint8_t flags;

	*state = (struct acpi_memory_slot){ 0 };
	select_slot(slot);
	flags = (uint8_t)read_register(FLAGS, 1);
	if (flags == FLAGS_NOBODY || !(flags & FLAG_ENABLED))
		return;
	state->present = true;
	state->inserted = flags & FLAG_INSERTED;
	state->removing = flags & FLAG_REMOVING;
	state->address = read_register64(ADDRESS);
	state->size = read_register64(SIZE);
}

static void write_flag(unsigned slot, uint8_t flag)
{
	select_slot(slot);
	write_register(FLAGS, 1, flag);
}

void acpi_memory_clear_inserted(unsigned slot)
{
	write_flag(slot, FLAG_INSERTED);
}

void acpi_memory_clear_removing(unsigned slot)
{
	write_flag(slot, FLAG_REMOVING);
}

void acpi_memory_eject(unsigned slot)
{
	write_flag(slot, FLAG_EJECT);
}

/* The host has the status together with the event that was written before. */
static void answer(unsigned slot, uint32_t event, uint32_t status)
{
	select_slot(slot);
	write_register(EVENT, 4, event);
	write_register(STATUS, 4, status);
}

void acpi_memory_report(unsigned slot, bool used)
{
	answer(slot, EVENT_INSERTED, used ? STATUS_SUCCESS : STATUS_FAILURE);
}

void acpi_memory_refuse(unsigned slot)
{
	answer(slot, EVENT_EJECTION, STATUS_BUSY);
}
