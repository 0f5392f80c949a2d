/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * I/O APICs (Intel 82093AA data sheet). All inputs that nobody opens stay masked, as
 * after a reset.
 */
#include "arch/x86_64/ioapic.h"

#include <errno.h>
#include <stddef.h>

#include "arch/cpu.h"
#include "arch/irq.h"
#include "arch/mmio.h"
#include "arch/paging.h"
#include "arch/x86_64/apic.h"

/* Two registers, 32 bits each, by which the others are reached. */
#define IOAPIC_SELECT 0x00
#define IOAPIC_WINDOW 0x10
#define IOAPIC_BYTES 0x20

#define IOAPIC_VERSION 1
#define VERSION_LAST_INPUT(version) ((version) >> 16 & 0xff)
#define IOAPIC_INPUT(input) (0x10 + 2 * (input)) /* and its high half */
#define INPUT_LEVEL 0x8000
#define INPUT_MASKED 0x10000
#define INPUT_APIC_SHIFT 24 /* in the high half */

#define IOAPICS_MAX 8

static struct ioapic {
	char *window;
	uint32_t first_gsi;
	uint32_t count;
} ioapics[IOAPICS_MAX];
static size_t ioapic_count;

static uint32_t ioapic_read(const struct ioapic *ioapic, uint32_t reg)
{
	mmio_write32(ioapic->window + IOAPIC_SELECT, reg);
	return mmio_read32(ioapic->window + IOAPIC_WINDOW);
}

static void ioapic_write(const struct ioapic *ioapic, uint32_t reg, uint32_t value)
{
	mmio_write32(ioapic->window + IOAPIC_SELECT, reg);
	mmio_write32(ioapic->window + IOAPIC_WINDOW, value);
}

int irq_add_ioapic(uint64_t paddr, uint32_t first_gsi)
{
	struct ioapic *ioapic = &ioapics[ioapic_count];
	uint32_t version;
	void *window;

	if (!cpu_has_apic())
		return -ENODEV;
	if (ioapic_count == IOAPICS_MAX)
		return -ENOSPC;
	if (paddr < FRAME_SIZE || paddr % FRAME_SIZE != 0 ||
	    paging_map_device(paddr, IOAPIC_BYTES, &window))
		return -ENODEV;
	ioapic->window = window;
	version = ioapic_read(ioapic, IOAPIC_VERSION);
	if (version == 0 || version == UINT32_MAX)
		return -ENODEV;
	ioapic->first_gsi = first_gsi;
	ioapic->count = VERSION_LAST_INPUT(version) + 1;
	ioapic_count++;
	return 0;
}

static const struct ioapic *find_ioapic(uint32_t gsi)
{
	for (size_t i = 0; i < ioapic_count; i++) {
		const struct ioapic *ioapic = &ioapics[i];

		if (gsi >= ioapic->first_gsi && gsi - ioapic->first_gsi < ioapic->count)
			return ioapic;
	}
	return NULL;
}

int ioapic_open(uint32_t gsi, unsigned vector, bool level)
{
	const struct ioapic *ioapic = find_ioapic(gsi);
	uint32_t reg;

	if (!ioapic)
		return -ENODEV;
	reg = IOAPIC_INPUT(gsi - ioapic->first_gsi);
	ioapic_write(ioapic, reg, INPUT_MASKED);
	/* The high half first: interrupts come as soon as the low one is written. */
	ioapic_write(ioapic, reg + 1, apic_id() << INPUT_APIC_SHIFT);
	ioapic_write(ioapic, reg, vector | (level ? INPUT_LEVEL : 0));
	return 0;
}

void ioapic_close(uint32_t gsi)
{
	const struct ioapic *ioapic = find_ioapic(gsi);

	if (ioapic)
		ioapic_write(ioapic, IOAPIC_INPUT(gsi - ioapic->first_gsi), INPUT_MASKED);
}
