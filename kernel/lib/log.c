/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's log: a ring of lines in static memory, so that it works before
 * there is any other. Interrupts are off only while a line is copied in or
 * out, as a handler may log too.
 */
#include "kernel/lib/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/irq.h"
#include "kernel/lib/console.h"
#include "kernel/lib/escape.h"

#define LOG_LINES 256

struct log_entry {
	uint64_t ns;
	char line[LOG_LINE_MAX + 1];
};

static struct log_entry ring[LOG_LINES];

static void (*show_line)(const char *line, size_t length) = console_write;

/* Lines ever kept; line number i lies in ring[i % LOG_LINES]. */
static uint64_t line_count;

/* Appends what fits of `text`, whole escapes only; returns the new length. */
static size_t append_escaped(char line[LOG_LINE_MAX + 1], size_t length, const char *text)
{
	char piece[ESCAPE_MAX];
	size_t n;

	for (; *text; text++) {
		n = escape_byte((unsigned char)*text, piece);
		if (length + n > LOG_LINE_MAX)
			break;
		memcpy(line + length, piece, n);
		length += n;
	}
	line[length] = '\0';
	return length;
}

static void keep(uint64_t ns, const char *line, size_t length)
{
	uint64_t flags = irq_save();
	struct log_entry *entry = &ring[line_count++ % LOG_LINES];

	entry->ns = ns;
	memcpy(entry->line, line, length + 1);
	irq_restore(flags);
}

static void log_line(const char *prefix, bool show, const char *fmt, va_list args)
{
	/* One byte for the NUL, then for the newline. */
	char line[LOG_LINE_MAX + 2];
	char raw[LOG_LINE_MAX + 1];
	size_t length;

	if (vsnprintf(raw, sizeof(raw), fmt, args) < 0)
		return;
	length = append_escaped(line, 0, prefix);
	length = append_escaped(line, length, raw);
	keep(clock_ns(), line, length);
	if (show) {
		line[length] = '\n';
		show_line(line, length + 1);
	}
}

void log_set_show(void (*show)(const char *line, size_t length))
{
	show_line = show;
}

void log_info(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line("", true, fmt, args);
	va_end(args);
}

void log_warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line("warning: ", true, fmt, args);
	va_end(args);
}

void log_debug(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line("", false, fmt, args);
	va_end(args);
}

/* Copies line number *i or, if that is overwritten, the oldest, and moves *i there. */
static bool copy_line(uint64_t *i, uint64_t end, struct log_entry *entry)
{
	uint64_t flags = irq_save();

	if (line_count - *i > LOG_LINES)
		*i = line_count - LOG_LINES;
	if (*i < end)
		*entry = ring[*i % LOG_LINES];
	irq_restore(flags);
	return *i < end;
}

void log_for_each(void (*fn)(uint64_t ns, const char *line, void *arg), void *arg)
{
	/* `fn` may sleep and may log: what is logged meanwhile is not shown. */
	uint64_t end = line_count;
	struct log_entry entry;

	for (uint64_t i = 0; copy_line(&i, end, &entry); i++)
		fn(entry.ns, entry.line, arg);
}
