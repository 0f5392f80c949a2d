/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine of a hypervisor's personality (tests/hypervisor/personality.h) in host tests: its
 * guest is this program, whose RAM is sim_ram.h's. A frame that the host has is lent: the address
 * sanitizer ends a test that touches it. Time is that of sim_time.h.
 */
#ifndef TESTS_SIM_SIM_MACHINE_H
#define TESTS_SIM_SIM_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/hypervisor/control.h"
#include "tests/hypervisor/host_frames.h"
#include "tests/hypervisor/personality.h"

#define SIM_MACHINE_TSC_KHZ 2500000

struct sim_machine {
	const struct personality *personality; /* NULL: a machine without a hypervisor */
	uint64_t first, frames;		       /* its RAM */
	bool blind; /* what the host has is not guarded: after lies only it knows what */
	void (*interrupt)(uint8_t vector); /* NULL: nobody hears it */
};

extern struct sim_machine sim_machine;

/*
 * Power-on: so many frames from the start of the simulated RAM on, all of them the guest's; a
 * control block of zeros; the personality starts. After sim_ram_start().
 */
void sim_machine_begin(const struct personality *personality, uint64_t frames);

/* Reset: the control block and the RAM stay, and the host has nothing. */
void sim_machine_restart(void);

/* Returns the guest's first mistake; NULL: there was none. */
const char *sim_machine_violation(void);

#endif
