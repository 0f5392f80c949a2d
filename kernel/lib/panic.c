/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way down: write the epitaph first, as printing may fail, then say what
 * happened, where, and the last words.
 */
#include "kernel/lib/panic.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "kernel/lib/epitaph.h"
#include "kernel/lib/hooks.h"

struct epitaph panic_epitaph = { .version = EPITAPH_VERSION, .size = sizeof(panic_epitaph) };

static const struct panic_hooks *hooks;

void panic_set_hooks(const struct panic_hooks *new_hooks)
{
	hooks = new_hooks;
}

_Noreturn static void stop(void)
{
	if (hooks)
		hooks->halt(PANIC_STATUS);
	for (;;)
		;
}

/* `title` is printed before the message, but is no part of it. */
static void begin(const char *title, const char *fmt, va_list args)
{
	struct epitaph *e = &panic_epitaph;

	if (hooks)
		hooks->begin();
	if (e->panicked || !hooks)
		stop();
	e->panicked = 1;
	e->time_ns = lib_time_ns();
	vsnprintf(e->message, sizeof(e->message), fmt, args);
	printf("\n%s%s\n", title, e->message);
}

void panic_begin(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	begin("", fmt, args);
	va_end(args);
}

/*
 * A call that does not return may be the last instruction of its function, and
 * the address after it the next function's: of a return address (`after` 1) the
 * last byte of the call is looked up.
 */
static void note_place(struct epitaph_place *place, uint64_t address, unsigned after)
{
	uint64_t offset = 0;
	const char *symbol = hooks->symbol(address - after, &offset);

	place->address = address;
	place->offset = (uint32_t)offset + after;
	snprintf(place->symbol, sizeof(place->symbol), "%s", symbol ? symbol : "");
}

_Noreturn static void end(const void *frame, uint64_t at, unsigned after)
{
	struct epitaph *e = &panic_epitaph;
	uint64_t address[EPITAPH_DEPTH];
	size_t depth = hooks->backtrace(frame, address, EPITAPH_DEPTH);

	note_place(&e->at, at, after);
	for (size_t i = 0; i < depth; i++)
		note_place(&e->backtrace[i], address[i], 1);
	e->depth = (uint32_t)depth;
	printf("backtrace:\n");
	for (size_t i = 0; i < depth; i++)
		printf("  %08" PRIx64 " %s+%#" PRIx32 "\n", address[i], e->backtrace[i].symbol,
		       e->backtrace[i].offset);
	hooks->last_words();
	printf("Stopped with status %d.\n", PANIC_STATUS);
	stop();
}

void panic_end(const void *frame, uint64_t at)
{
	end(frame, at, 0);
}

void panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	begin("PANIC: ", fmt, args);
	va_end(args);
	end(__builtin_frame_address(0), (uintptr_t)__builtin_return_address(0), 1);
}

__attribute__((format(printf, 2, 3))) static void begin_titled(const char *title, const char *fmt,
							       ...)
{
	va_list args;

	va_start(args, fmt);
	begin(title, fmt, args);
	va_end(args);
}

/* newlib's assert() ends here; where it stands is what matters. */
void __assert_func(const char *file, int line, const char *function, const char *expression);

void __assert_func(const char *file, int line, const char *function, const char *expression)
{
	begin_titled("PANIC: ", "%s:%d: %s: %s does not hold", file, line, function, expression);
	end(__builtin_frame_address(0), (uintptr_t)__builtin_return_address(0), 1);
}
