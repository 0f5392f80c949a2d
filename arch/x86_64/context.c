/* SPDX-License-Identifier: BSD-2-Clause */
/* A new task's stack, laid out as if context_switch() had left it. */
#include "arch/context.h"

#include <assert.h>

/* switch.S */
extern void context_begin(void);

/* As context_switch() pops it, lowest address first. */
struct saved_registers {
	uint64_t r15, r14, r13, r12, rbp, rbx;
	uint64_t return_address;
};

_Static_assert(sizeof(struct saved_registers) == 7 * 8, "switch.S");

void context_init(struct context *context, void *top, void (*fn)(void *), void *arg)
{
	/* One word lower: a function finds RSP 8 off a multiple of 16. */
	struct saved_registers *saved = (void *)((char *)top - 16 - sizeof(*saved));

	assert((uintptr_t)top % 16 == 0);
	*saved = (struct saved_registers){
		.r12 = (uint64_t)(uintptr_t)fn,
		.r13 = (uint64_t)(uintptr_t)arg,
		.return_address = (uint64_t)(uintptr_t)context_begin,
	};
	context->stack_pointer = (uint64_t)(uintptr_t)saved;
}
