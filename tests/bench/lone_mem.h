/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lone_mem.c: QEMU's virtio-mem device with no guest at all: this program is its driver,
 * by qtest's accesses and by writing into QEMU's memory. It does just what the device
 * makes necessary: no guest can be faster.
 *
 * Errors end the program: they are mistakes of this benchmark.
 */
#ifndef TESTS_BENCH_LONE_MEM_H
#define TESTS_BENCH_LONE_MEM_H

#include <stdint.h>
#include <sys/types.h>

#include "tests/bench/qtest.h"

/* QEMU's arguments for the device: in a known slot of bus 0. */
#define LONE_MEM_SLOT 5
#define LONE_MEM_ADDRESS "addr=5"

struct qmp;

struct lone_mem {
	struct qtest *qtest;
	pid_t pid;
	uint64_t ram, region; /* QEMU's addresses of guest-physical 0 and of the region */
	uint64_t start;	      /* the region's guest-physical address */
	uint64_t common, notify;
	uint16_t size, added; /* of the ring; requests, ever */
};

/* Drives the device from reset to DRIVER_OK. */
void lone_mem_start(struct lone_mem *d, struct qtest *qtest, struct qmp *qmp, pid_t pid);

/* Plugs or unplugs bytes of the region, from `offset` on, by one request. */
void lone_mem_plug(struct lone_mem *d, uint64_t offset, uint64_t bytes);
void lone_mem_unplug(struct lone_mem *d, uint64_t offset, uint64_t bytes);

/* Writes to bytes of the region, as a guest that uses them does. */
void lone_mem_touch(const struct lone_mem *d, uint64_t offset, uint64_t bytes);

#endif
