/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio-mem device driven from outside: see lone_mem.h for the contract. Virtio 1.3:
 * 4.1.4 (PCI), 2.7 (split rings), 5.15. There is no firmware: its one BAR is placed here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/lone_mem.h"
#include "tests/bench/qemu_memory.h"

/* ---- Where things are ---- */

#define PCI_ADDRESS 0xcf8 /* configuration mechanism 1 */
#define PCI_DATA 0xcfc
#define PCI_SLOT (0x80000000u | LONE_MEM_SLOT << 11)
#define PCI_ID 0x00
#define PCI_COMMAND 0x04
#define PCI_BAR0 0x10
#define PCI_CAPABILITIES 0x34
#define COMMAND_MEMORY_AND_MASTER 0x6
#define MEM_ID 0x10581af4u

#define BAR 0xc0000000u /* any free place below 4 GiB */

/* 4.1.4: a vendor's capability, its kind, BAR and offset. */
#define CAP_VENDOR 0x09
#define CAP_COMMON 1
#define CAP_NOTIFY 2
#define CAP_DEVICE 4

/* 4.1.4.3 */
#define DRIVER_FEATURE_SELECT 8
#define DRIVER_FEATURE 12
#define DEVICE_STATUS 20
#define QUEUE_SELECT 22
#define QUEUE_SIZE 24
#define QUEUE_ENABLE 28
#define QUEUE_DESC 32
#define QUEUE_AVAIL 40
#define QUEUE_USED 48

#define STATUS_FEATURES_OK (1 | 2 | 8) /* ACKNOWLEDGE and DRIVER, too */
#define STATUS_DRIVER_OK (STATUS_FEATURES_OK | 4)
#define FEATURES_LOW 2	/* UNPLUGGED_INACCESSIBLE, which later QEMUs insist on */
#define FEATURES_HIGH 1 /* VERSION_1 */

#define CONFIG_ADDR 16 /* of the region, 5.15.4 */

#define RAM_AT 0x1000000u /* what is asked for to find guest-physical 0 */
#define DESC 0x1000000u
#define AVAIL 0x1010000u
#define USED 0x1020000u
#define REQUEST 0x1030000u
#define RESPONSE 0x1040000u
#define WAIT_S 60
#define BLOCK (2u << 20)

struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};
#define DESC_F_NEXT 1
#define DESC_F_WRITE 2
#define AVAIL_F_NO_INTERRUPT 1

struct request {
	uint16_t type, pad[3];
	uint64_t addr;
	uint16_t blocks, pad2[3];
};
#define REQUEST_PLUG 0
#define REQUEST_UNPLUG 1

__attribute__((noreturn)) static void die(const char *what)
{
	fprintf(stderr, "lone virtio-mem: %s\n", what);
	exit(1);
}

/* ---- QEMU's memory ---- */

static void write_memory(const struct lone_mem *d, uint64_t to, const void *bytes, size_t len)
{
	struct iovec local = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = len };
	struct iovec remote = { .iov_base = (void *)(uintptr_t)to, .iov_len = len };

	if (process_vm_writev(d->pid, &local, 1, &remote, 1, 0) != (ssize_t)len)
		die(strerror(errno));
}

/* ---- The start ---- */

static uint32_t read_pci(struct qtest *qtest, unsigned offset)
{
	qtest_out32(qtest, PCI_ADDRESS, PCI_SLOT | (offset & ~3u));
	return qtest_in32(qtest, PCI_DATA) >> (offset & 3) * 8;
}

static void write_pci(struct qtest *qtest, unsigned offset, uint32_t value)
{
	qtest_out32(qtest, PCI_ADDRESS, PCI_SLOT | offset);
	qtest_out32(qtest, PCI_DATA, value);
}

/* All of QEMU's capabilities for it are in one BAR. */
static void place_bar(struct qtest *qtest, unsigned bar)
{
	write_pci(qtest, PCI_BAR0 + 4 * bar, BAR);
	write_pci(qtest, PCI_BAR0 + 4 * bar + 4, 0);
	write_pci(qtest, PCI_COMMAND, COMMAND_MEMORY_AND_MASTER);
}

/* The address of the registers of some kind. */
static uint64_t find_registers(struct qtest *qtest, unsigned kind)
{
	unsigned at = read_pci(qtest, PCI_CAPABILITIES) & 0xff;

	for (; at; at = read_pci(qtest, at + 1) & 0xff) {
		if ((read_pci(qtest, at) & 0xff) != CAP_VENDOR ||
		    (read_pci(qtest, at + 3) & 0xff) != kind)
			continue;
		place_bar(qtest, read_pci(qtest, at + 4) & 0xff);
		return BAR + read_pci(qtest, at + 8);
	}
	die("a capability is missing");
}

