/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The balloon device driven from outside: see lone_device.h for the contract.
 * Virtio 1.3: 4.1.4.8 (legacy layout), 2.7 (split rings), 5.5. The rings are
 * written with process_vm_writev(2), not through shared memory, so that QEMU's
 * RAM is of the very kind that the guests have: anonymous, on huge pages.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/lone_device.h"
#include "tests/bench/qemu_memory.h"

/* ---- Where things are ---- */

#define PCI_ADDRESS 0xcf8 /* configuration mechanism 1 */
#define PCI_DATA 0xcfc
#define PCI_SLOT (0x80000000u | 4u << 11)
#define PCI_ID 0x00
#define PCI_COMMAND 0x04 /* bit 0: ports, 1: memory, 2: bus master */
#define PCI_BAR0 0x10
#define BALLOON_ID 0x10021af4u

#define BAR 0xc000		     /* any free place among the ports */
#define DRIVER_FEATURES (BAR + 4)    /* 32 bits */
#define QUEUE_ADDRESS (BAR + 8)	     /* 32 bits, in pages */
#define QUEUE_SIZE (BAR + 12)	     /* 16 bits, read only */
#define QUEUE_SELECT (BAR + 14)	     /* 16 bits */
#define QUEUE_NOTIFY (BAR + 16)	     /* 16 bits */
#define DEVICE_STATUS (BAR + 18)     /* 8 bits */
#define CONFIG_ACTUAL (BAR + 20 + 4) /* without MSI-X the config starts at 20 */

#define STATUS_ACKNOWLEDGE 1
#define STATUS_DRIVER 2
#define STATUS_DRIVER_OK 4

#define F_REPORTING (1u << 5)

/* QEMU always makes a statistics queue (2) and a hinting queue only if asked. */
#define INFLATE_QUEUE 0
#define DEFLATE_QUEUE 1
#define REPORT_QUEUE 3

/* Guest-physical: the rings, one in 64 KiB each, and the page numbers. */
#define RINGS 0x1000000u
#define RING_ROOM 0x10000u
#define PFNS 0x2000000u
#define BALLOONED 0x100000000ull /* RAM above 4 GiB is in one piece */
#define FRAME 4096u

#define RANGES 32 /* what a request on the reporting queue holds */
#define WAIT_S 60

struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};
#define DESC_F_NEXT 1
#define DESC_F_WRITE 2
#define AVAIL_F_NO_INTERRUPT 1

__attribute__((noreturn)) static void die(const char *what)
{
	fprintf(stderr, "lone device: %s\n", what);
	exit(1);
}

/* ---- QEMU's memory ---- */

struct piece {
	uint64_t to; /* guest-physical */
	const void *from;
	size_t len;
};

/* In the order given: what publishes a buffer comes last. */
static void write_memory(const struct lone_device *d, const struct piece *pieces, size_t count)
{
	struct iovec local[4], remote[4];
	size_t sum = 0;

	for (size_t i = 0; i < count; i++) {
		local[i].iov_base = (void *)(uintptr_t)pieces[i].from;
		remote[i].iov_base = (void *)(uintptr_t)(d->memory + pieces[i].to);
		local[i].iov_len = remote[i].iov_len = pieces[i].len;
		sum += pieces[i].len;
	}
	if (process_vm_writev(d->pid, local, count, remote, count, 0) != (ssize_t)sum)
		die(strerror(errno));
}

/* ---- Rings: legacy ones lie in one piece (2.7.2) ---- */

static uint64_t desc_at(const struct lone_queue *q)
{
	return RINGS + (uint64_t)q->number * RING_ROOM;
}

static uint64_t avail_at(const struct lone_queue *q)
{
	return desc_at(q) + q->size * sizeof(struct desc);
}

static uint64_t used_at(const struct lone_queue *q)
{
	uint64_t end = avail_at(q) + 2u * (3u + q->size);

	return (end + FRAME - 1) & ~(uint64_t)(FRAME - 1);
}

/* Since some version the device works in a thread of its own. */
static void wait_used(const struct lone_device *d, const struct lone_queue *q)
{
	time_t end = time(NULL) + WAIT_S;

	while (qemu_memory_read16(d->pid, d->memory + used_at(q) + 2) != q->added) {
		if (time(NULL) > end)
			die("the device does not answer");
		usleep(50);
	}
}

/*
 * Makes `count` buffers available, whose heads are the first of `n` descriptors,
 * and waits until the device has used them. The ring is empty before.
 */
