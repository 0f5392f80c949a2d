/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * subject.c: the subjects that the balloon benchmark compares, each under the same
 * QEMU with the same machine, and one operation that all of them have: bringing the
 * balloon to a target.
 */
#ifndef TESTS_BENCH_SUBJECT_H
#define TESTS_BENCH_SUBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/bench/lone_device.h"
#include "tests/bench/qtest.h"
#include "tests/bench/trace.h"
#include "tools/vm.h"

#define MIB (1024.0 * 1024.0)
#define GIB (1024.0 * MIB)
#define GUEST_BYTES (4ull << 30)
#define BALLOON_BYTES (2ull << 30)
#define FRAME_BYTES 4096u

enum subject {
	PORTABLE, /* Aerostat, by strategy */
	WHOLE_BLOCK,
	RANGE_FIRST,
	DEVICE, /* no guest: this program drives the device */
	DEVICE_RANGES,
	LINUX,
	SUBJECTS,
	/* Not compared, but measured against: */
	ONE_BYTE = SUBJECTS, /* a kernel that prints one byte */
	NO_GUEST,	     /* QEMU, stopped before the first instruction */
};

/* Where QEMU takes the guest's RAM from. */
enum backing {
	LAZY,	      /* anonymous, as the guest touches it */
	PREALLOCATED, /* anonymous, all of it there */
	SHARED,	      /* a memory file of small pages, all of it there */
	HUGETLB,      /* a memory file of 2 MiB pages */
};

/* Set by the program's options. */
struct subject_options {
	const char *qemu, *machine;
	const char *aerostat, *one_byte, *linux_dir;
};
extern struct subject_options subject_options;

/* For DEVICE and DEVICE_RANGES; which is best depends on the machine. */
#define SUBJECT_WAYS 2
extern const struct lone_way subject_ways[SUBJECT_WAYS];

/* A running subject. */
struct machine {
	enum subject subject;
	const struct lone_way *way; /* of the lone device */
	struct vm *vm;
	struct trace trace;
	struct qtest qtest;
	struct lone_device device;
	int ram_fd;	/* of a memory file, or -1 */
	double started; /* host_now() before QEMU */
	uint64_t taken; /* bytes in the balloon */
};

/* Give its name, for people and as one word. */
const char *subject_name(enum subject subject);
const char *subject_key(enum subject subject);

/* Tell whether it is one of Aerostat's strategies, and whether it is the device alone. */
bool subject_is_aerostat(enum subject subject);
bool subject_is_device(enum subject subject);

/* All of these end the program with a message if they fail. */

/* Starts a subject; `way` is for the device alone, else NULL. */
void machine_start(struct machine *m, enum subject subject, enum backing backing,
		   const struct lone_way *way);

/* Stops it and frees what it had. */
void machine_stop(struct machine *m);

/* Gives the seconds from QEMU's start until the balloon's driver is ready (DRIVER_OK). */
double machine_wait_ready(struct machine *m);

/*
 * Brings the balloon to `taken` bytes and waits. *when is the time at which the
 * device was told so (host_now()), *writes how often it was written to on the way.
 */
void machine_set_balloon(struct machine *m, uint64_t taken, double *when, unsigned int *writes);

#endif
