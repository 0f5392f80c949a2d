/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lone_device.c: QEMU's balloon device with no guest at all: this program is
 * its driver, by qtest's port accesses and by writing into QEMU's memory. It
 * does just what the device makes necessary, with all page numbers laid out
 * beforehand: no guest can be faster.
 *
 * Errors end the program: they are mistakes of this benchmark.
 */
#ifndef TESTS_BENCH_LONE_DEVICE_H
#define TESTS_BENCH_LONE_DEVICE_H

#include <stdint.h>
#include <sys/types.h>

#include "tests/bench/qtest.h"

/* QEMU's argument: the legacy register layout in ports, in a known slot. */
#define LONE_DEVICE_OPTIONS \
	"virtio-balloon-pci,addr=4,disable-modern=on,disable-legacy=off,free-page-reporting=on"

struct qmp;

struct lone_queue {
	uint16_t number, size;
	uint16_t added; /* buffers, ever */
};

struct lone_device {
	struct qtest *qtest;
	pid_t pid;
	uint64_t memory; /* QEMU's address of guest-physical 0 */
	struct lone_queue inflate, deflate, report;
};

/* How page numbers go to the device. */
struct lone_way {
	const char *name;
	uint32_t pfns;	  /* in a buffer */
	uint16_t buffers; /* in a kick */
};

/*
 * Drives the device from reset to DRIVER_OK. The page numbers laid out are those of
 * the `bytes` above 4 GiB.
 */
void lone_device_start(struct lone_device *d, struct qtest *qtest, struct qmp *qmp, pid_t pid,
		       uint64_t bytes);

/* Sends all these `bytes` by page numbers through `queue`, d->inflate or d->deflate. */
void lone_device_send_pfns(struct lone_device *d, struct lone_queue *queue,
			   const struct lone_way *way, uint64_t bytes);

/* Sends all these `bytes` as ranges in one request on the reporting queue. */
void lone_device_report(struct lone_device *d, uint64_t bytes);

/* Writes the config field `actual`, which tells QEMU how large the balloon is. */
void lone_device_write_actual(struct lone_device *d, uint32_t pages);

#endif
