/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI: finding devices, giving them addresses, reading their capabilities.
 * (PCI Local Bus 3.0; PCI Express Base 4.0, chapter 7; PCI-to-PCI Bridge 1.2.)
 *
 * Everything a device or the firmware left in config space is input: walks
 * are bounded, offsets and sizes are checked.
 *
 *   pci_setup.c		a scan: the two steps of finding and of giving addresses
 *   pci_config.c	reading and writing config space, by ports or by ECAM
 *   pci_roots.c		buses that no bridge leads to
 *   pci_scan.c		buses, bridges, functions
 *   pci_bar.c		sizing and writing BARs, turning functions on
 *   pci_bridge.c	bus numbers and windows of bridges
 *   pci_gap.c		addresses that nothing uses yet
 *   pci_assign.c	addresses for what the firmware left without
 *   pci_capability.c	the capability list
 *   pci_msix.c		interrupts by messages
 *   pci_hotplug.c	functions that come and go, in slots of PCI Express ports
 *			(pci_slot_express.c) and by QEMU's ports (pci_slot_acpi.c)
 *   pci_cmd.c		lspci, with the names of pci_names.c
 */
#ifndef DRIVERS_PCI_PCI_H
#define DRIVERS_PCI_PCI_H

#include "kernel/lib/types.h"

#define PCI_BARS 6
#define PCI_DEVICES_MAX 256
#define PCI_BUSES 256

/* A function's address. Only segment 0. */
struct pci_address {
	uint8_t bus;
	uint8_t device;	  /* 0-31 */
	uint8_t function; /* 0-7 */
};

enum pci_bar_kind {
	PCI_BAR_NONE, /* not implemented, or the upper half of the one before */
	PCI_BAR_IO,
	PCI_BAR_MEMORY32,
	PCI_BAR_MEMORY64,
};

struct pci_bar {
	enum pci_bar_kind kind;
	bool prefetchable;
	uint64_t address; /* 0: not assigned; a port for PCI_BAR_IO */
	uint64_t size;	  /* bytes, a power of two */
};

struct pci_device {
	struct pci_address address;
	uint16_t vendor;
	uint16_t device;
	uint16_t subsystem_vendor;
	uint16_t subsystem;
	uint32_t class; /* base class, subclass, programming interface */
	uint8_t revision;
	uint8_t header_type;	   /* without the multi-function bit */
	uint8_t interrupt_pin;	   /* 0: none, 1: INTA ... 4: INTD */
	struct pci_device *bridge; /* above it, NULL on a root bus */
	uint8_t secondary_bus;	   /* of a bridge, 0 if it has none yet */
	uint8_t subordinate_bus;
	bool is_new; /* set by pci_scan_slot(), cleared by its caller */
	struct pci_bar bar[PCI_BARS];
	struct pci_device *next; /* in the order of their addresses */
};

/*
 * How config space is reached. Offsets are in bytes and aligned to the width.
 * Reads of what is not there give all ones.
 */
struct pci_config_ops {
	const char *name; /* "ports" or "ECAM" */
	uint32_t (*read)(struct pci_address address, unsigned offset, unsigned width);
	void (*write)(struct pci_address address, unsigned offset, unsigned width, uint32_t value);
	unsigned size; /* bytes of config space of a function: 256 or 4096 */
	uint8_t last_bus;
};

/*
 * Reaches config space by mechanism #1 from now on: ports 0xcf8 and 0xcfc.
 * -ENODEV: the machine does not have them.
 */
int pci_config_use_ports(void);

/*
 * Reaches config space by the ECAM window at `base` from now on, which has buses
 * 0 to last_bus. Both numbers are ACPI's and are checked. -EINVAL: no window can
 * lie there; -ENOMEM: it cannot be mapped; -ENODEV: nothing answers in it.
 */
int pci_config_use_ecam(paddr_t base, uint8_t last_bus);

