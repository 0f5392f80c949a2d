/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The subjects of the balloon benchmark and their QEMUs: see subject.h for
 * the contract. This is the one place that knows QEMU's arguments for them.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/bench/arguments.h"
#include "tests/bench/host.h"
#include "tests/bench/subject.h"
#include "tools/qmp.h"

#define TIMEOUT_MS 120000
#define STATUS_DRIVER_OK 4

struct subject_options subject_options = { .qemu = "qemu-system-x86_64", .machine = "q35" };

/* Beyond 131072 page numbers nothing is gained. */
const struct lone_way subject_ways[SUBJECT_WAYS] = {
	{ .name = "8 buffers of 256 a kick", .pfns = 256, .buffers = 8 },
	{ .name = "one buffer of 131072 a kick", .pfns = 131072, .buffers = 1 },
};

static const struct {
	const char *key, *name;
	const char *append;
	const char *device;
} subjects[] = {
	[PORTABLE] = { "portable", "Aerostat, portable", "strategy=portable",
		       "virtio-balloon-pci" },
	[WHOLE_BLOCK] = { "whole-block", "Aerostat, whole-block", "strategy=whole-block",
			  "virtio-balloon-pci" },
	[RANGE_FIRST] = { "range-first", "Aerostat, range-first", "strategy=range-first",
			  "virtio-balloon-pci,free-page-reporting=on" },
	[DEVICE] = { "device", "device alone", NULL, LONE_DEVICE_OPTIONS },
	[DEVICE_RANGES] = { "device-ranges", "device alone, ranges first", NULL,
			    LONE_DEVICE_OPTIONS },
	[LINUX] = { "linux", "Linux", "quiet", "virtio-balloon-pci" },
	[ONE_BYTE] = { "one-byte", "one byte and stop", "", "virtio-balloon-pci" },
	[NO_GUEST] = { "no-guest", "QEMU's own", NULL, "virtio-balloon-pci" },
};

const char *subject_name(enum subject subject)
{
	return subjects[subject].name;
}

const char *subject_key(enum subject subject)
{
	return subjects[subject].key;
}

bool subject_is_aerostat(enum subject subject)
{
	return subject == PORTABLE || subject == WHOLE_BLOCK || subject == RANGE_FIRST;
}

bool subject_is_device(enum subject subject)
{
	return subject == DEVICE || subject == DEVICE_RANGES;
}

