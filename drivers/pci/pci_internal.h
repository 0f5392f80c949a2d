/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of this folder share: the registers of config space, and
 * what is known of a function besides its struct pci_device. Not for drivers.
 */
#ifndef DRIVERS_PCI_PCI_INTERNAL_H
#define DRIVERS_PCI_PCI_INTERNAL_H

#include "drivers/pci/pci.h"

/* Offset, width in bits; PCI Local Bus 3.0, 6.1 */
#define PCI_VENDOR 0x00		  /* 16 */
#define PCI_DEVICE 0x02		  /* 16 */
#define PCI_COMMAND 0x04	  /* 16 */
#define PCI_STATUS 0x06		  /* 16 */
#define PCI_REVISION 0x08	  /* 8, and above it 24 bits of class */
#define PCI_LATENCY_TIMER 0x0d	  /* 8 */
#define PCI_HEADER_TYPE 0x0e	  /* 8 */
#define PCI_BAR0 0x10		  /* 32 each */
#define PCI_SUBSYSTEM_VENDOR 0x2c /* 16, and above it the subsystem; header type 0 */
#define PCI_ROM 0x30		  /* 32, header type 0 */
#define PCI_CAPABILITIES 0x34	  /* 8 */
#define PCI_INTERRUPT_LINE 0x3c	  /* 8 */
#define PCI_INTERRUPT_PIN 0x3d	  /* 8 */

#define PCI_COMMAND_IO 0x0001
#define PCI_COMMAND_MEMORY 0x0002
#define PCI_COMMAND_MASTER 0x0004
#define PCI_COMMAND_INTX_DISABLE 0x0400
#define PCI_COMMAND_DECODING (PCI_COMMAND_IO | PCI_COMMAND_MEMORY)
#define PCI_STATUS_CAPABILITIES 0x0010
#define PCI_STATUS_66MHZ 0x0020
#define PCI_STATUS_FAST_BACK 0x0080
#define PCI_STATUS_DEVSEL 0x0600 /* 0: fast, 1: medium, 2: slow */
#define PCI_HEADER_MULTIFUNCTION 0x80
#define PCI_HEADER_DEVICE 0
#define PCI_HEADER_BRIDGE 1
#define PCI_BAR_SPACE_IO 0x1
#define PCI_BAR_TYPE 0x6 /* of a memory BAR */
#define PCI_BAR_TYPE_32 0x0
#define PCI_BAR_TYPE_64 0x4
#define PCI_BAR_PREFETCHABLE 0x8
#define PCI_ROM_ENABLE 0x1

/* Header type 1; PCI-to-PCI Bridge 1.2, 3.2 */
#define PCI_BRIDGE_BARS 2
#define PCI_BUS_NUMBERS 0x18		  /* 32: primary, secondary, subordinate, latency */
#define PCI_IO_BASE 0x1c		  /* 8 */
#define PCI_IO_LIMIT 0x1d		  /* 8 */
#define PCI_MEMORY_BASE 0x20		  /* 16 */
#define PCI_MEMORY_LIMIT 0x22		  /* 16 */
#define PCI_PREFETCHABLE_BASE 0x24	  /* 16 */
#define PCI_PREFETCHABLE_LIMIT 0x26	  /* 16 */
#define PCI_PREFETCHABLE_BASE_UPPER 0x28  /* 32 */
#define PCI_PREFETCHABLE_LIMIT_UPPER 0x2c /* 32 */
#define PCI_IO_BASE_UPPER 0x30		  /* 16 */
#define PCI_IO_LIMIT_UPPER 0x32		  /* 16 */

/* Capabilities; PCI Express Base 4.0, 7.5.3.2 */
#define PCI_CAP_NEXT 0x01 /* 8, from the capability's start */
#define PCI_CAP_EXPRESS 0x10
#define PCI_EXPRESS_FLAGS 0x02 /* 16 */
#define PCI_EXPRESS_ROOT_PORT 4
#define PCI_EXPRESS_DOWNSTREAM_PORT 6

#define PCI_SLOTS 32
#define PCI_FUNCTIONS 8

/* An address behind this, or a larger BAR, is a mistake: no processor has it. */
#define PCI_ADDRESS_END (UINT64_C(1) << 52)
#define PCI_IO_END 0x10000

/* What a bridge passes on: memory that may be prefetched goes by a window of its own. */
enum pci_window_kind {
	PCI_WINDOW_IO,
	PCI_WINDOW_MEMORY,
	PCI_WINDOW_PREFETCHABLE,
	PCI_WINDOWS,
};

/* [start, end); closed if they are equal. */
struct pci_window {
	uint64_t start, end;
};

static inline bool pci_is_open(const struct pci_window *window)
{
	return window->start != window->end;
}

struct pci_need {
	uint64_t size; /* 0: none */
	uint64_t align;
	bool optional; /* nothing is there yet that would use it */
};

struct pci_function {
	struct pci_device device;
	bool multifunction;
	/* Of a bridge: */
	bool untouched; /* its windows were as after a reset */
	bool wide;	/* its prefetchable window reaches beyond 4 GiB */
	struct pci_window window[PCI_WINDOWS];
	struct pci_need need[PCI_WINDOWS];
};

/* In the order in which they were found: a bridge before what is behind it. */
extern struct pci_function pci_functions[PCI_DEVICES_MAX];
extern size_t pci_function_count;

#define PCI_NAME_SIZE 8

/* "00:1f.2"; returns `name`. */
const char *pci_name(const struct pci_device *device, char name[PCI_NAME_SIZE]);

static inline bool pci_is_bridge(const struct pci_device *device)
{
	return device->header_type == PCI_HEADER_BRIDGE;
}

/* pci_config.c: where config space itself lies in memory; closed if it does not. */
struct pci_window pci_config_window(void);

/* pci_bar.c */

/* The state of a function whose decoding is off; interrupts are off meanwhile. */
struct pci_quiet {
	uint16_t command;
	uint64_t irq_flags;
};

struct pci_quiet pci_decoding_off(const struct pci_device *device);
void pci_decoding_restore(const struct pci_device *device, struct pci_quiet quiet);

/* Fills in device->bar. */
void pci_size_bars(struct pci_device *device);

/* Writes and reads back an address. -EIO: the device does not keep it. */
int pci_set_bar(struct pci_device *device, unsigned index, uint64_t address);

/* pci_bridge.c */
void pci_read_windows(struct pci_function *bridge);

/* -EIO: the bridge does not keep it, or has no such window. */
int pci_set_window(struct pci_function *bridge, enum pci_window_kind kind, uint64_t start,
		   uint64_t end);

/* -EIO: the bridge does not keep them. */
int pci_set_bus_numbers(struct pci_device *bridge, uint8_t secondary, uint8_t subordinate);

/* pci_assign.c: gives addresses to what has none. */
void pci_assign(const struct pci_windows *windows);

/* The same for the new functions of one slot, with the windows of pci_assign(). */
void pci_assign_slot(struct pci_device *bridge);

/* pci_capability.c: the capability behind `after` (0: the first one), or 0. */
unsigned pci_next_capability(const struct pci_device *device, unsigned after, uint8_t *id);

#endif