static void send_buffers(struct lone_device *d, struct lone_queue *q, const struct desc *descs,
			 size_t n, uint16_t count)
{
	uint16_t heads[RANGES];
	uint16_t slot = q->added % q->size;

	for (uint16_t i = 0; i < count; i++)
		heads[i] = i;
	q->added += count;

	struct piece pieces[] = {
		{ desc_at(q), descs, n * sizeof(*descs) },
		/* `count` divides the ring's size: no wrap within. */
		{ avail_at(q) + 4 + 2u * slot, heads, 2u * count },
		{ avail_at(q) + 2, &q->added, 2 },
	};
	write_memory(d, pieces, 3);
	qtest_out16(d->qtest, QUEUE_NOTIFY, q->number);
	wait_used(d, q);
}

/* ---- The start ---- */

static void write_pci(struct qtest *qtest, unsigned int offset, uint32_t value)
{
	qtest_out32(qtest, PCI_ADDRESS, PCI_SLOT | offset);
	qtest_out32(qtest, PCI_DATA, value);
}

static void start_pci(struct qtest *qtest)
{
	qtest_out32(qtest, PCI_ADDRESS, PCI_SLOT | PCI_ID);
	if (qtest_in32(qtest, PCI_DATA) != BALLOON_ID)
		die("no balloon in slot 4");
	write_pci(qtest, PCI_BAR0, BAR);
	write_pci(qtest, PCI_COMMAND, 0x7);
}

static struct lone_queue start_queue(struct lone_device *d, uint16_t number)
{
	static const uint16_t flags = AVAIL_F_NO_INTERRUPT;
	struct lone_queue q = { .number = number };

	qtest_out16(d->qtest, QUEUE_SELECT, number);
	q.size = qtest_in16(d->qtest, QUEUE_SIZE);
	if (q.size < RANGES)
		die("a queue is missing or too small");
	qtest_out32(d->qtest, QUEUE_ADDRESS, (uint32_t)(desc_at(&q) / FRAME));
	write_memory(d, &(struct piece){ avail_at(&q), &flags, sizeof(flags) }, 1);
	return q;
}

static void write_pfns(const struct lone_device *d, uint64_t bytes)
{
	size_t count = bytes / FRAME;
	uint32_t *pfns = malloc(count * sizeof(*pfns));

	if (!pfns)
		die("out of memory");
	for (size_t i = 0; i < count; i++)
		pfns[i] = (uint32_t)(BALLOONED / FRAME + i);
	write_memory(d, &(struct piece){ PFNS, pfns, count * sizeof(*pfns) }, 1);
	free(pfns);
}

void lone_device_start(struct lone_device *d, struct qtest *qtest, struct qmp *qmp, pid_t pid,
		       uint64_t bytes)
{
	d->qtest = qtest;
	d->pid = pid;
	d->memory = qemu_memory_find(qmp, RINGS) - RINGS;
	write_pfns(d, bytes);
	start_pci(qtest);
	qtest_out8(qtest, DEVICE_STATUS, 0);
	qtest_out8(qtest, DEVICE_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	qtest_out32(qtest, DRIVER_FEATURES, F_REPORTING);
	d->inflate = start_queue(d, INFLATE_QUEUE);
	d->deflate = start_queue(d, DEFLATE_QUEUE);
	d->report = start_queue(d, REPORT_QUEUE);
	qtest_out8(qtest, DEVICE_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_DRIVER_OK);
}

/* ---- The work ---- */

void lone_device_send_pfns(struct lone_device *d, struct lone_queue *queue,
			   const struct lone_way *way, uint64_t bytes)
{
	uint64_t end = PFNS + bytes / FRAME * sizeof(uint32_t);
	uint64_t at = PFNS;

	while (at < end) {
		struct desc descs[RANGES] = { 0 };

		for (uint16_t i = 0; i < way->buffers; i++) {
			descs[i].addr = at;
			descs[i].len = way->pfns * (uint32_t)sizeof(uint32_t);
			at += descs[i].len;
		}
		send_buffers(d, queue, descs, way->buffers, way->buffers);
	}
}

void lone_device_report(struct lone_device *d, uint64_t bytes)
{
	struct desc descs[RANGES] = { 0 };
	uint32_t len = (uint32_t)(bytes / RANGES);

	for (uint16_t i = 0; i < RANGES; i++) {
		descs[i].addr = BALLOONED + (uint64_t)i * len;
		descs[i].len = len;
		descs[i].flags = DESC_F_WRITE | (i + 1 < RANGES ? DESC_F_NEXT : 0);
		descs[i].next = (uint16_t)(i + 1);
	}
	send_buffers(d, &d->report, descs, RANGES, 1);
}

void lone_device_write_actual(struct lone_device *d, uint32_t pages)
{
	qtest_out32(d->qtest, CONFIG_ACTUAL, pages);
}
