/* SPDX-License-Identifier: BSD-2-Clause */
/* The way down: say what happened, where, and what memory looked like. */
#include "kernel/lib/panic.h"

#include <stdarg.h>
#include <stdio.h>

#include "arch/cpu.h"
#include "arch/irq.h"
#include "kernel/console.h"
#include "kernel/show_mem.h"

static bool panicking;

_Noreturn static void stop(void)
{
	cpu_debug_exit(PANIC_STATUS);
	cpu_halt();
}

void panic_begin(void)
{
	irq_disable();
	if (panicking)
		stop();
	panicking = true;
	console_use_polling();
}

void panic_end(const void *frame)
{
	cpu_print_backtrace(frame);
	show_mem();
	printf("Stopped with status %d.\n", PANIC_STATUS);
	stop();
}

void panic(const char *fmt, ...)
{
	char message[200];
	va_list args;

	panic_begin();
	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	printf("\nPANIC: %s\n", message);
	panic_end(__builtin_frame_address(0));
}

/* newlib's assert() ends here. */
void __assert_func(const char *file, int line, const char *function, const char *expression);

void __assert_func(const char *file, int line, const char *function, const char *expression)
{
	panic("%s:%d: %s: %s does not hold", file, line, function, expression);
}
