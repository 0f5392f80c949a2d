/* SPDX-License-Identifier: BSD-2-Clause */
/* The measurements of the growth benchmark: see growth_measure.h for the contract. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/growth_measure.h"
#include "tests/bench/host.h"
#include "tools/deadline.h"

#define REGION (4 * GIB)
#define HALF (2 * GIB)
#define BALLOON (512 * MIB)
#define BOOT_MIB 1024u
#define SMALL_MIB 64u
#define FRAME 4096ull

#define TIMEOUT_MS 60000
#define STUCK_MS 30000	/* Linux may never get there */
#define LATE_MS 1000	/* for memory that comes back after the guest says so */
#define BACK_SHARE 0.99 /* free memory is everybody's */
#define TIMES 100
#define BOOTS 15 /* in a round: a millisecond is little of one */

/* Of boot memory, so that the floor and the books of what comes have room. */
#define SPARE (8 * MIB)

struct growth_results growth_results;

static void record(enum growth_metric metric, enum growth_kind kind, double value)
{
	fprintf(stderr, "  %s, %s: %.2f\n", growth_kind_name(kind), growth_metric_title(metric),
		value);
	if (!isnan(value))
		samples_add(&growth_results.of[metric][kind], value);
}

__attribute__((noreturn)) static void fail(const struct growth_guest *g, const char *what)
{
	fprintf(stderr, "growth: %s: %s\n", growth_kind_name(g->kind), what);
	exit(1);
}

/* ---- To a size ---- */

/* The guest's own time, once its event has come. */
static double reached_ms(struct growth_guest *g, uint64_t before, double start)
{
	int64_t deadline = deadline_in(TIMEOUT_MS);
	struct growth_reached reached;
	double elapsed_ms;

	for (;;) {
		reached = growth_guest_reached(g);
		if (reached.count != before)
			break;
		if (!deadline_left(deadline))
			fail(g, "it has the size that it is asked for, but no event \"reached\"");
	}
	elapsed_ms = (host_now() - start) * 1e3;
	if (reached.ms <= elapsed_ms)
		return reached.ms;
	fprintf(stderr, "growth: %s: %.3f ms by its own time, %.3f by the host's\n",
		growth_kind_name(g->kind), reached.ms, elapsed_ms);
	exit(1);
}

/* Brings Aerostat to a size; returns the time. */
static double reach(struct growth_guest *g, uint64_t bytes)
{
	uint64_t before = growth_guest_reached(g).count;
	double start = host_now();

	growth_guest_request(g, bytes);
	if (!growth_guest_wait(g, bytes, TIMEOUT_MS))
		fail(g, "it does not come to the size that it is asked for");
	return reached_ms(g, before, start);
}

/* Brings Linux to a size; returns the time, INFINITY: it is stuck. */
static double reach_linux(struct growth_guest *g, uint64_t bytes)
{
	double start = host_now();

	growth_guest_request(g, bytes);
	if (!growth_guest_wait(g, bytes, STUCK_MS))
		return INFINITY;
	return (host_now() - start) * 1e3;
}

static void drive_device(struct growth_guest *g, uint64_t bytes, bool plug)
{
	if (plug)
		lone_mem_plug(&g->device, 0, bytes);
	else
		lone_mem_unplug(&g->device, 0, bytes);
	if (growth_guest_plugged(g) != (plug ? bytes : 0))
		fail(g, "QEMU does not see what the device has answered");
}

/* QMP only sees what was asked for beforehand, so it is no part of the time. */
static double reach_device(struct growth_guest *g, uint64_t bytes, uint64_t work, bool plug)
{
	double start;

	growth_guest_request(g, bytes);
	start = host_now();
	drive_device(g, work, plug);
	return (host_now() - start) * 1e3;
}

/* From none to all of `bytes`, or back. */
static double go(struct growth_guest *g, uint64_t bytes, bool plug)
{
	uint64_t wanted = plug ? bytes : 0;

	if (g->kind == DEVICE)
		return reach_device(g, wanted, bytes, plug);
	return g->kind == LINUX ? reach_linux(g, wanted) : reach(g, wanted);
}

/* ---- Use ---- */

static void hold(struct growth_guest *g, uint64_t bytes, unsigned order)
{
	char line[48];

	snprintf(line, sizeof(line), "hold %" PRIu64 " %u", bytes, order);
	growth_guest_says(g, line, "held ");
}

/* All but so much of what is free; a hold's list takes a frame for each 510. */
static void hold_all_but(struct growth_guest *g, uint64_t bytes)
{
	uint64_t frames = growth_guest_figure(g, "owners", "free") / FRAME - bytes / FRAME;

	hold(g, (frames - frames / 500 - 1) * FRAME, 0);
}

static void use_and_free(struct growth_guest *g, uint64_t bytes)
{
	if (g->kind == DEVICE) {
		lone_mem_touch(&g->device, 0, bytes);
	} else if (g->kind == LINUX) {
		growth_guest_says(g, "fill 3800", "filled");
	} else {
		hold_all_but(g, SPARE);
		growth_guest_says(g, "release all", "pattern intact");
	}
}

/* ---- All of it ---- */

static void check_total(struct growth_guest *g, uint64_t before)
{
	if (growth_guest_figure(g, NULL, "stat-total-memory") != before + REGION)
		fail(g, "MemTotal is not 4 GiB more");
}

static void watch_unplug(struct growth_guest *g)
{
	struct host_watch watch;
	double start;

	if (host_watch_start(&watch, (uint64_t)((double)REGION * BACK_SHARE)))
		fail(g, "no thread to watch free memory");
	start = host_now();
	record(UNPLUG, g->kind, go(g, REGION, false));
	for (int ms = 0; ms < LATE_MS && isinf(watch.when); ms++)
		usleep(1000);
	host_watch_stop(&watch);
	/* Linux has touched what it could, which is not all of it. */
	if (g->kind != LINUX)
		record(UNPLUG_BACK, g->kind, (watch.when - start) * 1e3);
}

