/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated PCI bus: config space behind the ports 0xcf8 and 0xcfc and
 * behind an ECAM window, with bridges that route by their bus numbers, and BARs
 * behind which a device can have registers.
 *
 * A function is 4 KiB of bytes and a mask of the bits that writes reach; BAR
 * sizing, bridge registers and all else follow from those two. It watches the
 * code under test: what would disturb a real machine is a violation, and a test
 * ends with assert_null(sim_pci_violation).
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
	struct sim_pci_function *parent; /* the bridge before it; NULL on the root bus */
	struct sim_pci_function *behind; /* of a bridge: whose children are behind it */
	unsigned device, function;
	uint8_t config[SIM_PCI_CONFIG_SIZE];
	uint8_t writable[SIM_PCI_CONFIG_SIZE];
	bool gone;     /* reads as all ones, writes do nothing */
	bool stubborn; /* keeps what it has, whatever is written */

	/* Its registers: a BAR, the offset in it, and bytes. NULL: it has none. */
	uint32_t (*read)(struct sim_pci_function *f, unsigned bar, uint64_t offset, unsigned width);
	void (*write)(struct sim_pci_function *f, unsigned bar, uint64_t offset, unsigned width,
		      uint32_t value);
};

/* An empty bus, both mechanisms there, no violation, no counts. */
void sim_pci_reset(void);

/* The machine has no ports 0xcf8 and 0xcfc. */
void sim_pci_remove_ports(void);

/* paging_map_device() fails with this error from here on; 0: no longer. */
void sim_pci_fail_mapping(int err);

struct sim_pci_function *sim_pci_add(struct sim_pci_function *parent, unsigned device,
				     unsigned function, uint16_t vendor, uint16_t id,
				     uint32_t class);

/* With 64-bit prefetchable window, and registers as after a reset: all zero. */
struct sim_pci_function *sim_pci_add_bridge(struct sim_pci_function *parent, unsigned device,
					    unsigned function);

/* What is behind this bridge is the root bus again, as by a wrong wire. */
void sim_pci_loop_to_root(struct sim_pci_function *bridge);

void sim_pci_set_multifunction(struct sim_pci_function *f);
void sim_pci_set_bar(struct sim_pci_function *f, unsigned index, unsigned flags, uint64_t size,
		     uint64_t address);
void sim_pci_set_bus_numbers(struct sim_pci_function *f, uint8_t primary, uint8_t secondary,
			     uint8_t subordinate);

/* As the firmware would; `end` is exclusive. */
void sim_pci_set_memory_window(struct sim_pci_function *f, uint64_t start, uint64_t end);
void sim_pci_set_prefetchable_window(struct sim_pci_function *f, uint64_t start, uint64_t end);
void sim_pci_set_io_window(struct sim_pci_function *f, uint64_t start, uint64_t end);

/* Puts a capability of these bytes (id and next among them) at an offset. */
void sim_pci_set_capability(struct sim_pci_function *f, unsigned offset, uint8_t id, uint8_t next);

/* A register, as the device holds it. */
uint32_t sim_pci_get(const struct sim_pci_function *f, unsigned offset, unsigned width);
void sim_pci_put(struct sim_pci_function *f, unsigned offset, unsigned width, uint32_t value);

/* What a BAR holds, without its flags. */
uint64_t sim_pci_bar_address(const struct sim_pci_function *f, unsigned index);

/*
 * Whether the addresses in the registers can work: aligned, within the windows
 * of the bridges above and `windows`, and none twice. NULL, or what is wrong.
 */
const char *sim_pci_layout_fault(const struct pci_windows *windows);

/* BARs that have a size and no address. */
unsigned sim_pci_unassigned(void);

/*
 * For devices whose registers do something. Each is NULL at first. `on_read` is
 * called before config space is read, whoever answers; `on_write` after a
 * register of a function was written; the other two for ports that are not
 * config space's, 32 bits wide.
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
