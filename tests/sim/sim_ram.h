/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RAM for host tests of drivers with the real allocator: 64 MiB of address
 * space where physical addresses are real ones, so that rings work. An access to a
 * frame that the device owns can be caught (sim_ram_lend()).
 *
 * It also has what drivers need of the kernel besides time and log: task_create(),
 * which runs nothing but remembers its argument, and panic(), which ends the test
 * program.
 */
#ifndef TESTS_SIM_SIM_RAM_H
#define TESTS_SIM_SIM_RAM_H

#include "mm/frame.h"

#define SIM_RAM_START UINT64_C(0x10000000)
#define SIM_RAM_FRAMES (UINT64_C(64) * MIB / FRAME_SIZE)

/* The RAM as a range of a struct memmap. */
#define SIM_RAM_RANGE \
	{ \
		SIM_RAM_START / FRAME_SIZE, SIM_RAM_START / FRAME_SIZE + SIM_RAM_FRAMES \
	}

/* The function of the task that was created last; NULL: there was none. */
extern void (*sim_ram_task)(void *arg);

/* Reserves the addresses, once per program. Returns 0, or -1: they are taken. */
int sim_ram_reserve(void);

/* Empties the RAM and gives the allocator all memory of `map`, this RAM among it. */
void sim_ram_start(const struct memmap *map);

/* Empties the RAM and gives the allocator this RAM alone. */
void sim_ram_start_all(void);

/* Gives the allocator's metadata back. */
void sim_ram_stop(void);

/*
 * Makes frames the device's, or the guest's again. An access to a frame of the
 * device's is reported by the address sanitizer. Frames outside of this RAM are
 * ignored.
 */
void sim_ram_lend(pfn_t pfn, uint64_t frames, bool to_device);

/* Tells whether a frame of this RAM is the device's. */
bool sim_ram_is_lent(pfn_t pfn);

#endif
