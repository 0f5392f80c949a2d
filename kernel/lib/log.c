/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's log: a ring of lines in static memory, so that it works before
 * there is any other. An interrupt may come at any point and log, too: it takes
 * the next entry then, and nobody waits. An entry says which line it holds, so
 * that a reader notices one that was overwritten under its eyes.
 */
#include "kernel/lib/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kernel/lib/escape.h"
#include "kernel/lib/hooks.h"

struct log_entry {
	uint64_t number; /* 1 + that of its line, written last; 0: empty */
	uint64_t ns;
	char line[LOG_LINE_MAX + 1];
};

static struct log_entry ring[LOG_LINES];

static void (*show_line)(const char *line, size_t length) = lib_write;

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

/* Taking a number is one instruction; what follows may be interrupted. */
static void keep(uint64_t ns, const char *line)
{
	uint64_t i = __atomic_fetch_add(&line_count, 1, __ATOMIC_RELAXED);
	struct log_entry *entry = &ring[i % LOG_LINES];

	entry->ns = ns;
	strcpy(entry->line, line);
	__atomic_store_n(&entry->number, i + 1, __ATOMIC_RELEASE);
}

static void log_line(const char *prefix, bool show, const char *fmt, va_list args)
{
	char line[LOG_LINE_MAX + sizeof("\n")];
	char raw[sizeof(line)];
	size_t length;

	if (vsnprintf(raw, sizeof(raw), fmt, args) < 0)
		return;
	length = append_escaped(line, 0, prefix);
	length = append_escaped(line, length, raw);
	keep(lib_time_ns(), line);
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

/* Copies line number i; false if it is not there any more. */
static bool copy_line(uint64_t i, struct log_entry *copy)
{
	const struct log_entry *entry = &ring[i % LOG_LINES];

	*copy = *entry;
	/* An interrupt that wrote into it meanwhile has written the number, too. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&entry->number, __ATOMIC_RELAXED) == i + 1;
}

void log_for_each(void (*fn)(uint64_t ns, const char *line, void *arg), void *arg)
{
	/* `fn` may sleep and may log: what is logged meanwhile is not shown. */
	uint64_t end = line_count;
	uint64_t i = end > LOG_LINES ? end - LOG_LINES : 0;
	struct log_entry entry;

	for (; i < end; i++)
		if (copy_line(i, &entry))
			fn(entry.ns, entry.line, arg);
}
