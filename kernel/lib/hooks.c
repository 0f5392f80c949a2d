/* SPDX-License-Identifier: BSD-2-Clause */
/* The console, the clock and the Ctrl-C that the library was handed: see hooks.h. */
#include "kernel/lib/hooks.h"

static void (*write_text)(const char *text, size_t length);
static uint64_t (*read_clock)(void);
static bool (*is_interrupted)(void);

void lib_set_console(void (*write)(const char *text, size_t length))
{
	write_text = write;
}

void lib_set_clock(uint64_t (*clock)(void))
{
	read_clock = clock;
}

void lib_set_interrupted(bool (*interrupted)(void))
{
	is_interrupted = interrupted;
}

bool lib_interrupted(void)
{
	return is_interrupted && is_interrupted();
}

void lib_write(const char *text, size_t length)
{
	if (write_text)
		write_text(text, length);
}

uint64_t lib_time_ns(void)
{
	return read_clock ? read_clock() : 0;
}
