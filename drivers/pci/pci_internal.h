/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared by the files of this folder, not for drivers: the registers of config
 * space, and the rest of what is known of a function.
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

/* No processor has addresses from here on: such an address or size is a mistake. */
#define PCI_ADDRESS_END (UINT64_C(1) << 52)
#define PCI_IO_END 0x10000

/* A bridge passes on three ranges; memory that may be prefetched has one of its own. */
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

/* Tells whether there is anything in the window. */
static inline bool pci_is_open(const struct pci_window *window)
{
	return window->start != window->end;
}

struct pci_need {
	uint64_t size; /* 0: none */
	uint64_t align;
	bool optional; /* nothing uses it yet */
};

struct pci_function {
	struct pci_device device;
	bool multifunction;
	/* Only for bridges: */
	bool untouched; /* its windows were still as after a reset */
	bool wide;	/* its prefetchable window reaches beyond 4 GiB */
	struct pci_window window[PCI_WINDOWS];
	struct pci_need need[PCI_WINDOWS];
};

/* In the order of finding: a bridge stands before the functions behind it. */
extern struct pci_function pci_functions[PCI_DEVICES_MAX];
extern size_t pci_function_count;

#define PCI_NAME_SIZE 8

/* Writes "00:1f.2"; returns `name`. */
const char *pci_name(const struct pci_device *device, char name[PCI_NAME_SIZE]);

/* Tells whether the function is a PCI-to-PCI bridge. */
static inline bool pci_is_bridge(const struct pci_device *device)
{
	return device->header_type == PCI_HEADER_BRIDGE;
}

/* Tells whether it is a bridge that has bus numbers. */
static inline bool pci_is_numbered(const struct pci_device *device)
{
	return pci_is_bridge(device) && device->secondary_bus != 0;
}

/* Returns the bridge above a function; NULL on the root bus. */
static inline struct pci_function *pci_bridge_of(const struct pci_function *function)
{
	struct pci_device *bridge = function->device.bridge;

	return bridge ? container_of(bridge, struct pci_function, device) : NULL;
}

/* ---- pci_config.c ---- */

/* Returns where ECAM lies in memory; a closed window if it is not used. */
struct pci_window pci_config_window(void);

/* ---- pci_roots.c ---- */

/*
 * Returns the root bus that follows bus `number`, or `end` if there is none; buses may be
 * asked for that. `found`: the list of what was found so far, by address, with all of bus 0.
 */
unsigned pci_root_next(const struct pci_device *found, unsigned number, unsigned end);

/*
 * Returns the end of the numbers that bridges of root bus `number` may have: the next one
 * that is told as a root bus, or that was found behind another, or `end`.
 */
unsigned pci_root_end(const struct pci_device *found, unsigned number, unsigned end);

/* ---- pci_scan.c ---- */

/* Fills pci_functions[] and the list with every function; assigns nothing. */
void pci_scan_buses(void);

/* Adds the functions of a slot that are not listed, marked is_new; returns how many. */
size_t pci_scan_new(struct pci_device *bridge, struct pci_address address);

/* ---- pci_bar.c ---- */

/* The state of a function before its decoding was turned off. */
struct pci_quiet {
	uint16_t command;
	uint64_t irq_flags;
};

/* Turn decoding off, and interrupts with it, and both back to what they were. */
struct pci_quiet pci_decoding_off(const struct pci_device *device);
void pci_decoding_restore(const struct pci_device *device, struct pci_quiet quiet);

/* Fills in device->bar. */
void pci_size_bars(struct pci_device *device);

/*
 * Writes an address, a multiple of its size, into a BAR that has a size. -EIO: the
 * device does not keep it.
 */
int pci_set_bar(struct pci_device *device, unsigned index, uint64_t address);

/* ---- pci_bridge.c ---- */

/* Fills in the bridge's windows, and closes those that were never set. */
void pci_read_windows(struct pci_function *bridge);

/*
 * Opens a window on [start, end), multiples of 4 KiB for I/O and of 1 MiB for
 * memory. -EIO: the bridge does not keep it, or has no such window; it is closed.
 */
int pci_set_window(struct pci_function *bridge, enum pci_window_kind kind, uint64_t start,
		   uint64_t end);

/* Sets the bus numbers behind a bridge; 0 and 0: none. -EIO: it does not keep them. */
int pci_set_bus_numbers(struct pci_device *bridge, uint8_t secondary, uint8_t subordinate);

/* ---- pci_gap.c ---- */

/*
 * Finds the lowest multiple of `align`, a power of two, from which `size` bytes of
 * `range` are free, for something behind `bridge` (NULL: on the root bus). Returns
 * 0 if there is none.
 */
uint64_t pci_find_gap(const struct pci_function *bridge, const struct pci_window *range, bool io,
		      uint64_t size, uint64_t align);

/* ---- pci_assign.c ---- */

/* Gives addresses from `windows`, which it keeps, to all functions that have none. */
void pci_assign(const struct pci_windows *windows);

/* Gives addresses to new functions behind `bridge`, from the windows of pci_assign(). */
void pci_assign_slot(struct pci_device *bridge);

/* ---- pci_capability.c ---- */

/* Returns the offset of the capability that follows `after` (0: the first), or 0. */
unsigned pci_next_capability(const struct pci_device *device, unsigned after, uint8_t *id);

#endif
