/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The measurements of the console benchmark: see console_measure.h. The lowest part of
 * RAM, which a balloon takes first, is there before the guest starts: discarding what was
 * never there costs a host next to nothing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/arguments.h"
#include "tests/bench/console_measure.h"
#include "tools/qmp.h"
#include "tools/vm.h"
#include "tools/vm_migrate.h"

#define TIMEOUT_MS 120000
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define LEFT_BYTES GIB	 /* of a guest, when its balloon is to take all */
#define PAUSE_US 5000	 /* at most, between two probes */
#define BEFORE_US 100000 /* at most, from a command to its Ctrl-C */
#define FEW 25		 /* probes of a command that is started for each */

struct console_options console_options = {
	.qemu = "qemu-system-x86_64",
	.machine = "q35",
	.populated = 4 * GIB,
	.seconds = 2,
};

static const char *const backings[CONSOLE_BACKINGS] = { "anonymous", "shared", "hugetlb" };

static const char *const works[CONSOLE_WORKS] = {
	"idle",
	"inflate-portable",
	"inflate-whole-block",
	"inflate-range-first",
	"deflate",
	"deflate-poison",
	"report",
	"hint",
	"audit",
	"hold",
};

static const char *const probes[CONSOLE_PROBES] = { "command", "ctrl-c", "target" };

const char *console_backing_key(enum console_backing backing)
{
	return backings[backing];
}

const char *console_work_key(enum console_work work)
{
	return works[work];
}

const char *console_probe_key(enum console_probe probe)
{
	return probes[probe];
}

uint64_t console_huge_pages_free(void)
{
	FILE *file = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "re");
	uint64_t pages = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%" SCNu64, &pages) != 1)
		pages = 0;
	fclose(file);
	return pages * 2 * MIB;
}

static double read_ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double now_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

/* A guest that is being measured. */
struct guest {
	struct console_place *place;
	struct vm *vm;
	clockid_t processor; /* the time that QEMU's threads have had, together */
	bool more;	     /* the last TARGET asked for 1 MiB more */
};

__attribute__((noreturn)) static void fail(struct guest *g, const char *what)
{
	vm_report(g->vm, what);
	exit(1);
}

static void must_qmp(struct guest *g, int err)
{
	if (err)
		fail(g, qmp_error(vm_qmp(g->vm)));
}

/* ---- A guest ---- */

/* A node of RAM: the lower one is populated. */
static void add_node(struct arguments *a, enum console_backing backing, const char *id,
		     uint64_t bytes, bool populated)
{
	static const char *const objects[CONSOLE_BACKINGS] = {
		"memory-backend-ram",
		"memory-backend-memfd,share=on",
		"memory-backend-memfd,share=on,hugetlb=on,hugetlbsize=2M",
	};

	arguments_add(a, "-object");
	arguments_add_text(a, "%s,id=%s,size=%" PRIu64 ",%s", objects[backing], id, bytes,
			   populated ? "prealloc=on" : "reserve=off");
	arguments_add(a, "-numa");
	arguments_add_text(a, "node,memdev=%s", id);
}

static void start(struct guest *g, struct console_place *place, const char *append,
		  const char *device)
{
	static const char *const common[] = { "-nodefaults", "-no-user-config",	 "-display", "none",
					      "-cpu",	     "max,phys-bits=46", "-accel",   "tcg",
					      "-object",     "iothread,id=io" };
	uint64_t low = console_options.populated;
	struct arguments a = { 0 };

	*g = (struct guest){ .place = place };
	arguments_add(&a, console_options.qemu);
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		arguments_add(&a, common[i]);
	arguments_add(&a, "-machine");
	arguments_add(&a, console_options.machine);
	arguments_add(&a, "-m");
	arguments_add_text(&a, "%" PRIu64 "M", place->bytes / MIB);
	add_node(&a, place->backing, "low", low, true);
	add_node(&a, place->backing, "high", place->bytes - low, false);
	arguments_add(&a, "-device");
	arguments_add_text(&a, "virtio-balloon-pci%s", device);
	arguments_add(&a, "-kernel");
	arguments_add(&a, console_options.aerostat);
	arguments_add(&a, "-append");
	arguments_add(&a, append);
	if (vm_start("console", a.argv, NULL, &g->vm) || vm_expect_prompt(g->vm, TIMEOUT_MS, NULL))
		exit(1);
	if (clock_getcpuclockid(vm_pid(g->vm), &g->processor))
		fail(g, "QEMU has no clock of its processor time");
}

static void stop(struct guest *g)
{
	vm_stop(g->vm);
}

/* ---- Probes ---- */

static void ask_command(struct guest *g)
{
	if (vm_command(g->vm, "uptime", TIMEOUT_MS, NULL))
		exit(1);
}

static void ask_interrupt(struct guest *g)
{
	if (vm_send(g->vm, "\3", 1) || vm_expect(g->vm, "^C", TIMEOUT_MS, NULL) ||
	    vm_expect_prompt(g->vm, TIMEOUT_MS, NULL))
		exit(1);
}

static void ask_target(struct guest *g)
{
	int64_t left, actual = 0;

	g->more = !g->more;
	left = (int64_t)(g->place->bytes - (g->more ? MIB : 0));
	must_qmp(g, qmp_balloon(vm_qmp(g->vm), (uint64_t)left));
	while (actual != left) {
		usleep(200);
		must_qmp(g, qmp_query_balloon(vm_qmp(g->vm), &actual));
	}
}

