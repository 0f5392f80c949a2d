/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine around a personality (tests/hypervisor/personality.h) for host tests: its guest is
 * this program, whose RAM is sim_ram.h's. A frame that the host has is lent: the address sanitizer
 * ends a test that touches it. Interrupts wait until the test takes them. Implements the machine_*
 * functions and hv_control.
 *
 * A guest of a personality that has to have a turn after each exit calls it from here.
 */
#ifndef TESTS_SIM_SIM_MACHINE_H
#define TESTS_SIM_SIM_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/hypervisor/control.h"
#include "tests/hypervisor/host_frames.h"
#include "tests/hypervisor/personality.h"
#include "tests/sim/sim_ram.h"

/* The rate of its time-stamp counter. */
#define SIM_MACHINE_TSC_KHZ 2400000

struct sim_machine {
	const struct personality *personality; /* NULL: a machine without a hypervisor */
	uint64_t first, frames;		       /* its RAM */
	bool blind; /* what the host has is not guarded: after lies only it knows what */
	uint64_t spare;			       /* frames after it that the guest is not told of */
};

extern struct sim_machine sim_machine;

/*
 * Power-on: so many frames from the start of the simulated RAM on, all of them the guest's; a
 * control block of zeros; the personality starts. After sim_ram_start(), or sim_ram_reserve().
 */
void sim_machine_begin(const struct personality *personality, uint64_t frames);

/* Power-on with all of the simulated RAM, of which the last `spare` frames are spare ones. */
void sim_machine_start(const struct personality *personality, uint64_t spare);

/* Reset: the control block stays, and the host has nothing but what is spare. */
void sim_machine_restart(void);

/* What the guest does, with a turn of the personality's after it. False: an exception. */
void sim_machine_cpuid(uint32_t leaf, struct guest_cpuid *out);
bool sim_machine_msr_read(uint32_t msr, uint64_t *value);
bool sim_machine_msr_write(uint32_t msr, uint64_t value);
bool sim_machine_hypercall(struct guest_registers *registers);
bool sim_machine_port_in(uint16_t port, struct guest_registers *registers);

/* The test rings. */
void sim_machine_ring(void);

/* Takes an interrupt that waits. Returns whether there was one. */
bool sim_machine_take_interrupt(uint8_t *vector);

/* Called when there is an interrupt to take, in the middle of the call; NULL: nothing is. */
extern void (*sim_machine_on_interrupt)(void);

/* The guest's time, in units of 100 ns. */
extern uint64_t sim_machine_time;

/* Returns the guest's first mistake; NULL: there was none. */
const char *sim_machine_violation(void);

#endif
