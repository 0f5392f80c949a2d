/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest_qmp_hypervisor.c: the balloon of a machine that runs the hypervisor for tests
 * (docs/hypervisor.md), which no device of QEMU's is: target and amounts are in the hypervisor's
 * control block (tests/hypervisor/control.h). That lies in the machine's memory, which such a
 * machine shares under a name by which it is known here: an object hypervisor-ram. What the block
 * says is input, each field read once.
 *
 * Errors of all functions: -ENODEV: the machine has no such memory, and guest_error() is left
 * alone; or its hypervisor has no balloon, which guest_error() says. -EPERM: the memory is another
 * user's; -EPROTONOSUPPORT: there is no block in it (yet), or one of another version, or nobody
 * could map it; -EPROTO: the block makes no sense; -ENOMEM; or what qmp.h has. Only guest_qmp.c
 * includes this.
 */
#ifndef TOOLS_BALLOONCTL_GUEST_QMP_HYPERVISOR_H
#define TOOLS_BALLOONCTL_GUEST_QMP_HYPERVISOR_H

#include <stdint.h>

struct guest;
struct guest_state;
struct guest_stats;

/*
 * Fills in the amounts, the target and the driver; DIMMs and devices are there already. Returns 0
 * or an error as above.
 */
int qmp_hypervisor_state(struct guest *guest, struct guest_state *state);

/*
 * Writes a target and rings. `untaken` is how much of what is left the hypervisor does not know
 * of: QEMU's DIMMs. Returns 0 or an error as above.
 */
int qmp_hypervisor_set_target(struct guest *guest, uint64_t bytes_left, uint64_t untaken);

/*
 * Reads what the driver has reported by itself, if its kind does, and whether it lives. Returns 0
 * or an error as above.
 */
int qmp_hypervisor_stats(struct guest *guest, struct guest_stats *stats);

/* Refuses, as nobody can ask: -ENOTSUP. */
int qmp_hypervisor_set_interval(struct guest *guest);

#endif
