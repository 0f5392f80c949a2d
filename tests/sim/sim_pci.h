/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated PCI bus: config space by the ports 0xcf8 and 0xcfc and by an ECAM
 * window, bridges that route by their bus numbers, and BARs at which a device can
 * have registers.
 *
 * A function is 4 KiB of bytes and a mask of the bits that writes reach; BAR
 * sizing, bridge registers and all else follow from those two. The bus watches the
 * code under test: an access that would disturb a real machine is a violation, and
 * a test ends with assert_null(sim_pci_violation).
 *
 * Implements its part of arch/paging.h, and what sim_bus.h needs: so sim_bus.c
 * goes with it.
 */
#ifndef TESTS_SIM_SIM_PCI_H
#define TESTS_SIM_SIM_PCI_H

#include "drivers/pci/pci.h"

#define SIM_PCI_FUNCTIONS_MAX 512
#define SIM_PCI_CONFIG_SIZE 4096
#define SIM_PCI_ECAM_BASE UINT64_C(0xb0000000)

/* The low bits of a BAR. */
#define SIM_PCI_IO 0x1
#define SIM_PCI_MEMORY32 0x0
#define SIM_PCI_MEMORY64 0x4
#define SIM_PCI_PREFETCHABLE 0x8

struct sim_pci_function {
	struct sim_pci_function *parent; /* the bridge above it; NULL on the root bus */
	struct sim_pci_function *behind; /* of a bridge: whose children are behind it */
	unsigned device, function;
	unsigned root_bus; /* not 0: what is behind it is a root bus of this number */
	uint8_t config[SIM_PCI_CONFIG_SIZE];
	uint8_t writable[SIM_PCI_CONFIG_SIZE];
	bool gone;     /* reads as all ones, writes do nothing */
	bool stubborn; /* keeps what it has, whatever is written */

	/* Its registers: a BAR, the offset in it, and bytes. NULL: it has none. */
	uint32_t (*read)(struct sim_pci_function *f, unsigned bar, uint64_t offset, unsigned width);
	void (*write)(struct sim_pci_function *f, unsigned bar, uint64_t offset, unsigned width,
		      uint32_t value);
	unsigned last_bar; /* the one that was accessed last */
};

/* Makes an empty bus with both mechanisms, no violation and no counts. */
void sim_pci_reset(void);

/* Takes the ports 0xcf8 and 0xcfc away. */
void sim_pci_remove_ports(void);

/* Makes paging_map_device() fail with this error from now on; 0: no longer. */
void sim_pci_fail_mapping(int err);

/*
 * Adds a function of header type 0, without BARs and capabilities, behind
 * `parent` (NULL: on the root bus). It stays until sim_pci_reset().
 */
struct sim_pci_function *sim_pci_add(struct sim_pci_function *parent, unsigned device,
				     unsigned function, uint16_t vendor, uint16_t id,
				     uint32_t class);

/* Adds a bridge with a 64-bit prefetchable window; its registers are as after a reset. */
struct sim_pci_function *sim_pci_add_bridge(struct sim_pci_function *parent, unsigned device,
					    unsigned function);

/*
 * Adds a function of bus 0 that stands for a root bus of its own, as QEMU's pxb does: what is
 * added behind it is on that bus.
 */
struct sim_pci_function *sim_pci_add_root(unsigned device, uint8_t bus);

/* Puts the root bus behind this bridge once more, as by a wrong wire. */
void sim_pci_loop_to_root(struct sim_pci_function *bridge);

/*
 * Set registers as the firmware, or the device itself, would: the bit for several
 * functions; a BAR of this size, with address 0 for none; a bridge's bus numbers.
 */
void sim_pci_set_multifunction(struct sim_pci_function *f);
void sim_pci_set_bar(struct sim_pci_function *f, unsigned index, unsigned flags, uint64_t size,
		     uint64_t address);
void sim_pci_set_bus_numbers(struct sim_pci_function *f, uint8_t primary, uint8_t secondary,
			     uint8_t subordinate);

/* Open a bridge's window, as the firmware would; `end` is exclusive. */
void sim_pci_set_memory_window(struct sim_pci_function *f, uint64_t start, uint64_t end);
void sim_pci_set_prefetchable_window(struct sim_pci_function *f, uint64_t start, uint64_t end);
void sim_pci_set_io_window(struct sim_pci_function *f, uint64_t start, uint64_t end);

/* Puts a capability of these bytes (id and next among them) at an offset. */
void sim_pci_set_capability(struct sim_pci_function *f, unsigned offset, uint8_t id, uint8_t next);

/* Read and write a register directly, whatever bits are writable. */
uint32_t sim_pci_get(const struct sim_pci_function *f, unsigned offset, unsigned width);
void sim_pci_put(struct sim_pci_function *f, unsigned offset, unsigned width, uint32_t value);

/* Returns the address in a BAR, without its flags. */
uint64_t sim_pci_bar_address(const struct sim_pci_function *f, unsigned index);

/*
 * Checks the addresses in all registers: aligned, within the windows of the bridges
 * above and within `windows`, and without overlap. Returns NULL, or what is wrong.
 */
const char *sim_pci_layout_fault(const struct pci_windows *windows);

/* Returns how many BARs have a size and no address. */
unsigned sim_pci_unassigned(void);

/*
 * Hooks for devices whose registers do something; each is NULL at first. `on_read`
 * is called before any read of config space; `on_write` after a register of a
 * function was written; the other two for accesses of 32 bits to other ports.
 */
extern void (*sim_pci_on_read)(void);
extern void (*sim_pci_on_write)(struct sim_pci_function *f, unsigned offset, uint32_t value);
extern uint32_t (*sim_pci_port_read)(uint16_t port);
extern void (*sim_pci_port_write)(uint16_t port, uint32_t value);

extern const char *sim_pci_violation; /* the first one, or NULL */
extern unsigned sim_pci_reads;	      /* of config space, by either mechanism */
extern unsigned sim_pci_writes;
extern uint8_t sim_pci_highest_bus; /* that was asked for */

/* Where paging_map_device() was last called with other than the ECAM window. */
extern paddr_t sim_pci_mapped;
extern uint64_t sim_pci_mapped_size;

#endif
