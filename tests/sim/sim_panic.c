/* SPDX-License-Identifier: BSD-2-Clause */
/* A panic that the test survives; see sim_panic.h. */
#include "tests/sim/sim_panic.h"

#include <stdarg.h>
#include <stdio.h>

#include "kernel/lib/panic.h"

jmp_buf sim_panic_return;
char sim_panic_words[120];

void panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(sim_panic_words, sizeof(sim_panic_words), fmt, args);
	va_end(args);
	longjmp(sim_panic_return, 1);
}
