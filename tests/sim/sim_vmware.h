/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMware for host tests: arch/vmware.h by the personality of tests/hypervisor/vmware.c, on the
 * machine of sim_machine.h.
 */
#ifndef TESTS_SIM_SIM_VMWARE_H
#define TESTS_SIM_SIM_VMWARE_H

#include "tests/hypervisor/vmware.h"
#include "tests/sim/sim_machine.h"

/* Called before each command is obeyed; NULL: nothing is. */
extern void (*sim_vmware_on_command)(uint32_t command);

/* Power-on of a machine of VMware's, with so many frames of RAM. */
void sim_vmware_begin(uint64_t frames);

/* Its control page. */
struct vmware_control *sim_vmware(void);

/* The host wants so many frames. */
void sim_vmware_want(uint64_t frames);

/* Tells these lies from now on, and no others: a row, or two. */
void sim_vmware_lie(const struct vmware_lie *lie);
void sim_vmware_lie_twice(const struct vmware_lie *lie, const struct vmware_lie *other);

/* No lies any more, and no frame that it cannot take; what was withheld stays so. */
void sim_vmware_behave(void);

/* The host forgets the balloon, and says so at the next command. */
void sim_vmware_forget(void);

#endif
