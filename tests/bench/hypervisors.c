/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The benchmark of the balloon's other ports, in the hypervisor for tests (docs/hypervisor.md):
 * frames a second to and from VMware, by blocks, by batches of frames and one by one, beside
 * virtio's in the same run, and how long it takes after RESET until all is as it was; then what
 * Hyper-V asks for, and how soon there is a prompt inside.
 *
 *	hypervisors [-n ROUNDS] [-T] AEROSTAT.elf HYPERVISOR.elf
 *
 * How long a move took says the guest, by its clock, from its first offer to the last answer: until
 * when it asks for the target is not in it. Beside it stands the processor time that QEMU has used
 * meanwhile, which other work on the machine changes less. -T: a guest of 1 TiB, too.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drivers/balloon/port/vmware_abi.h"
#include "tests/bench/circumstances.h"
#include "tests/bench/hypervisors_hyperv.h"
#include "tests/bench/inside.h"
#include "tests/bench/samples.h"
#include "tests/hypervisor/vmware.h"
#include "tools/qmp.h"

#define GIB_FRAMES ((UINT64_C(1) << 30) / INSIDE_FRAME)
#define RESET_GOAL_MS 1000.0
#define APPEND "vmware.poll=0.01 floor=1M"

struct way {
	const char *name;
	bool is_virtio;
	const char *memory; /* -m */
	uint32_t withheld;  /* of VMware's capabilities */
	uint64_t frames;
	double goal[2]; /* frames a second, in and out; 0: none */
};

static const struct way ways[] = {
	{ "VMware, blocks of 2 MiB", false, "2G", 0, GIB_FRAMES, { 20e6, 0 } },
	{ "VMware, 512 frames a batch",
	  false,
	  "2G",
	  VMWARE_BATCHED_2M,
	  GIB_FRAMES,
	  { 2e6, 1.5e6 } },
	{ "VMware, frame by frame", false, "2G", VMWARE_BATCHED, GIB_FRAMES / 8, { 40e3, 0 } },
	{ "virtio, 256 frames a buffer", true, "2G", 0, GIB_FRAMES, { 0, 0 } },
};
#define WAYS (sizeof(ways) / sizeof(ways[0]))

static const struct way whole_tib = {
	"VMware, blocks of 2 MiB, a guest of 1 TiB", false, "1T", 0, 1023 * GIB_FRAMES, { 0, 0 }
};

struct guest {
	const struct way *way;
	struct inside in;
	volatile struct vmware_control *vmware; /* NULL: virtio */
};

static unsigned rounds = 3;
static bool with_tib;

static void start(struct guest *g, const struct way *way)
{
	const struct inside_options options = {
		.hypervisor = way->is_virtio ? NULL : "vmware",
		.memory = way->memory,
		.append = APPEND,
		.device = way->is_virtio ? "virtio-balloon-pci" : NULL,
	};

	*g = (struct guest){ .way = way };
	inside_start(&g->in, &options);
	if (!way->is_virtio)
		g->vmware = hypervisor_page(g->in.hypervisor, HV_CONTROL_VMWARE);
}

/* ---- A move ---- */

struct took {
	double seconds;	  /* by the guest's clock */
	double processor; /* of QEMU */
};

/* The events of the last move. */
static double last_move_seconds(struct guest *g)
{
	static const char sign[] = "acknowledged  "; /* with figures */
	char *text, *last, *next;
	uint64_t us = 0;

	inside_ask(&g->in, "events", &text);
	last = strstr(text, sign);
	while (last && (next = strstr(last + 1, sign)))
		last = next;
	last = last ? strstr(last, " us=") : NULL;
	if (!last || sscanf(last, " us=%" SCNu64, &us) != 1 || us == 0)
		inside_fail("the guest has no event of the move's end");
	free(text);
	return (double)us / 1e6;
}

static uint64_t ballooned(struct guest *g)
{
	int64_t left;

	if (!g->way->is_virtio)
		return g->in.common->taken;
	if (qmp_query_balloon(vm_qmp(g->in.vm), &left))
		inside_fail(qmp_error(vm_qmp(g->in.vm)));
	return ((UINT64_C(2) << 30) - (uint64_t)left) / INSIDE_FRAME;
}

static void ask_for(struct guest *g, uint64_t frames)
{
	if (!g->way->is_virtio)
		g->in.common->target = frames;
	else if (qmp_balloon(vm_qmp(g->in.vm), (UINT64_C(2) << 30) - frames * INSIDE_FRAME))
		inside_fail(qmp_error(vm_qmp(g->in.vm)));
}

static void wait_for(struct guest *g, uint64_t frames)
{
	double deadline = inside_seconds(CLOCK_MONOTONIC) + INSIDE_TIMEOUT_MS / 1000;

	while (ballooned(g) != frames) {
		if (inside_seconds(CLOCK_MONOTONIC) > deadline)
			inside_fail("a target is never reached");
		usleep(INSIDE_POLL_US);
	}
}

static struct took move(struct guest *g, uint64_t frames)
{
	double before = inside_seconds(g->in.processor);
	struct took took;