static void write_address(struct lone_mem *d, unsigned reg, uint32_t address)
{
	qtest_write32(d->qtest, d->common + reg, address);
	qtest_write32(d->qtest, d->common + reg + 4, 0);
}

static void start_queue(struct lone_mem *d)
{
	static const uint16_t flags = AVAIL_F_NO_INTERRUPT;

	qtest_write16(d->qtest, d->common + QUEUE_SELECT, 0);
	d->size = qtest_read16(d->qtest, d->common + QUEUE_SIZE);
	if (d->size < 2)
		die("its queue is missing or too small");
	write_address(d, QUEUE_DESC, DESC);
	write_address(d, QUEUE_AVAIL, AVAIL);
	write_address(d, QUEUE_USED, USED);
	write_memory(d, d->ram + AVAIL, &flags, sizeof(flags));
	qtest_write16(d->qtest, d->common + QUEUE_ENABLE, 1);
}

static void accept_features(struct lone_mem *d)
{
	static const uint32_t words[] = { FEATURES_LOW, FEATURES_HIGH };

	qtest_write8(d->qtest, d->common + DEVICE_STATUS, 0);
	for (uint32_t i = 0; i < 2; i++) {
		uint32_t offered;

		qtest_write32(d->qtest, d->common, i);
		offered = qtest_read32(d->qtest, d->common + 4);
		qtest_write32(d->qtest, d->common + DRIVER_FEATURE_SELECT, i);
		qtest_write32(d->qtest, d->common + DRIVER_FEATURE, words[i] & offered);
	}
	qtest_write8(d->qtest, d->common + DEVICE_STATUS, STATUS_FEATURES_OK);
}

void lone_mem_start(struct lone_mem *d, struct qtest *qtest, struct qmp *qmp, pid_t pid)
{
	uint64_t config;

	*d = (struct lone_mem){ .qtest = qtest, .pid = pid };
	if (read_pci(qtest, PCI_ID) != MEM_ID)
		die("no virtio-mem in its slot");
	d->common = find_registers(qtest, CAP_COMMON);
	/* Queue 0 has the first of them, whatever their distance. */
	d->notify = find_registers(qtest, CAP_NOTIFY);
	config = find_registers(qtest, CAP_DEVICE);
	d->start = qtest_read32(qtest, config + CONFIG_ADDR) |
		   (uint64_t)qtest_read32(qtest, config + CONFIG_ADDR + 4) << 32;
	d->ram = qemu_memory_find(qmp, RAM_AT) - RAM_AT;
	d->region = qemu_memory_find(qmp, d->start);
	accept_features(d);
	start_queue(d);
	qtest_write8(qtest, d->common + DEVICE_STATUS, STATUS_DRIVER_OK);
}

/* ---- The work ---- */

static void wait_used(const struct lone_mem *d)
{
	time_t end = time(NULL) + WAIT_S;

	while (qemu_memory_read16(d->pid, d->ram + USED + 2) != d->added) {
		if (time(NULL) > end)
			die("the device does not answer");
		usleep(20);
	}
}

static void request(struct lone_mem *d, uint16_t type, uint64_t offset, uint64_t bytes)
{
	const struct request request = { .type = type,
					 .addr = d->start + offset,
					 .blocks = (uint16_t)(bytes / BLOCK) };
	const struct desc descs[] = {
		{ REQUEST, sizeof(request), DESC_F_NEXT, 1 },
		{ RESPONSE, 10, DESC_F_WRITE, 0 },
	};
	static const uint16_t head;

	write_memory(d, d->ram + REQUEST, &request, sizeof(request));
	write_memory(d, d->ram + DESC, descs, sizeof(descs));
	write_memory(d, d->ram + AVAIL + 4 + 2u * (d->added % d->size), &head, sizeof(head));
	d->added++;
	write_memory(d, d->ram + AVAIL + 2, &d->added, sizeof(d->added));
	qtest_write16(d->qtest, d->notify, 0);
	wait_used(d);
	if (qemu_memory_read16(d->pid, d->ram + RESPONSE) != 0)
		die("the device refuses a request");
}

void lone_mem_plug(struct lone_mem *d, uint64_t offset, uint64_t bytes)
{
	request(d, REQUEST_PLUG, offset, bytes);
}

void lone_mem_unplug(struct lone_mem *d, uint64_t offset, uint64_t bytes)
{
	request(d, REQUEST_UNPLUG, offset, bytes);
}

void lone_mem_touch(const struct lone_mem *d, uint64_t offset, uint64_t bytes)
{
	static char block[BLOCK];

	memset(block, 0x5a, sizeof(block));
	for (uint64_t at = 0; at < bytes; at += BLOCK)
		write_memory(d, d->region + offset + at, block, BLOCK);
}
