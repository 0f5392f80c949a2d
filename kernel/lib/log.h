/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's log: what happened, in the order it happened. Every line goes
 * to the console at once and is kept, with its time, for `dmesg`; when there
 * are LOG_LINES the oldest makes room.
 *
 * A line begins with its module ("pci: ...") and has no newline at its end.
 * May be called before any initialisation and from an interrupt; never
 * allocates. Lines over LOG_LINE_MAX bytes are cut. Bytes that are not
 * printable ASCII are kept as \xNN, so no outside text can steer a terminal.
 */
#ifndef KERNEL_LIB_LOG_H
#define KERNEL_LIB_LOG_H

#include "kernel/lib/types.h"

#define LOG_LINES 256
#define LOG_LINE_MAX 200

/* Logs and shows. */
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Logs what a person should look at: shown with "warning: " in front. */
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Logs only: not onto the console. */
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Tells whether a line of a kind that others cause at will is due `now`, as there was none of it
 * in the second before. `*said_ns`: 0 at first, and from then on when it was said last.
 */
static inline bool log_is_due(uint64_t *said_ns, uint64_t now)
{
	if (*said_ns > 0 && now - *said_ns < NS_PER_S)
		return false;
	*said_ns = max_u64(now, 1);
	return true;
}

/*
 * From here on `show` puts lines onto the console, each with its newline; at
 * first lib_write() (hooks.h) does. It may be called from an interrupt.
 */
void log_set_show(void (*show)(const char *line, size_t length));

/*
 * Calls `fn` for each kept line, oldest first; `ns` is its time since boot. Not from an
 * interrupt, which may have come while a line was being written.
 */
void log_for_each(void (*fn)(uint64_t ns, const char *line, void *arg), void *arg);

#endif
