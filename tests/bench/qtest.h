/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * qtest.c: QEMU's qtest protocol: port and memory accesses in place of a guest's, one
 * line each, answered when the device has done what they ask for.
 */
#ifndef TESTS_BENCH_QTEST_H
#define TESTS_BENCH_QTEST_H

#include <stdint.h>
#include <stdio.h>

#include "tests/bench/arguments.h"

struct qtest {
	int qemu_fd; /* QEMU's end, until it runs */
	int fd;
	char text[256];
};

/*
 * Makes both ends of a connection. Returns 0 or a negative errno, as socketpair(2)
 * gives it; later failures end the program.
 */
int qtest_open(struct qtest *q);

/* Adds QEMU's arguments: it has inherited its end, and its processors stand still. */
void qtest_add_arguments(const struct qtest *q, struct arguments *a);

/* Closes our copy of QEMU's end, now that QEMU runs. */
void qtest_started(struct qtest *q);

/* Closes our end. */
void qtest_close(struct qtest *q);

/* Port accesses; each returns when the device has done it. */
void qtest_out8(struct qtest *q, uint16_t port, uint8_t value);
void qtest_out16(struct qtest *q, uint16_t port, uint16_t value);
void qtest_out32(struct qtest *q, uint16_t port, uint32_t value);
uint16_t qtest_in16(struct qtest *q, uint16_t port);
uint32_t qtest_in32(struct qtest *q, uint16_t port);

/* Memory accesses: registers of devices. Each returns when the device has done it. */
void qtest_write8(struct qtest *q, uint64_t address, uint8_t value);
void qtest_write16(struct qtest *q, uint64_t address, uint16_t value);
void qtest_write32(struct qtest *q, uint64_t address, uint32_t value);
uint16_t qtest_read16(struct qtest *q, uint64_t address);
uint32_t qtest_read32(struct qtest *q, uint64_t address);

#endif
