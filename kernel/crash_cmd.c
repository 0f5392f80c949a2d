/* SPDX-License-Identifier: BSD-2-Clause */
/* crash: ends the kernel in a way of one's choice, to see what that looks like. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "kernel/lib/command.h"
#include "kernel/lib/panic.h"
#include "mm/stack.h"

static int read_null(void)
{
	/* Through an integer that the compiler cannot see through. */
	volatile uintptr_t address = 8;

	return *(volatile int *)address;
}

static int write_code(void)
{
	volatile uintptr_t address = (uintptr_t)write_code;

	*(volatile char *)address = 0;
	return 0;
}

static int run_data(void)
{
	static volatile char data[] = "\xc3"; /* a return instruction */
	volatile uintptr_t address = (uintptr_t)data;

	((void (*)(void))address)();
	return 0;
}

/* As deep as it is told: deeper than any stack. */
static int overflow_stack(int depth)
{
	volatile char room[256];

	room[0] = (char)depth;
	return depth == 0 ? 0 : overflow_stack(depth - 1) + room[0];
}

static int fail_assertion(void)
{
	volatile int apples = 3;

	assert(apples == 4);
	return 0;
}

static int cmd_crash(int argc, char **argv)
{
	if (argc != 2)
		return -EINVAL;
	if (strcmp(argv[1], "null") == 0)
		return read_null();
	if (strcmp(argv[1], "code") == 0)
		return write_code();
	if (strcmp(argv[1], "data") == 0)
		return run_data();
	if (strcmp(argv[1], "stack") == 0)
		return overflow_stack(STACK_SIZE);
	if (strcmp(argv[1], "panic") == 0)
		panic("crash: as you wish");
	if (strcmp(argv[1], "assert") == 0)
		return fail_assertion();
	return -EINVAL;
}
COMMAND("crash", "null|code|data|stack|panic|assert", "end the kernel, to see what that looks like",
	"null reads a null pointer, code writes into code, data runs data, stack overflows\n"
	"the stack, panic panics, assert asserts what is not so. QEMU ends with the status of a "
	"panic.",
	cmd_crash);
