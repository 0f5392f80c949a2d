/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Physical memory with ACPI tables in it, and the registers that they name.
 * Each piece of memory is an allocation of its own, so that the sanitizer sees
 * a read beyond it. Implements arch/io.h, arch/mmio.h, arch/paging.h, arch/clock.h
 * and what drivers/acpi needs of arch/irq.h; writes to registers are recorded, in their order.
 */
#ifndef TESTS_SIM_SIM_ACPI_H
#define TESTS_SIM_SIM_ACPI_H

#include "drivers/acpi/acpi.h"

#define SIM_ACPI_WRITES_MAX 1024
#define SIM_ACPI_SCI_ENABLE 1

struct sim_acpi_write {
	bool memory; /* else a port */
	uint64_t address;
	unsigned width;
	uint32_t value;
};

/* Starts anew: no memory, no writes; all ports read as 0. */
void sim_acpi_reset(void);

/* Puts `size` bytes at `paddr`; returns them. */
uint8_t *sim_acpi_add(paddr_t paddr, const void *data, size_t size);

/* Fills in length and checksum of a table's `size` bytes, and adds it. */
uint8_t *sim_acpi_add_table(paddr_t paddr, const char *signature, const void *body,
			    size_t body_size);

/* Sets the byte at `offset` so that all of them add up to 0. */
void sim_acpi_fix_checksum(uint8_t *data, size_t size, size_t offset);

/* Adds an RSDP of revision 0 (only `rsdt`) or 2; returns its bytes. */
uint8_t *sim_acpi_add_rsdp(paddr_t paddr, uint8_t revision, uint32_t rsdt, uint64_t xsdt);

/* Add a root with these tables; return its bytes. */
uint8_t *sim_acpi_add_rsdt(paddr_t paddr, const uint32_t *tables, size_t count);
uint8_t *sim_acpi_add_xsdt(paddr_t paddr, const uint64_t *tables, size_t count);

/* Set what a port reads as; after that, a write of `value` to `smi` sets SCI_EN in it. */
void sim_acpi_set_port(uint16_t port, uint16_t value);
void sim_acpi_set_smi(uint16_t smi, uint8_t value);

/* Set what ports read as, and give what was last written. */
void sim_acpi_set_ports(uint16_t port, unsigned width, uint32_t value);
uint32_t sim_acpi_get_ports(uint16_t port, unsigned width);

/* Has ones that are written to these ports clear their bits, as in status registers. */
void sim_acpi_clear_by_ones(uint16_t port, unsigned width);

/* While it is set, nothing answers to ports: they read as ones. */
extern bool sim_acpi_empty_bus;

/* Called after each write to a port, for registers that do something; NULL at first. */
extern void (*sim_acpi_on_port_write)(uint16_t port, uint32_t value);

/* Called before each read of a port; NULL at first. */
extern void (*sim_acpi_on_port_read)(uint16_t port, unsigned width);

/* Sets what a register in memory reads as, once: it is 0 then, unless it was all ones. */
void sim_acpi_set_memory(paddr_t address, uint32_t value);

/* What irq_register_gsi() was told, and gives (0, or an error). */
extern uint32_t sim_acpi_gsi;
extern bool sim_acpi_level;
extern int sim_acpi_irq_err;

/* Tells whether it has a handler; calls that, and gives what it says. */
bool sim_acpi_has_handler(void);
bool sim_acpi_interrupt(void);

extern struct sim_acpi_write sim_acpi_writes[SIM_ACPI_WRITES_MAX];
extern size_t sim_acpi_write_count;

/* Looks at the clock since the reset; it stands at 0 while the other is set. */
extern unsigned sim_acpi_looks;
extern bool sim_acpi_clock_stands;

/* The time between two looks: at first 100 ms, in which the guest is stopped. */
extern uint64_t sim_acpi_look_ns;

/* No register in memory can be mapped; until sim_acpi_reset(). */
extern bool sim_acpi_refuses_windows;

/* Reads of a 16-bit port after which ACPI mode is there by itself; 0: it is not. */
extern unsigned sim_acpi_smi_reads;

#endif
