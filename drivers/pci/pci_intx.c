/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interrupt routers of QEMU's two PC chipsets, in their ISA bridges (Intel
 * 82371SB PIIX3, 4.1.10; ICH9, 13.1.18 and 13.1.19). They differ in which pin of a
 * slot leads to which input of the router, but that does not matter: all inputs
 * go to one line.
 */
#include "drivers/pci/pci_intx.h"

#include <errno.h>

#include "arch/irq.h"
#include "drivers/pci/pci.h"
#include "kernel/lib/log.h"

#define VENDOR_INTEL 0x8086
#define DEVICE_PIIX3 0x7000
#define DEVICE_ICH9 0x2918

#define COMMAND 0x04
#define COMMAND_INTX_DISABLE 0x0400

#define PIRQ_A 0x60 /* 8 bits each for A to D: the line; bit 7: not routed */
#define PIRQ_E 0x68 /* E to H; ICH9 only */

static void route(const struct pci_device *bridge, unsigned first)
{
	for (unsigned i = 0; i < 4; i++)
		pci_write8(bridge, first + i, IRQ_PCI);
}

/* The line is shared, so a device is silent until its driver calls pci_enable(). */
static void silence(const struct pci_device *device)
{
	uint16_t command = pci_read16(device, COMMAND);

	pci_write16(device, COMMAND, command | COMMAND_INTX_DISABLE);
}

int pci_route_intx(void)
{
	for (const struct pci_device *d = pci_devices(); d; d = d->next)
		silence(d);
	for (const struct pci_device *d = pci_devices(); d; d = d->next) {
		if (d->vendor != VENDOR_INTEL)
			continue;
		if (d->device == DEVICE_PIIX3 || d->device == DEVICE_ICH9)
			route(d, PIRQ_A);
		if (d->device == DEVICE_ICH9)
			route(d, PIRQ_E);
		if (d->device == DEVICE_PIIX3 || d->device == DEVICE_ICH9)
			return 0;
	}
	log_warn("pci: no known interrupt router; devices are polled once a second");
	return -ENODEV;
}