void growth_measure_all(enum growth_kind kind)
{
	struct growth_guest g;
	uint64_t before = 0;

	growth_guest_start(&g, kind, BOOT_MIB, REGION);
	if (kind == AEROSTAT)
		before = growth_guest_figure(&g, NULL, "stat-total-memory");
	record(PLUG, kind, go(&g, REGION, true));
	if (kind == AEROSTAT)
		check_total(&g, before);
	use_and_free(&g, REGION);
	watch_unplug(&g);
	growth_guest_stop(&g);
}

/* ---- Every second block ---- */

/* Boot memory is in use while the blocks are taken, and free again when they go. */
static double aerostat_every_second(struct growth_guest *g)
{
	hold_all_but(g, SPARE);
	reach(g, REGION);
	hold(g, REGION - SPARE, 9);
	growth_guest_says(g, "release 2 half", "pattern intact");
	growth_guest_says(g, "release 1", "pattern intact");
	return reach(g, HALF);
}

static double device_every_second(struct growth_guest *g)
{
	double start;

	go(g, REGION, true);
	lone_mem_touch(&g->device, 0, REGION);
	growth_guest_request(g, HALF);
	start = host_now();
	for (uint64_t at = 0; at < REGION; at += 2 * BLOCK_BYTES)
		lone_mem_unplug(&g->device, at, BLOCK_BYTES);
	if (growth_guest_plugged(g) != HALF)
		fail(g, "QEMU does not see what the device has answered");
	return (host_now() - start) * 1e3;
}

void growth_measure_every_second(enum growth_kind kind)
{
	struct growth_guest g;

	if (kind == LINUX)
		return;
	growth_guest_start(&g, kind, BOOT_MIB, REGION);
	record(EVERY_SECOND, kind,
	       kind == AEROSTAT ? aerostat_every_second(&g) : device_every_second(&g));
	growth_guest_stop(&g);
}

/* ---- Beside the balloon ---- */

static void shrink(struct growth_guest *g, enum growth_metric metric, enum growth_kind kind)
{
	record(metric, kind, go(g, HALF, false));
	if (kind == AEROSTAT && growth_guest_figure(g, "owners", "balloon") != BALLOON)
		fail(g, "its balloon is not what it was");
}

/* The balloon takes what the guest gives it. */
void growth_measure_ballooned(enum growth_kind kind)
{
	struct growth_guest g;

	if (kind == DEVICE)
		return;
	growth_guest_start(&g, kind, BOOT_MIB, REGION);
	go(&g, HALF, true);
	growth_guest_balloon(&g, BALLOON);
	shrink(&g, BALLOONED, kind);
	growth_guest_stop(&g);
}

/* Boot memory is in use while the balloon takes its part, which so is the region's. */
void growth_measure_moved_out(void)
{
	struct growth_guest g;

	growth_guest_start(&g, AEROSTAT, BOOT_MIB, REGION);
	hold_all_but(&g, growth_guest_figure(&g, "balloon", "floor") + SPARE);
	reach(&g, HALF);
	growth_guest_balloon(&g, BALLOON);
	if (growth_guest_figure(&g, NULL, "removable") > HALF - BALLOON / 2)
		fail(&g, "the balloon has not taken its part of what is to go");
	growth_guest_says(&g, "release all", "pattern intact");
	shrink(&g, MOVED_OUT, AEROSTAT);
	growth_guest_stop(&g);
}

/* ---- Without a free frame ---- */

/* What is left over: first hundreds of frames, then few, then a frame with its list. */
static void hold_all(struct growth_guest *g)
{
	uint64_t free;

	while ((free = growth_guest_figure(g, "owners", "free") / FRAME) > 1)
		hold(g, (free - free / 500 - 1 - (free % 500 == 2)) * FRAME, 0);
	if (free > 0)
		fail(g, "a frame is left over");
}

void growth_measure_no_free(void)
{
	struct growth_guest g;
	unsigned grown = 0;

	growth_guest_start(&g, AEROSTAT, SMALL_MIB, REGION);
	for (unsigned i = 0; i < TIMES; i++) {
		uint64_t bytes = (i + 1) * (REGION / TIMES / BLOCK_BYTES) * BLOCK_BYTES;

		hold_all(&g);
		growth_guest_request(&g, bytes);
		grown += growth_guest_wait(&g, bytes, TIMEOUT_MS);
		growth_guest_says(&g, "release all", "pattern intact");
		reach(&g, 0);
	}
	growth_guest_stop(&g);
	record(NO_FREE, AEROSTAT, grown);
}

/* ---- 1 TiB ---- */

struct boot {
	double ms, mib; /* until all devices are known; what is not free */
};

static struct boot boot(uint64_t region)
{
	struct growth_guest g;
	struct boot boot;

	growth_guest_start(&g, AEROSTAT, BOOT_MIB, region);
	boot.ms = growth_guest_ready_ms(&g);
	boot.mib = (double)(BOOT_MIB * MIB - growth_guest_figure(&g, "owners", "free")) / MIB;
	growth_guest_stop(&g);
	return boot;
}

void growth_measure_boot(void)
{
	for (unsigned i = 0; i < BOOTS; i++) {
		struct boot without = boot(0), little = boot(BLOCK_BYTES);
		struct boot with = boot(1024 * GIB);

		/* A driver takes its time for any device. */
		record(BOOT, AEROSTAT, with.ms - little.ms);
		record(BOOT_MEMORY, AEROSTAT, with.mib - without.mib);
	}
}
