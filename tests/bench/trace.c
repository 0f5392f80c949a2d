/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU's trace, read while it is written: see trace.h for the contract. The
 * lines are those of its "log" backend, which is what distributions build:
 *
 *	PID@SECONDS.MICROSECONDS:virtio_set_status vdev 0x... val 15
 *	PID@SECONDS.MICROSECONDS:virtio_balloon_set_config actual: 1 oldactual: 0
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/bench/trace.h"
#include "tools/deadline.h"

#define POLL_US 1000

int trace_open(struct trace *t)
{
	memset(t, 0, sizeof(*t));
	/* Not closed on exec: QEMU opens it anew by its number. */
	t->fd = memfd_create("trace", 0);
	if (t->fd < 0)
		return -errno;
	snprintf(t->path, sizeof(t->path), "/proc/self/fd/%d", t->fd);
	return 0;
}

void trace_close(struct trace *t)
{
	close(t->fd);
	t->fd = -1;
}

/* Copies the next line, without its end; false if there is none yet. */
static bool next_line(struct trace *t, char *line, size_t size)
{
	char *end = memchr(t->text, '\n', t->len);
	size_t len;

	if (!end) {
		ssize_t n = read(t->fd, t->text + t->len, sizeof(t->text) - t->len);

		if (n <= 0)
			return false;
		t->len += (size_t)n;
		end = memchr(t->text, '\n', t->len);
		if (!end)
			return false;
	}
	len = (size_t)(end - t->text);
	snprintf(line, size, "%.*s", (int)len, t->text);
	t->len -= len + 1;
	memmove(t->text, end + 1, t->len);
	return true;
}

void trace_skip(struct trace *t)
{
	char line[256];

	while (next_line(t, line, sizeof(line)))
		;
}

/* True if `line` is an event of that kind. */
static bool parse(const char *line, enum trace_kind kind, uint32_t *value, double *when)
{
	static const char *const formats[] = {
		[TRACE_STATUS] = "%*d@%lf:virtio_set_status vdev %*s val %u",
		[TRACE_ACTUAL] = "%*d@%lf:virtio_balloon_set_config actual: %u",
	};

	return sscanf(line, formats[kind], when, value) == 2;
}

static bool is_wanted(enum trace_kind kind, uint32_t value, uint32_t wanted)
{
	return kind == TRACE_STATUS ? (value & wanted) == wanted : value == wanted;
}

int trace_wait(struct trace *t, enum trace_kind kind, uint32_t value, int timeout_ms, double *when,
	       unsigned int *writes)
{
	int64_t deadline = deadline_in(timeout_ms);
	unsigned int seen = 0;
	char line[256];
	uint32_t is;

	for (;;) {
		while (next_line(t, line, sizeof(line))) {
			if (!parse(line, kind, &is, when))
				continue;
			seen++;
			if (!is_wanted(kind, is, value))
				continue;
			if (writes)
				*writes = seen;
			return 0;
		}
		if (deadline_left(deadline) == 0)
			return -ETIMEDOUT;
		usleep(POLL_US);
	}
}
