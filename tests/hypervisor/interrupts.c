/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts for the guest: none is lost, and each comes when the guest lets it.
 *
 * If the guest can take one now, it is injected (EVENTINJ). If not, V_IRQ waits in its stead,
 * and its delivery is intercepted: at that exit the guest can take one. Under TCG a physical
 * interrupt that is delivered to the guest takes V_IRQ away with it, so while one waits, these
 * are intercepted as well: at such an exit the guest can take ours, and the physical one, which
 * is still pending, comes after it.
 *
 * TCG may deliver an injected interrupt twice: it keeps the vector as the exception that is
 * under way, and meets it again if the first code that runs then is left early. One that is
 * injected as INT n does not stay. That is refused outside of ring 0, where some come twice, as
 * they may on any line that is shared.
 */
#include "tests/hypervisor/svm.h"

#include "tests/hypervisor/control.h"

#define VECTOR_GP 13
#define VECTOR_UD 6
#define RFLAGS_IF 0x200
#define VECTORS 256
#define WORD_BITS 64

static uint64_t waiting[VECTORS / WORD_BITS];

void machine_interrupt(uint8_t vector)
{
	waiting[vector / WORD_BITS] |= UINT64_C(1) << vector % WORD_BITS;
}

/* The highest vector that waits, as a local APIC has it; -1: none does. */
static int highest_waiting(void)
{
	for (int i = VECTORS / WORD_BITS - 1; i >= 0; i--)
		if (waiting[i])
			return i * WORD_BITS + WORD_BITS - 1 - __builtin_clzll(waiting[i]);
	return -1;
}

static void raise_exception(uint64_t vector, uint64_t with_error_code)
{
	guest.vmcb->event_injection = EVENT_VALID | EVENT_TYPE_EXCEPTION | with_error_code | vector;
}

void interrupts_raise_gp(void)
{
	raise_exception(VECTOR_GP, EVENT_ERROR_CODE);
}

void interrupts_raise_ud(void)
{
	raise_exception(VECTOR_UD, 0);
}

static uint64_t event_type(const struct vmcb *vmcb)
{
	return vmcb->cpl == 0 ? EVENT_TYPE_SOFTWARE : EVENT_TYPE_INTR;
}

static void open_window(struct vmcb *vmcb, bool open)
{
	const uint32_t intercepts = INTERCEPT_VINTR | INTERCEPT_INTR;

	if (open) {
		vmcb->virtual_interrupt |= V_IRQ | V_IGN_TPR | UINT64_C(0xf) << V_INTR_PRIO_SHIFT;
		vmcb->intercept_misc1 |= intercepts;
	} else {
		vmcb->virtual_interrupt = 0;
		vmcb->intercept_misc1 &= ~intercepts;
	}
}

void interrupts_before_entry(void)
{
	struct vmcb *vmcb = guest.vmcb;
	int vector = highest_waiting();
	bool now = (vmcb->rflags & RFLAGS_IF) && !(vmcb->interrupt_shadow & INTERRUPT_SHADOW) &&
		   !(vmcb->event_injection & EVENT_VALID);

	if (vector >= 0 && now) {
		vmcb->event_injection = EVENT_VALID | event_type(vmcb) | (uint64_t)vector;
		waiting[vector / WORD_BITS] &= ~(UINT64_C(1) << vector % WORD_BITS);
		hv_control.common.interrupts++;
		vector = highest_waiting();
	}
	open_window(vmcb, vector >= 0);
}

/* The exit came in the middle of an event's delivery: it is delivered again. */
void interrupts_after_exit(void)
{
	struct vmcb *vmcb = guest.vmcb;

	vmcb->event_injection = 0;
	if (vmcb->exit_interrupt_info & EVENT_VALID)
		vmcb->event_injection = vmcb->exit_interrupt_info;
}
