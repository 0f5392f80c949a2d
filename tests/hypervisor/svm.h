/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * svm.c: the guest's processor, by AMD's SVM (APM volume 2, chapter 15).
 * exits.c: what the guest does that the hypervisor answers for.
 * interrupts.c: interrupts for the guest.
 */
#ifndef TESTS_HYPERVISOR_SVM_H
#define TESTS_HYPERVISOR_SVM_H

#include <stdint.h>

#include "tests/hypervisor/personality.h"
#include "tests/hypervisor/vmcb.h"

/* What runs: its VMCB, and the registers that are not in there. RAX is in both. */
struct guest {
	struct vmcb *vmcb;
	struct guest_registers registers;
	const struct personality *personality;
};

extern struct guest guest;

/*
 * Turns SVM on, and keeps everything off, NMIs too, but while the guest runs. Without SVM
 * and nested paging the hypervisor dies. First of all.
 */
void svm_enable(void);

/*
 * Makes the guest's processor: as PVH wants it, with `start_info` in EBX, in front of
 * `entry`. It sees memory by the nested tables at `nested_cr3`.
 */
void svm_make_guest(const struct personality *personality, uint64_t entry, uint64_t start_info,
		    uint64_t nested_cr3);

/* Runs the guest. */
_Noreturn void svm_run(void);

/* Answers for an exit of the guest, in exits.c. */
void exit_handle(void);

/* Makes the guest's last instruction an exception of this vector, with an error code of 0. */
void interrupts_raise_gp(void);
void interrupts_raise_ud(void);

/*
 * Before the guest runs on, and after it has come out: what is to be delivered, and what was
 * not.
 */
void interrupts_before_entry(void);
void interrupts_after_exit(void);

#endif
