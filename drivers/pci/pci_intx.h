/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the INTx pins of PCI end up. */
#ifndef DRIVERS_PCI_PCI_INTX_H
#define DRIVERS_PCI_PCI_INTX_H

/*
 * Routes every INTx pin of the machine to IRQ_PCI, whatever the firmware did,
 * and turns the pins off until pci_enable().
 * After pci_scan(). -ENODEV: no interrupt router that we know; then drivers
 * live by looking, not by interrupts.
 */
int pci_route_intx(void);

#endif
