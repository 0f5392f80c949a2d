/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RAM for host tests of drivers with the real allocator: 64 MiB of address
 * space where physical addresses are real ones, so that rings work. Which of
 * its pages exist, the host can be asked; who touches one that the device owns
 * can be caught (sim_ram_lend()).
 *
 * And what drivers need of the kernel beside time and log: task_create(), which
 * runs nothing but remembers what it was given, and panic(), which ends the test
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

/* Once per program: reserves the addresses. 0, or -1. */
int sim_ram_reserve(void);

/* All of it is empty again, and the allocator's, together with what else is in @map. */
void sim_ram_start(const struct memmap *map);

/* The same for the RAM alone. */
void sim_ram_start_all(void);

/* Gives the allocator's metadata back. */
void sim_ram_stop(void);

/*
 * From now on the frames are the device's, or the guest's again: whoever touches
 * what is the device's gets a report of the address sanitizer. Frames that are
 * not in this RAM are passed over.
 */
void sim_ram_lend(pfn_t pfn, uint64_t frames, bool to_device);

/* Whether a frame of this RAM is the device's. */
bool sim_ram_is_lent(pfn_t pfn);

#endif
