/* SPDX-License-Identifier: BSD-2-Clause */
/* Routing PCI's INTx pins to one interrupt line. */
#ifndef DRIVERS_PCI_PCI_INTX_H
#define DRIVERS_PCI_PCI_INTX_H

/*
 * Routes every INTx pin of the machine to IRQ_PCI, whatever the firmware did, and
 * keeps each pin silent until pci_enable(). After pci_scan(). -ENODEV: the machine
 * has no interrupt router that is known here; drivers must poll their devices.
 */
int pci_route_intx(void);

#endif
