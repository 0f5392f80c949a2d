/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMware, if the guest runs on it: found by CPUID, and the one instruction by which its balloon is
 * spoken with. What there is to say is in drivers/balloon/port/vmware_abi.h.
 */
#ifndef ARCH_VMWARE_H
#define ARCH_VMWARE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Tells whether the hypervisor says that it is VMware. Only then may it be spoken to: others
 * have other things at that port, or imitate a part of it.
 */
bool vmware_is_there(void);

/* What it answers. */
struct vmware_answer {
	uint32_t status;
	uint32_t capabilities; /* means something after START alone */
	uint64_t result;
};

/*
 * Gives the balloon a command, which may write into the batch page that it names. Done when this
 * returns. May be called with interrupts off. With nobody there the status is 0xffffffff.
 */
struct vmware_answer vmware_balloon_command(uint32_t command, uint64_t first, uint32_t second);

#endif
