/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arch/hyperv.h for host tests: what the guest asks is answered by the personality of
 * tests/hypervisor/hyperv.h, on the machine of sim_machine.h. What must be in the guest's memory
 * lies in the simulated RAM, the hypercall page among it.
 */
#ifndef TESTS_SIM_SIM_HYPERV_H
#define TESTS_SIM_SIM_HYPERV_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/hyperv.h"
#include "kernel/lib/types.h"

/* No Hyper-V is known; hyperv_find() will lay its page there. After sim_machine_start(). */
void sim_hyperv_begin(pfn_t hypercall_page);

/*
 * Has the interrupts that wait handled, by the handlers of sim_irq.h. Returns whether there were
 * any. With interrupts off.
 */
bool sim_hyperv_interrupt(void);

/* What the guest has done that ends in an exception, or breaks arch/hyperv.h; NULL: nothing. */
extern const char *sim_hyperv_mistake;

#endif