__attribute__((noreturn, format(printf, 2, 3))) static void fail(const struct machine *m,
								 const char *format, ...)
{
	va_list args;

	fprintf(stderr, "balloon: %s: ", subject_name(m->subject));
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* ---- QEMU's arguments ---- */

/* Memory files are made here: their size on the host is what we want to see. */
static void add_ram(struct machine *m, struct arguments *a, enum backing backing)
{
	arguments_add(a, "-object");
	m->ram_fd = -1;
	if (backing == LAZY || backing == PREALLOCATED) {
		arguments_add_text(a, "memory-backend-ram,id=ram,size=%llu,%s", GUEST_BYTES,
				   backing == LAZY ? "reserve=off" : "prealloc=on");
		return;
	}
	m->ram_fd = memfd_create("ram", backing == HUGETLB ? MFD_HUGETLB | MFD_HUGE_2MB : 0);
	if (m->ram_fd < 0)
		fail(m, "no memory file: %m");
	arguments_add_text(
		a,
		"memory-backend-file,id=ram,share=on,prealloc=on,mem-path=/proc/self/fd/%d,"
		"size=%llu",
		m->ram_fd, GUEST_BYTES);
}

static void add_kernel(const struct machine *m, struct arguments *a)
{
	const struct subject_options *o = &subject_options;

	arguments_add(a, "-kernel");
	if (m->subject == LINUX) {
		arguments_add_text(a, "%s/vmlinuz", o->linux_dir);
		arguments_add(a, "-initrd");
		arguments_add_text(a, "%s/initrd", o->linux_dir);
	} else {
		arguments_add(a, m->subject == ONE_BYTE ? o->one_byte : o->aerostat);
	}
	arguments_add(a, "-append");
	arguments_add(a, subjects[m->subject].append);
}

static void add_all(struct machine *m, struct arguments *a, enum backing backing)
{
	static const char *const common[] = {
		"-nodefaults", "-no-user-config", "-display", "none", "-cpu", "max", TRACE_ARGUMENTS
	};

	arguments_add(a, subject_options.qemu);
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		arguments_add(a, common[i]);
	arguments_add(a, m->trace.path);
	arguments_add(a, "-machine");
	/* lone_device.c gives page numbers above 4 GiB, where RAM is in one piece. */
	arguments_add_text(a, "%s,max-ram-below-4g=2G,memory-backend=ram", subject_options.machine);
	add_ram(m, a, backing);
	arguments_add(a, "-device");
	arguments_add(a, subjects[m->subject].device);
	arguments_add(a, "-accel");
	arguments_add(a, "tcg");
	if (subject_is_device(m->subject))
		qtest_add_arguments(&m->qtest, a);
	else if (m->subject == NO_GUEST)
		arguments_add(a, "-S");
	else
		add_kernel(m, a);
}

/* ---- A machine ---- */

void machine_start(struct machine *m, enum subject subject, enum backing backing,
		   const struct lone_way *way)
{
	struct arguments a = { 0 };

	memset(m, 0, sizeof(*m));
	m->subject = subject;
	m->way = way;
	if (trace_open(&m->trace))
		fail(m, "no file for the trace: %m");
	if (subject_is_device(subject) && qtest_open(&m->qtest))
		fail(m, "no socket for qtest: %m");
	add_all(m, &a, backing);
	m->started = host_now();
	if (vm_start(subject_key(subject), a.argv, NULL, &m->vm))
		exit(1);
	if (!subject_is_device(subject))
		return;
	qtest_started(&m->qtest);
	lone_device_start(&m->device, &m->qtest, vm_qmp(m->vm), vm_pid(m->vm), BALLOON_BYTES);
}

void machine_stop(struct machine *m)
{
	vm_stop(m->vm);
	trace_close(&m->trace);
	if (m->ram_fd >= 0)
		close(m->ram_fd);
	if (subject_is_device(m->subject))
		qtest_close(&m->qtest);
}

double machine_wait_ready(struct machine *m)
{
	double when;

	if (m->subject == ONE_BYTE) {
		if (vm_expect(m->vm, "!", TIMEOUT_MS, NULL))
			exit(1);
		when = host_now();
	} else if (trace_wait(&m->trace, TRACE_STATUS, STATUS_DRIVER_OK, TIMEOUT_MS, &when, NULL)) {
		vm_report(m->vm, "waited in vain for the balloon's driver");
		exit(1);
	}
	return when - m->started;
}

static void drive_device(struct machine *m, uint64_t taken)
{
	bool inflate = taken > m->taken;
	uint64_t bytes = inflate ? taken - m->taken : m->taken - taken;

	if (inflate && m->subject == DEVICE_RANGES)
		lone_device_report(&m->device, bytes);
	lone_device_send_pfns(&m->device, inflate ? &m->device.inflate : &m->device.deflate, m->way,
			      bytes);
	lone_device_write_actual(&m->device, (uint32_t)(taken / FRAME_BYTES));
}

void machine_set_balloon(struct machine *m, uint64_t taken, double *when, unsigned int *writes)
{
	trace_skip(&m->trace);
	if (subject_is_device(m->subject))
		drive_device(m, taken);
	else if (qmp_balloon(vm_qmp(m->vm), GUEST_BYTES - taken))
		fail(m, "%s", qmp_error(vm_qmp(m->vm)));
	if (trace_wait(&m->trace, TRACE_ACTUAL, (uint32_t)(taken / FRAME_BYTES), TIMEOUT_MS, when,
		       writes)) {
		vm_report(m->vm, "waited in vain for the balloon to reach its target");
		exit(1);
	}
	m->taken = taken;
}
