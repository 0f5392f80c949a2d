/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU's qtest protocol: port accesses in place of a guest's, one line each, which
 * QEMU answers when the device is done.
 */
#ifndef TESTS_BENCH_QTEST_H
#define TESTS_BENCH_QTEST_H

#include <stdint.h>
#include <stdio.h>

/* QEMU's arguments: its end of the connection is inherited. */
#define QTEST_ARGUMENTS_FORMAT "socket,id=qtest,fd=%d"

struct qtest {
	int qemu_fd; /* QEMU's end, until it runs */
	int fd;
	char text[256];
};

/* Opens both ends of a connection. Returns 0 or a negative errno. */
int qtest_open(struct qtest *q);

/* Closes this program's copy of QEMU's end, once QEMU runs. */
void qtest_started(struct qtest *q);

/* Closes the connection. */
void qtest_close(struct qtest *q);

/* Write to and read from a port. Failure ends the program. */
void qtest_out8(struct qtest *q, uint16_t port, uint8_t value);
void qtest_out16(struct qtest *q, uint16_t port, uint16_t value);
void qtest_out32(struct qtest *q, uint16_t port, uint32_t value);
uint16_t qtest_in16(struct qtest *q, uint16_t port);
uint32_t qtest_in32(struct qtest *q, uint16_t port);

#endif
