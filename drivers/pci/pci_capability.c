/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The capability list (PCI Local Bus 3.0, 6.7): a chain of offsets that the
 * device holds and that may be wrong. A walk ends at the first offset that lies in
 * the header or was there before, so a caller who asks for one capability after
 * the other comes to an end, too.
 */
#include "drivers/pci/pci_internal.h"

#define CAPABILITIES_START 0x40
#define CAPABILITIES_END 0x100
#define ID_GONE 0xff /* the function no longer answers */

_Static_assert(CAPABILITIES_END / 4 <= 64, "a bit of walk()'s `seen` for each place");

/* Returns the offset in a pointer register, whose low bits are reserved. */
static unsigned follow(const struct pci_device *device, unsigned offset)
{
	return pci_read8(device, offset) & 0xfcu;
}

static unsigned first_capability(const struct pci_device *device)
{
	/* Other headers have the pointer elsewhere, if at all. */
	if (device->header_type > PCI_HEADER_BRIDGE)
		return 0;
	if (!(pci_read16(device, PCI_STATUS) & PCI_STATUS_CAPABILITIES))
		return 0;
	return follow(device, PCI_CAPABILITIES);
}

/*
 * Walks from the start, as only that shows a loop; a device has few capabilities.
 * `wanted`: an id, or negative for any.
 */
static unsigned walk(const struct pci_device *device, int wanted, unsigned after, uint8_t *id)
{
	unsigned at = first_capability(device);
	bool passed = after == 0;
	uint64_t seen = 0;

	while (at >= CAPABILITIES_START) {
		if (seen >> at / 4 & 1)
			return 0;
		seen |= UINT64_C(1) << at / 4;
		*id = pci_read8(device, at);
		if (*id == ID_GONE)
			return 0;
		if (passed && (wanted < 0 || *id == wanted))
			return at;
		passed = passed || at == after;
		at = follow(device, at + PCI_CAP_NEXT);
	}
	return 0;
}

unsigned pci_find_capability(const struct pci_device *device, uint8_t id, unsigned after)
{
	uint8_t found;

	return walk(device, id, after, &found);
}

unsigned pci_next_capability(const struct pci_device *device, unsigned after, uint8_t *id)
{
	return walk(device, -1, after, id);
}