static void probe(struct guest *g, enum console_work work, enum console_probe probe)
{
	static void (*const ask[CONSOLE_PROBES])(struct guest *) = { ask_command, ask_interrupt,
								     ask_target };
	double used = read_ms(g->processor), start = now_ms();

	ask[probe](g);
	samples_add(&g->place->ms[work][probe], now_ms() - start);
	samples_add(&g->place->processor_ms[work][probe], read_ms(g->processor) - used);
}

static void pause_up_to(long us)
{
	usleep((useconds_t)(random() % us));
}

/* Probes until `is_done`, or for the time that a work may take. */
static void probe_until(struct guest *g, enum console_work work, enum console_probe which,
			bool (*is_done)(struct guest *))
{
	double end = now_ms() + console_options.seconds * 1e3;

	do {
		probe(g, work, which);
		pause_up_to(PAUSE_US);
	} while (now_ms() < end && !(is_done && is_done(g)));
}

/* ---- Works of the shell itself ---- */

static void type(struct guest *g, const char *line)
{
	vm_forget(g->vm);
	if (vm_send(g->vm, line, strlen(line)) || vm_send(g->vm, "\r", 1) ||
	    vm_expect(g->vm, line, TIMEOUT_MS, NULL) || vm_expect(g->vm, "\n", TIMEOUT_MS, NULL))
		exit(1);
}

static bool is_at_prompt(struct guest *g)
{
	return vm_has_said(g->vm, VM_PROMPT);
}

/* Runs it again and again: each time one Ctrl-C, and then targets until it ends by itself. */
static void measure_command(struct guest *g, enum console_work work, const char *line)
{
	double end;

	for (int i = 0; i < FEW; i++) {
		type(g, line);
		pause_up_to(BEFORE_US);
		probe(g, work, INTERRUPT);
	}
	end = now_ms() + console_options.seconds * 1e3;
	while (now_ms() < end) {
		type(g, line);
		probe_until(g, work, TARGET, is_at_prompt);
		if (!is_at_prompt(g))
			ask_interrupt(g);
		else if (vm_expect_prompt(g->vm, TIMEOUT_MS, NULL))
			exit(1);
	}
}

/* ---- Works beside the shell ---- */

static void set_target(struct guest *g, uint64_t left)
{
	must_qmp(g, qmp_balloon(vm_qmp(g->vm), left));
}

static bool has_actual(struct guest *g, uint64_t left)
{
	int64_t actual;

	must_qmp(g, qmp_query_balloon(vm_qmp(g->vm), &actual));
	return actual == (int64_t)left;
}

static bool is_inflated(struct guest *g)
{
	return has_actual(g, LEFT_BYTES);
}

static bool is_deflated(struct guest *g)
{
	return has_actual(g, g->place->bytes);
}

static void measure_inflate(struct guest *g, enum console_work work)
{
	set_target(g, LEFT_BYTES);
	probe_until(g, work, COMMAND, is_inflated);
}

static void measure_deflate(struct guest *g, enum console_work work)
{
	set_target(g, g->place->bytes);
	probe_until(g, work, COMMAND, is_deflated);
}

/*
 * A move to nowhere, too slow to end, as the guest would stand still then. It is given up:
 * what was hinted comes back.
 */
static void measure_hint(struct guest *g)
{
	if (vm_migrate_limit(g->vm, (int64_t)MIB / 4) ||
	    vm_migrate_begin(g->vm, "exec:cat >/dev/null"))
		exit(1);
	probe_until(g, HINT, COMMAND, NULL);
	must_qmp(g, qmp_execute(vm_qmp(g->vm), "migrate_cancel", NULL, NULL));
	probe_until(g, HINT, COMMAND, NULL);
}

/* ---- All of a place ---- */

static void measure_first(struct guest *g)
{
	char hold[32];

	snprintf(hold, sizeof(hold), "hold %" PRIu64 "M", console_options.populated / 2 / MIB);
	for (enum console_probe p = 0; p < CONSOLE_PROBES; p++)
		probe_until(g, IDLE, p, NULL);
	measure_command(g, AUDIT, "audit");
	measure_command(g, HOLD, hold);
	set_target(g, g->place->bytes);
}

static void measure_strategy(struct console_place *place, enum console_work work,
			     const char *append, const char *device)
{
	struct guest g;

	start(&g, place, append, device);
	measure_inflate(&g, work);
	stop(&g);
}

void console_measure(struct console_place *place)
{
	struct guest g;

	start(&g, place, "strategy=portable", "");
	measure_first(&g);
	measure_inflate(&g, INFLATE_PORTABLE);
	measure_deflate(&g, DEFLATE);
	stop(&g);
	measure_strategy(place, INFLATE_WHOLE_BLOCK, "strategy=whole-block", "");
	measure_strategy(place, INFLATE_RANGE_FIRST, "strategy=range-first",
			 ",free-page-reporting=on");
	start(&g, place, "", ",free-page-reporting=on");
	probe_until(&g, REPORT, COMMAND, NULL);
	stop(&g);
	start(&g, place, "strategy=portable poison=a5", ",page-poison=on");
	/* What comes back is filled, and may have no huge page beyond this. */
	set_target(&g, place->bytes - console_options.populated);
	usleep((useconds_t)(console_options.seconds * 1e6));
	measure_deflate(&g, DEFLATE_POISON);
	stop(&g);
	start(&g, place, "", ",free-page-hint=on,iothread=io");
	measure_hint(&g);
	stop(&g);
}