/* Returns how config space is reached; NULL before either of the above. */
const struct pci_config_ops *pci_config_ops(void);

/*
 * Read and write a register of a function, in one access of that width. What is
 * not there (no such function, bus or offset) reads as all ones.
 */
uint8_t pci_read8(const struct pci_device *device, unsigned offset);
uint16_t pci_read16(const struct pci_device *device, unsigned offset);
uint32_t pci_read32(const struct pci_device *device, unsigned offset);
void pci_write8(const struct pci_device *device, unsigned offset, uint8_t value);
void pci_write16(const struct pci_device *device, unsigned offset, uint16_t value);
void pci_write32(const struct pci_device *device, unsigned offset, uint32_t value);

/* Tells whether the function, or another with the same ids, still answers. */
bool pci_is_there(const struct pci_device *device);

/*
 * Tells which buses are root buses besides bus 0, and in no other segment: bus `n` is bit
 * n % 8 of byte n / 8. If these are not `all`, pci_scan() asks each bus that no bridge has
 * whether there is a function in its first slot; if bus 0 has more host bridges than these
 * would need, in any slot. Kept; before any call there are none.
 */
void pci_set_root_buses(const uint8_t buses[PCI_BUSES / 8], bool all);

/* Addresses that BARs on a root bus may get. Each `end` is exclusive. */
struct pci_windows {
	uint64_t memory_start, memory_end;     /* below 4 GiB */
	uint64_t memory64_start, memory64_end; /* above; empty if there is none */
	uint32_t io_start, io_end;
};

/*
 * Finds every function of the machine and returns how many there are. Numbers
 * bridges that have no bus numbers, sizes BARs, and gives addresses from
 * `windows` to BARs and bridge windows that have none; what the firmware placed
 * stays where it is. Decoding is off while a BAR is sized, and restored
 * afterwards. May be called again: starts anew.
 */
size_t pci_scan(const struct pci_windows *windows);

/* Tells whether a BAR has any of the addresses in memory from `start` to before `end`. */
bool pci_has_bar_within(paddr_t start, paddr_t end);

/*
 * Finds the functions of one slot that are not in the list yet, gives them
 * addresses within the windows of `bridge` (NULL: the root bus), and adds them to
 * the list, marked is_new. Returns how many. After pci_scan().
 */
size_t pci_scan_slot(struct pci_device *bridge, struct pci_address address);

/* For those who want to know of functions that come and go; see pci_hotplug.h. */
struct pci_hotplug_ops {
	/* Called after a function was put into the list and got its addresses. */
	void (*added)(const struct pci_device *device);
	/*
	 * Called before a function is taken off the list and leaves its slot; with
	 * `gone` it has left already and no longer answers. May sleep.
	 */
	void (*removing)(const struct pci_device *device, bool gone);
};

/* Takes a function, which must be in the list, off it; the struct is reused later. */
void pci_forget(struct pci_device *device);

/* Returns the function with the lowest address; ->next leads to the others. */
struct pci_device *pci_devices(void);

/*
 * Returns the config offset of the first capability with this id that follows the
 * one at `after` (0: the first of all), or 0. At most 48 steps; an offset below
 * 0x40 ends the list.
 */
unsigned pci_find_capability(const struct pci_device *device, uint8_t id, unsigned after);

/* Turns on the decoding that the BARs need, bus mastering, and INTx. */
void pci_enable(const struct pci_device *device);

/* Turns decoding and bus mastering off again. */
void pci_disable(const struct pci_device *device);

/*
 * Maps [offset, offset + size) of a memory BAR and stores where. All three numbers
 * may be the device's: they are checked. -EINVAL: there is no such BAR, it is not
 * memory, or it ends before that; -ENXIO: it has no address; -ENOMEM.
 */
int pci_map_bar(const struct pci_device *device, unsigned bar, uint64_t offset, uint64_t size,
		void **window);

#endif
