/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A slot is selected, and then its registers are read. What they say is the host's word,
 * and only added up. Nothing here touches the memory itself.
 */
#include "drivers/acpi/acpi_memory.h"

#include <errno.h>

#include "drivers/acpi/acpi_internal.h"
#include "kernel/lib/log.h"
#include "kernel/lib/parse.h"

/* What QEMU's AML calls them: the registers, and the number of slots. */
#define REGION "HPMR"
#define SLOTS "MDNR"

/* The registers, 32 bits each but the last */
#define SELECT 0x00 /* written */
#define SIZE 0x08   /* 64 bits */
#define FLAGS 0x14  /* 8 bits */
#define REGISTERS_SIZE 0x18

#define FLAG_ENABLED 0x01
#define FLAG_INSERTED 0x02 /* written: seen */
#define FLAG_REMOVING 0x04 /* the host wants it back; written: seen */
#define FLAG_EJECT 0x08	   /* written: it may go */
#define FLAGS_NOBODY 0xff

#define SLOTS_MAX 256

static struct acpi_register registers; /* address 0: there are none */
static unsigned slot_count;
static uint64_t unused; /* bytes */

static uint32_t read_register(unsigned offset, unsigned width)
{
	struct acpi_register reg = acpi_register_after(registers, offset);
	uint32_t value = UINT32_MAX;

	acpi_register_read(&reg, width, &value);
	return value;
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
	unused = 0;
	if (acpi_find_region(REGION, &region) || region.size < REGISTERS_SIZE ||
	    acpi_find_integer(SLOTS, &slots))
		return -ENODEV;
	registers = acpi_make_register(region.space, region.base);
	slot_count = (unsigned)min_u64(slots, SLOTS_MAX);
	write_register(SELECT, 4, 0);
	if ((uint8_t)read_register(FLAGS, 1) != FLAGS_NOBODY)
		return 0;
	registers.address = 0;
	return -ENODEV;
}

/* Returns how much memory there is in the slot, in bytes, after what is asked was done. */
static uint64_t look_at(unsigned slot)
{
	uint32_t flags;

	write_register(SELECT, 4, slot);
	flags = read_register(FLAGS, 1);
	if ((uint8_t)flags == FLAGS_NOBODY || !(flags & FLAG_ENABLED))
		return 0;
	if (flags & FLAG_INSERTED)
		write_register(FLAGS, 1, FLAG_INSERTED);
	if (flags & FLAG_REMOVING) {
		write_register(FLAGS, 1, FLAG_REMOVING);
		write_register(FLAGS, 1, FLAG_EJECT);
		return 0;
	}
	return read_register(SIZE, 4) | (uint64_t)read_register(SIZE + 4, 4) << 32;
}

/* The sum may be asked for in an interrupt, so it is whole at any time. */
void acpi_memory_look(void)
{
	char text[FORMAT_SIZE_MAX];
	uint64_t before = unused, sum = 0, size;
	unsigned slots = 0;

	/* Without registers, all slots look as if nobody answered. */
	for (unsigned slot = 0; slot < slot_count; slot++) {
		size = look_at(slot);
		/* Sizes that cannot be do not make the sum small. */
		sum = size <= UINT64_MAX - sum ? sum + size : UINT64_MAX;
		slots += size > 0;
	}
	unused = sum;
	if (sum > 0 && sum != before)
		log_warn("memory: %s in %u slot%s are there, which this guest does not use",
			 format_size(sum, text), slots, slots == 1 ? "" : "s");
	else if (sum != before)
		log_info("memory: all slots are empty now");
}

uint64_t acpi_memory_unused(void)
{
	return unused;
}
