/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers of a simulated virtio device on PCI (virtio 1.3, 4.1): the
 * structures of the modern interface, the ports of the legacy one, the table of
 * MSI-X, and the capabilities that say where all that is, as QEMU has them. The
 * device behind the registers is sim_virtio.
 *
 * Config space belongs to sim_pci, or to the test. A register that
 * is accessed with a width that is not its own is a violation.
 */
#ifndef TESTS_SIM_SIM_VIRTIO_PCI_H
#define TESTS_SIM_SIM_VIRTIO_PCI_H

#include "tests/sim/sim_virtio.h"

/* BARs, and what lies where in them. */
#define SIM_VIRTIO_PCI_PORTS_BAR 0
#define SIM_VIRTIO_PCI_PORTS_SIZE 64
#define SIM_VIRTIO_PCI_TABLE_BAR 1
#define SIM_VIRTIO_PCI_TABLE_SIZE 0x1000
#define SIM_VIRTIO_PCI_TABLE 0x100
#define SIM_VIRTIO_PCI_BAR 4
#define SIM_VIRTIO_PCI_SIZE 0x4000
#define SIM_VIRTIO_PCI_COMMON 0x0000
#define SIM_VIRTIO_PCI_ISR 0x1000
#define SIM_VIRTIO_PCI_DEVICE 0x2000
#define SIM_VIRTIO_PCI_NOTIFY 0x3000
#define SIM_VIRTIO_PCI_MULTIPLIER 4

#define SIM_VIRTIO_PCI_VECTORS 4
#define SIM_VIRTIO_PCI_NO_VECTOR 0xffff

/* Types of virtio's capabilities. */
#define SIM_VIRTIO_PCI_CAP_COMMON 1
#define SIM_VIRTIO_PCI_CAP_NOTIFY 2
#define SIM_VIRTIO_PCI_CAP_ISR 3
#define SIM_VIRTIO_PCI_CAP_DEVICE 4
#define SIM_VIRTIO_PCI_CAP_CONFIG 5

struct sim_virtio_pci {
	struct sim_virtio *virtio;
	uint8_t *config_space; /* 256 bytes or more */

	/* The registers that the driver writes. */
	uint32_t device_select, driver_select;
	uint64_t driver_features;
	uint16_t selected;
	uint16_t size[VIRTIO_QUEUES_MAX];
	uint32_t halves[VIRTIO_QUEUES_MAX][6]; /* of the rings' addresses */
	uint64_t notified_at;		       /* the last time, in the notify structure */

	/* The registers that the device fills. */
	uint16_t num_queues;
	uint16_t notify_offsets[VIRTIO_QUEUES_MAX];

	unsigned msix; /* its capability; 0: none */
	uint32_t table[SIM_VIRTIO_PCI_VECTORS][4];
	uint16_t config_vector, queue_vector[VIRTIO_QUEUES_MAX];
	uint16_t vectors_taken; /* the device takes vectors below this */

	/* The list of capabilities so far. */
	unsigned last_capability; /* 0: none yet */
	unsigned free_config;	  /* where the next one goes */
};

/* In front of @virtio, whose interrupts it delivers from now on; no capabilities yet. */
void sim_virtio_pci_init(struct sim_virtio_pci *pci, struct sim_virtio *virtio,
			 uint8_t *config_space);

/* Adds a capability of `length` bytes to the end of the list; returns its place. */
unsigned sim_virtio_pci_add_capability(struct sim_virtio_pci *pci, uint8_t id, uint8_t length);

/* One of virtio's (4.1.4). */
unsigned sim_virtio_pci_add_vendor(struct sim_virtio_pci *pci, uint8_t type, uint8_t bar,
				   uint32_t offset, uint32_t length);

/* QEMU's capabilities in QEMU's order, that for access by config space first and COMMON last. */
void sim_virtio_pci_add_modern(struct sim_virtio_pci *pci);

/* A table of `count` vectors; those beyond SIM_VIRTIO_PCI_VECTORS keep nothing. */
unsigned sim_virtio_pci_add_msix(struct sim_virtio_pci *pci, unsigned count);

/* Tells whether the driver has enabled MSI-X. */
bool sim_virtio_pci_msix_is_on(const struct sim_virtio_pci *pci);

/* A register: one of these BARs, the offset in it, 1, 2 or 4 bytes. */
uint32_t sim_virtio_pci_read(struct sim_virtio_pci *pci, unsigned bar, uint64_t offset,
			     unsigned width);
void sim_virtio_pci_write(struct sim_virtio_pci *pci, unsigned bar, uint64_t offset, unsigned width,
			  uint32_t value);

#endif
