/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RAM for host tests of drivers with the real allocator: 64 MiB of address
 * space where physical addresses are real ones, so that rings work. The host
 * knows which of its pages exist; an access to one that the device owns is caught
 * (sim_ram_lend()).
 *
 * Also implements what drivers need of the kernel apart from time and log:
 * task_create(), which runs nothing but remembers what it was given, and panic(),
 * which ends the test program.
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

/* What task_create() returns. */
extern int sim_ram_task_err;

/* Called in each task_create(); NULL: nothing is. */
extern void (*sim_ram_on_task)(void);

/* Reserves the addresses; once per program. Returns 0, or -1. */
int sim_ram_reserve(void);

/* Empties the RAM and starts the allocator with `map`, which has the RAM in it. */
void sim_ram_start(const struct memmap *map);

/* Does what sim_ram_start() does, with a map of the RAM alone. */
void sim_ram_start_all(void);

/* Frees the allocator's metadata. */
void sim_ram_stop(void);

/*
 * Lends frames to the device, or takes them back. An access to a lent frame is
 * reported by the address sanitizer. Frames outside this RAM are ignored.
 */
void sim_ram_lend(pfn_t pfn, uint64_t frames, bool to_device);

/* Whether a frame of this RAM is lent to the device. */
bool sim_ram_is_lent(pfn_t pfn);

/* Returns the lowest lent frame from `from` on, or PFN_NONE. */
pfn_t sim_ram_next_lent(pfn_t from);

#endif
