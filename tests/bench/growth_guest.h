/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * growth_guest.c: the guests that the growth benchmark compares, each with a virtio-mem
 * device under the same QEMU, and what can be asked of them. Everything here ends the
 * program with a message if it fails.
 */
#ifndef TESTS_BENCH_GROWTH_GUEST_H
#define TESTS_BENCH_GROWTH_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/bench/lone_mem.h"
#include "tests/bench/qtest.h"
#include "tools/vm.h"

#define MIB (1ull << 20)
#define GIB (1ull << 30)
#define BLOCK_BYTES (2 * MIB)

enum growth_kind { AEROSTAT, DEVICE, LINUX, GROWTH_KINDS };

/* Set by the program's options. */
struct growth_options {
	const char *qemu, *aerostat, *linux_dir; /* linux_dir NULL: there is none to compare */
};
extern struct growth_options growth_options;

struct growth_guest {
	enum growth_kind kind;
	struct vm *vm;
	struct qtest qtest;
	struct lone_mem device; /* of DEVICE */
	double started;		/* host_now() before QEMU */
};

/* Give its name, for people and as one word. */
const char *growth_kind_name(enum growth_kind kind);
const char *growth_kind_key(enum growth_kind kind);

/*
 * Starts a guest of so many MiB, to which virtio-mem may bring `region` bytes, and waits
 * until it can be asked. `region` 0: there is no such device.
 */
void growth_guest_start(struct growth_guest *g, enum growth_kind kind, unsigned mib,
			uint64_t region);

/* Stops it and frees what it had. */
void growth_guest_stop(struct growth_guest *g);

/* Types a line at the guest's console and waits for the end of its answer, by free(). */
char *growth_guest_type(struct growth_guest *g, const char *line);

/* Types a line, too; the answer must have `text` in it. */
void growth_guest_says(struct growth_guest *g, const char *line, const char *text);

/* Sets what the host requests. */
void growth_guest_request(struct growth_guest *g, uint64_t bytes);

/* Gives what QEMU says that is plugged. */
uint64_t growth_guest_plugged(struct growth_guest *g);

/* Waits until so much is plugged; false: it was not within the time. */
bool growth_guest_wait(struct growth_guest *g, uint64_t bytes, int timeout_ms);

/* Brings the balloon to so many bytes, and waits. */
void growth_guest_balloon(struct growth_guest *g, uint64_t taken);

/* A figure of Aerostat's `show_mem -j`, which may be in one of its objects, "owners" say. */
uint64_t growth_guest_figure(struct growth_guest *g, const char *object, const char *name);

/* Of Aerostat's events `reached`: how many there were, and how long the last one took. */
struct growth_reached {
	uint64_t count;
	double ms;
};

/* Reads what Aerostat has recorded when its memory had become as the host wanted it. */
struct growth_reached growth_guest_reached(struct growth_guest *g);

/*
 * When the last of its drivers had started and the last region was announced, in ms since
 * Aerostat's own start.
 */
double growth_guest_ready_ms(struct growth_guest *g);

#endif
