/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The benchmark of the balloon's other ports: frames a second to and from a VMware that is the
 * hypervisor for tests (docs/hypervisor.md), by blocks, by batches of frames and one by one, beside
 * virtio's in the same run; and how long it takes after RESET until all is as it was.
 *
 *	hypervisors [-n ROUNDS] [-T] AEROSTAT.elf HYPERVISOR.elf
 *
 * How long a move took says the guest, by its clock (`events`), from its first offer to the last
 * answer: until when it asks for the target is not in it. Beside it stands the processor time that
 * QEMU has used meanwhile, which other work on the machine changes less. -T: a guest of 1 TiB, too.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "drivers/balloon/port/vmware_abi.h"
#include "tests/bench/arguments.h"
#include "tests/bench/circumstances.h"
#include "tests/bench/samples.h"
#include "tests/hypervisor/vmware.h"
#include "tools/hypervisor.h"
#include "tools/qmp.h"
#include "tools/vm.h"

#define QEMU "qemu-system-x86_64"
#define FRAME UINT64_C(4096)
#define BLOCK_FRAMES UINT64_C(512)
#define GIB_FRAMES ((UINT64_C(1) << 30) / FRAME)
#define TIMEOUT_MS 600000
#define POLL_US 200
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
	struct vm *vm;
	struct hypervisor *hypervisor; /* NULL: none */
	volatile struct hv_control_common *common;
	volatile struct vmware_control *vmware;
	clockid_t processor;
};

static const char *aerostat, *hypervisor_elf;
static unsigned rounds = 3;
static bool with_tib;

__attribute__((noreturn)) static void fail(const char *what)
{
	fprintf(stderr, "hypervisors: %s\n", what);
	exit(1);
}

/* ---- A guest ---- */

static void add_kernel(struct arguments *a, const struct way *way)
{
	arguments_add(a, "-append");
	arguments_add(a, APPEND);
	arguments_add(a, "-kernel");
	if (way->is_virtio) {
		arguments_add(a, aerostat);
		arguments_add(a, "-device");
		arguments_add(a, "virtio-balloon-pci");
		return;
	}
	arguments_add(a, hypervisor_elf);
	arguments_add(a, "-initrd");
	arguments_add(a, aerostat);
	arguments_add(a, "-fw_cfg");
	arguments_add(a, "name=opt/aerostat/hypervisor,string=vmware");
}

static void open_control(struct guest *g, const char *path)
{
	if (hypervisor_open(path, &g->hypervisor, NULL))
		fail("no control block in the guest's memory");
	g->common = hypervisor_common(g->hypervisor);
	g->vmware = hypervisor_page(g->hypervisor, HV_CONTROL_VMWARE);
}

static void start(struct guest *g, const struct way *way)
{
	static const char *const common[] = { QEMU,
					      "-nodefaults",
					      "-no-user-config",
					      "-display",
					      "none",
					      "-accel",
					      "tcg",
					      "-cpu",
					      "max,phys-bits=46",
					      "-machine",
					      "q35,memory-backend=ram" };
	char path[] = "/tmp/aerostat-bench-XXXXXX";
	struct arguments a = { 0 };
	int fd = mkstemp(path);

	*g = (struct guest){ .way = way };
	if (fd < 0)
		fail("no temporary file");
	close(fd);
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		arguments_add(&a, common[i]);
	arguments_add(&a, "-m");
	arguments_add(&a, way->memory);
	arguments_add(&a, "-object");
	arguments_add_text(&a,
			   "memory-backend-file,id=ram,size=%s,share=on,reserve=off,mem-path=%s",
			   way->memory, path);
	add_kernel(&a, way);
	if (vm_start("hypervisors", a.argv, NULL, &g->vm) ||
	    vm_expect_prompt(g->vm, TIMEOUT_MS, NULL))
		exit(1);
	if (!way->is_virtio)
		open_control(g, path);
	unlink(path);
	if (clock_getcpuclockid(vm_pid(g->vm), &g->processor))
		fail("QEMU has no clock of its processor time");
}

static void stop(struct guest *g)
{
	hypervisor_close(g->hypervisor);
	vm_stop(g->vm);
}

static double seconds_of(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- A move ---- */

struct took {
	double seconds;	  /* by the guest's clock */
	double processor; /* of QEMU */
};

/* *output, if asked for, is the caller's by free(). */
static void ask(struct guest *g, const char *line, char **output)
{
	if (vm_command(g->vm, line, TIMEOUT_MS, output))
		exit(1);
}

/* The events of the last move. */
static double last_move_seconds(struct guest *g)
{
	static const char sign[] = "acknowledged  "; /* with figures */
	char *text, *last, *next;
	uint64_t us = 0;

	ask(g, "events", &text);
	last = strstr(text, sign);
	while (last && (next = strstr(last + 1, sign)))
		last = next;
	last = last ? strstr(last, " us=") : NULL;
	if (!last || sscanf(last, " us=%" SCNu64, &us) != 1 || us == 0)
		fail("the guest has no event of the move's end");
	free(text);
	return (double)us / 1e6;
}

static uint64_t ballooned(struct guest *g)
{
	int64_t left;

	if (!g->way->is_virtio)
		return g->common->taken;
	if (qmp_query_balloon(vm_qmp(g->vm), &left))
		fail(qmp_error(vm_qmp(g->vm)));
	return ((UINT64_C(2) << 30) - (uint64_t)left) / FRAME;
}

static void ask_for(struct guest *g, uint64_t frames)
{
	if (!g->way->is_virtio)
		g->common->target = frames;
	else if (qmp_balloon(vm_qmp(g->vm), (UINT64_C(2) << 30) - frames * FRAME))
		fail(qmp_error(vm_qmp(g->vm)));
}

static void wait_for(struct guest *g, uint64_t frames)
{
	double deadline = seconds_of(CLOCK_MONOTONIC) + TIMEOUT_MS / 1000;

	while (ballooned(g) != frames) {
		if (seconds_of(CLOCK_MONOTONIC) > deadline)
			fail("a target is never reached");
		usleep(POLL_US);
	}
}

static struct took move(struct guest *g, uint64_t frames)
{
	double before = seconds_of(g->processor);
	struct took took;

	ask_for(g, frames);
	wait_for(g, frames);
	took.processor = seconds_of(g->processor) - before;
	ask(g, "balloon wait 60", NULL);
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
			usleep(POLL_US);
	}
	for (unsigned i = 0; i < 2 * times; i++) {
		bool out = i % 2;
		struct took took = move(&g, out ? 0 : way->frames);

		samples_add(&row->rate[out], (double)way->frames / took.seconds);
		samples_add(&row->processor_rate[out], (double)way->frames / took.processor);
		samples_add(&row->seconds[out], took.seconds);
	}
	if (g.common && (g.common->touched || g.common->violation[0]))
		fail("the guest has made a mistake");
	stop(&g);
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
		before = seconds_of(CLOCK_MONOTONIC);
		g.vmware->forget++;
		while (g.vmware->calls[VMWARE_START] == starts)
			usleep(POLL_US);
		wait_for(&g, ways[0].frames);
		samples_add(&ms, (seconds_of(CLOCK_MONOTONIC) - before) * 1000);
		ask(&g, "balloon wait 60", NULL);
		move(&g, 0);
	}
	stop(&g);
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
	aerostat = argv[optind];
	hypervisor_elf = argv[optind + 1];
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
	return 0;
}