	ask_for(g, frames);
	wait_for(g, frames);
	took.processor = inside_seconds(g->in.processor) - before;
	inside_ask(&g->in, "balloon wait 60", NULL);
	took.seconds = last_move_seconds(g);
	return took;
}

/* ---- The table ---- */

struct row {
	struct samples rate[2], processor_rate[2]; /* in, out */
	struct samples seconds[2];
};

static void measure(const struct way *way, struct row *row, unsigned times)
{
	struct guest g;

	start(&g, way);
	if (way->withheld) {
		g.vmware->withheld = way->withheld;
		g.vmware->forget++;
		while (g.vmware->forget_seen != g.vmware->forget)
			usleep(INSIDE_POLL_US);
	}
	for (unsigned i = 0; i < 2 * times; i++) {
		bool out = i % 2;
		struct took took = move(&g, out ? 0 : way->frames);

		samples_add(&row->rate[out], (double)way->frames / took.seconds);
		samples_add(&row->processor_rate[out], (double)way->frames / took.processor);
		samples_add(&row->seconds[out], took.seconds);
	}
	inside_stop(&g.in);
}

static void print_direction(const struct way *way, const struct row *row, bool out)
{
	double rate = samples_median(&row->rate[out]);
	double per_processor = samples_median(&row->processor_rate[out]);

	printf("| %s | %s | %.2f (%.2f .. %.2f) | %.2f |", way->name, out ? "out" : "in",
	       rate / 1e6, samples_quantile(&row->rate[out], 0) / 1e6,
	       samples_quantile(&row->rate[out], 1) / 1e6, per_processor / 1e6);
	if (way->goal[out] > 0)
		printf(" %.2f | %s |\n", way->goal[out] / 1e6,
		       rate >= way->goal[out]		 ? "met"
		       : per_processor >= way->goal[out] ? "met by processor time"
							 : "missed");
	else
		printf(" | |\n");
}

/* From the host's RESET, with a full balloon, until it has all of it again. */
static void measure_reset(void)
{
	struct samples ms = { 0 };
	struct guest g;

	start(&g, &ways[0]);
	for (unsigned i = 0; i < rounds; i++) {
		double before;
		uint64_t starts;

		move(&g, ways[0].frames);
		starts = g.vmware->calls[VMWARE_START];
		before = inside_seconds(CLOCK_MONOTONIC);
		g.vmware->forget++;
		while (g.vmware->calls[VMWARE_START] == starts)
			usleep(INSIDE_POLL_US);
		wait_for(&g, ways[0].frames);
		samples_add(&ms, (inside_seconds(CLOCK_MONOTONIC) - before) * 1000);
		inside_ask(&g.in, "balloon wait 60", NULL);
		move(&g, 0);
	}
	inside_stop(&g.in);
	printf("\nFrom RESET with 1 GiB in the balloon until the host has it again, with a poll "
	       "each\n"
	       "10 ms: %.0f ms (%.0f .. %.0f); the goal is %.0f ms and a poll: %s.\n",
	       samples_median(&ms), samples_quantile(&ms, 0), samples_quantile(&ms, 1),
	       RESET_GOAL_MS, samples_median(&ms) <= RESET_GOAL_MS + 10 ? "met" : "missed");
	samples_free(&ms);
}

static void measure_tib(void)
{
	struct row row = { 0 };
	double seconds;

	measure(&whole_tib, &row, 1);
	seconds = samples_median(&row.seconds[0]);
	printf("\n1023 GiB of a guest of 1 TiB, by blocks: in %.1f s (the goal is 15 s: %s), out "
	       "in "
	       "%.1f s.\n",
	       seconds, seconds <= 15 ? "met" : "missed", samples_median(&row.seconds[1]));
}

/* ---- The program ---- */

__attribute__((noreturn)) static void usage(void)
{
	fprintf(stderr, "usage: hypervisors [-n ROUNDS] [-T] AEROSTAT.elf HYPERVISOR.elf\n");
	exit(2);
}

static void parse_options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "n:T")) != -1) {
		if (c == 'n' && atoi(optarg) > 0)
			rounds = (unsigned)atoi(optarg);
		else if (c == 'T')
			with_tib = true;
		else
			usage();
	}
	if (argc - optind != 2)
		usage();
	inside_use(argv[optind], argv[optind + 1]);
}

int main(int argc, char **argv)
{
	struct circumstances circumstances;

	circumstances_note(&circumstances, argc, argv);
	parse_options(argc, argv);
	printf("%s; q35, TCG; %s.\n%u rounds; command `%s`.\n\n", circumstances.host,
	       circumstances.date, rounds, circumstances.command);
	printf("| million frames/s: median (least .. most) | | by the clock | by QEMU's processor "
	       "time | goal | |\n|---|---|---:|---:|---:|---|\n");
	for (size_t i = 0; i < WAYS; i++) {
		struct row row = { 0 };

		measure(&ways[i], &row, rounds);
		print_direction(&ways[i], &row, false);
		print_direction(&ways[i], &row, true);
		fflush(stdout);
	}
	measure_reset();
	if (with_tib)
		measure_tib();
	hyperv_measure(rounds);
	return 0;
}
