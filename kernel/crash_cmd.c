/* SPDX-License-Identifier: BSD-2-Clause */
/* crash: ends the kernel in a way of one's choice, to see what that looks like. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "arch/cpu.h"
#include "arch/irq_flags.h"
#include "kernel/console.h"
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
static int go_down(int depth)
{
	volatile char room[256];

	room[0] = (char)depth;
	return depth == 0 ? 0 : go_down(depth - 1) + room[0];
}

static int overflow_stack(void)
{
	return go_down(STACK_SIZE);
}

static int just_panic(void)
{
	panic("crash: as you wish");
}

static int fail_assertion(void)
{
	volatile int apples = 3;

	assert(apples == 4);
	return 0;
}

/* Nothing ends this: a machine that is there, and a guest that is not. */
static int hang(void)
{
	printf("crash: hanging\n");
	console_flush();
	irq_disable();
	for (;;)
		cpu_relax();
	return 0;
}

/* Interrupts come, and no task has its turn any more. */
static int spin(void)
{
	printf("crash: spinning\n");
	for (;;)
		cpu_relax();
	return 0;
}

static const struct {
	const char *name;
	int (*go)(void);
} ways[] = {
	{ "null", read_null },	 { "code", write_code },
	{ "data", run_data },	 { "stack", overflow_stack },
	{ "panic", just_panic }, { "assert", fail_assertion },
	{ "hang", hang },	 { "spin", spin },
};

/* The kernel should have ended. */
static int go_on_after(int result)
{
	printf("crash: it made no difference (%d)\n", result);
	return -EIO;
}

static int cmd_crash(int argc, char **argv)
{
	if (argc != 2)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		if (strcmp(argv[1], ways[i].name) == 0)
			return go_on_after(ways[i].go());
	printf("crash: unknown way %s; choose", argv[1]);
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		printf("%s %s", i > 0 ? "," : "", ways[i].name);
	printf("\n");
	return -ERANGE;
}
COMMAND("crash", "WAY", "end the kernel, to see what that looks like",
	"null reads a null pointer, code writes into code, data runs data, stack\n"
	"overflows the stack, panic panics, assert fails an assertion. QEMU ends with the\n"
	"status of a panic. hang does not end: the guest says and does nothing any more;\n"
	"spin neither, but it hears interrupts, such as the power button's second press.",
	cmd_crash);
