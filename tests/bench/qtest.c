/* SPDX-License-Identifier: BSD-2-Clause */
/* QEMU's qtest protocol: see qtest.h for the contract. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/qtest.h"

#define TIMEOUT_MS 60000

int qtest_open(struct qtest *q)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	q->fd = pair[0];
	q->qemu_fd = pair[1];
	fcntl(q->qemu_fd, F_SETFD, 0);
	return 0;
}

void qtest_add_arguments(const struct qtest *q, struct arguments *a)
{
	arguments_add(a, "-S");
	arguments_add(a, "-chardev");
	arguments_add_text(a, "socket,id=qtest,fd=%d", q->qemu_fd);
	arguments_add(a, "-qtest");
	arguments_add(a, "chardev:qtest");
	arguments_add(a, "-qtest-log");
	arguments_add(a, "/dev/null");
}

void qtest_started(struct qtest *q)
{
	close(q->qemu_fd);
}

void qtest_close(struct qtest *q)
{
	close(q->fd);
}

/* Sends q->text and reads the answer's one line into it. */
static void transact(struct qtest *q)
{
	struct pollfd p = { .fd = q->fd, .events = POLLIN };
	size_t len = strlen(q->text), got = 0;
	char asked[sizeof(q->text)];

	memcpy(asked, q->text, sizeof(asked));
	if (send(q->fd, asked, len, MSG_NOSIGNAL) != (ssize_t)len)
		goto err_gone;
	do {
		ssize_t n;

		if (poll(&p, 1, TIMEOUT_MS) <= 0)
			goto err_gone;
		n = read(q->fd, q->text + got, sizeof(q->text) - 1 - got);
		if (n <= 0)
			goto err_gone;
		got += (size_t)n;
		q->text[got] = '\0';
	} while (!strchr(q->text, '\n') && got < sizeof(q->text) - 1);
	if (!strncmp(q->text, "OK", 2))
		return;

err_gone:
	fprintf(stderr, "qtest: no OK from QEMU for %s", asked);
	exit(1);
}

static void out(struct qtest *q, const char *access, uint64_t address, uint32_t value)
{
	snprintf(q->text, sizeof(q->text), "%s 0x%" PRIx64 " 0x%x\n", access, address, value);
	transact(q);
}

static uint32_t in(struct qtest *q, const char *access, uint64_t address)
{
	snprintf(q->text, sizeof(q->text), "%s 0x%" PRIx64 "\n", access, address);
	transact(q);
	return (uint32_t)strtoull(q->text + 2, NULL, 16);
}

void qtest_out8(struct qtest *q, uint16_t port, uint8_t value)
{
	out(q, "outb", port, value);
}

void qtest_out16(struct qtest *q, uint16_t port, uint16_t value)
{
	out(q, "outw", port, value);
}

void qtest_out32(struct qtest *q, uint16_t port, uint32_t value)
{
	out(q, "outl", port, value);
}

uint16_t qtest_in16(struct qtest *q, uint16_t port)
{
	return (uint16_t)in(q, "inw", port);
}

uint32_t qtest_in32(struct qtest *q, uint16_t port)
{
	return in(q, "inl", port);
}

void qtest_write8(struct qtest *q, uint64_t address, uint8_t value)
{
	out(q, "writeb", address, value);
}

void qtest_write16(struct qtest *q, uint64_t address, uint16_t value)
{
	out(q, "writew", address, value);
}

void qtest_write32(struct qtest *q, uint64_t address, uint32_t value)
{
	out(q, "writel", address, value);
}

uint16_t qtest_read16(struct qtest *q, uint64_t address)
{
	return (uint16_t)in(q, "readw", address);
}

uint32_t qtest_read32(struct qtest *q, uint64_t address)
{
	return in(q, "readl", address);
}
