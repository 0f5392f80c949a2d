/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSI-X (PCI Local Bus 3.0, 6.8.2). Where a function says that its table lies
 * is checked. Entries are of four words of 32 bits, each written by itself;
 * one is changed only while it is masked.
 */
#include "drivers/pci/pci_msix.h"

#include <errno.h>

#include "arch/mmio.h"
#include "drivers/pci/pci_internal.h"

#define CAP_MSIX 0x11
#define MSIX_CONTROL 2 /* 16 */
#define MSIX_TABLE 4   /* 32: the offset, and in the low bits the BAR */
#define MSIX_END 12    /* bytes of the capability */
#define CONTROL_SIZE 0x07ff
#define CONTROL_MASK_ALL 0x4000
#define CONTROL_ENABLE 0x8000
#define TABLE_BAR 0x7u

#define CONFIG_SPACE_SIZE 256

/* An entry of the table, 32 bits each. */
#define ENTRY_ADDRESS 0
#define ENTRY_ADDRESS_UPPER 4
#define ENTRY_DATA 8
#define ENTRY_CONTROL 12
#define ENTRY_SIZE 16
#define ENTRY_MASKED 1u

static char *entry(const struct pci_msix *msix, unsigned index)
{
	return (char *)msix->table + (size_t)index * ENTRY_SIZE;
}

static uint16_t read_control(const struct pci_msix *msix)
{
	return pci_read16(msix->device, msix->capability + MSIX_CONTROL);
}

static void write_control(const struct pci_msix *msix, unsigned set, unsigned clear)
{
	uint16_t control = (uint16_t)((read_control(msix) & ~clear) | set);

	pci_write16(msix->device, msix->capability + MSIX_CONTROL, control);
}

/* The other bits of the word are reserved, and kept (6.8.2.9). */
static void mask_entry(struct pci_msix *msix, unsigned index, bool masked)
{
	char *control = entry(msix, index) + ENTRY_CONTROL;
	uint32_t before = mmio_read32(control);

	mmio_write32(control, masked ? before | ENTRY_MASKED : before & ~ENTRY_MASKED);
}

static int map_table(struct pci_msix *msix)
{
	uint32_t where = pci_read32(msix->device, msix->capability + MSIX_TABLE);

	/* pci_map_bar() refuses what is not within a memory BAR. */
	return pci_map_bar(msix->device, where & TABLE_BAR, where & ~TABLE_BAR,
			   (uint64_t)msix->count * ENTRY_SIZE, &msix->table);
}

int pci_msix_setup(const struct pci_device *device, struct pci_msix *msix)
{
	unsigned at = pci_find_capability(device, CAP_MSIX, 0);
	int err;

	*msix = (struct pci_msix){ .device = device };
	if (at == 0)
		return -ENODEV;
	if (at + MSIX_END > CONFIG_SPACE_SIZE)
		return -EINVAL;
	msix->capability = at;
	pci_msix_disable(msix);
	msix->count = (read_control(msix) & CONTROL_SIZE) + 1u;
	err = map_table(msix);
	if (err)
		return err;
	for (unsigned i = 0; i < msix->count; i++)
		mask_entry(msix, i, true);
	return 0;
}

void pci_msix_set(struct pci_msix *msix, unsigned index, uint64_t address, uint32_t data)
{
	char *at = entry(msix, index);

	mmio_write32(at + ENTRY_ADDRESS, (uint32_t)address);
	mmio_write32(at + ENTRY_ADDRESS_UPPER, (uint32_t)(address >> 32));
	mmio_write32(at + ENTRY_DATA, data);
	mask_entry(msix, index, false);
}

int pci_msix_enable(struct pci_msix *msix)
{
	write_control(msix, CONTROL_ENABLE, CONTROL_MASK_ALL);
	if ((read_control(msix) & (CONTROL_ENABLE | CONTROL_MASK_ALL)) == CONTROL_ENABLE)
		return 0;
	pci_msix_disable(msix);
	return -EIO;
}

void pci_msix_disable(struct pci_msix *msix)
{
	if (msix->capability != 0 && (read_control(msix) & CONTROL_ENABLE))
		write_control(msix, 0, CONTROL_ENABLE);
}
