/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine around a personality (tests/hypervisor/personality.h) for host tests: its RAM is that
 * of sim_ram.h, a frame that the host has is guarded by the address sanitizer, and interrupts wait
 * until the test takes them. Implements the machine_* functions and hv_control.
 *
 * The calls of a guest go through here, so that the personality has its turn after each, as after
 * each exit of a real one.
 */
#ifndef TESTS_SIM_SIM_MACHINE_H
#define TESTS_SIM_SIM_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/hypervisor/control.h"
#include "tests/hypervisor/host_frames.h"
#include "tests/hypervisor/personality.h"
#include "tests/sim/sim_ram.h"

/*
 * The guest begins: the RAM is all its own but for the last `spare` frames, which are spare ones.
 * Zeroes hv_control, so that a test's wishes come after this; sim_machine_reset() keeps them. The
 * RAM must be reserved (sim_ram_reserve()).
 */
void sim_machine_start(const struct personality *personality, uint64_t spare);

/* Resets the guest: it has all of its RAM again, and the personality starts anew. */
void sim_machine_reset(void);

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

/* The guest's first mistake; NULL: there was none. */
const char *sim_machine_violation(void);

#endif
