/* SPDX-License-Identifier: BSD-2-Clause */
/* The inputs of the I/O APICs that irq_add_ioapic() told of. */
#ifndef ARCH_X86_64_IOAPIC_H
#define ARCH_X86_64_IOAPIC_H

#include <stdbool.h>
#include <stdint.h>

/* Leads an input to a vector of this processor. -ENODEV: no I/O APIC has it. */
int ioapic_open(uint32_t gsi, unsigned vector, bool level);

/* Masks an input again. */
void ioapic_close(uint32_t gsi);

#endif
