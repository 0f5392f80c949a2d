/* SPDX-License-Identifier: BSD-2-Clause */
/* machine.c: the guest's memory and time, for personalities (personality.h) and for exits.c. */
#ifndef TESTS_HYPERVISOR_MACHINE_H
#define TESTS_HYPERVISOR_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/hypervisor/memory_map.h"

/* The hypervisor's own memory: a physical address, and bytes. */
struct own_memory {
	uint64_t address, size;
};

/*
 * Begins: the guest's RAM is that of `map`, and `spare_size` bytes at `spare`, which the host has.
 * Time begins, too. After host_frames_init() and npt_init().
 */
void machine_init(const struct memory_map *map, const struct own_memory *own, uint64_t spare,
		  uint64_t spare_size);

/* Tells whether an address is the hypervisor's own. */
bool machine_is_own(uint64_t address);

/* Makes an NMI of what QMP's inject-nmi gives to the local APIC; some firmware does not. */
void machine_open_doorbell(void);

/*
 * Measures the rate of the time-stamp counter, with the local APIC's timer, for 2 ms. Where
 * there is no APIC, the hypervisor dies when the rate is asked for.
 */
void machine_measure_tsc(void);

/* The control block is valid from here on; what a test wrote before a reset is kept. */
void machine_publish(const char *personality, uint64_t own_frames);

#endif
