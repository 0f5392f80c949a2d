/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The idle benchmark: what a guest that does nothing costs its host, beside a Linux guest
 * of the same run; and, with -g, many guests at once, and how long the console of each
 * takes to answer.
 *
 *	idle [-s SECONDS] [-g GUESTS] [-m q35,microvm] [--json] AEROSTAT.elf LINUX_DIR
 *
 * All guests run at the same time; the host's processors are theirs in turn.
 */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tests/bench/circumstances.h"
#include "tests/bench/host.h"
#include "tests/bench/idle_guest.h"
#include "tests/bench/samples.h"

#define MEMORY "256M"
#define GOAL_SHARE 0.05 /* percent of a processor */
#define GOAL_ANSWER_MS 100.0
#define GUESTS_MAX 1000
#define KINDS_MAX 4
#define WINDOWS 10 /* of a measurement */
#define ASK_ROUNDS 3

/* A guest has settled when it used less than this of two seconds, twice in a row. */
#define SETTLED_SHARE 5.0
#define SETTLE_SECONDS 2
#define SETTLE_LOOKS_MAX 60

static struct {
	double seconds;
	const char *aerostat, *linux_dir;
} options = { .seconds = 30 };

/* One line of the table: guests of one kind. */
struct kind {
	const char *machine;
	bool is_linux;
	struct idle_guest *guests;
	size_t count;
	struct samples share;  /* percent of a processor */
	struct samples window; /* likewise, in each window */
	struct samples mib;    /* PSS */
	struct samples ms;     /* until the console answered */
};

__attribute__((noreturn)) static void usage(void)
{
	fprintf(stderr, "usage: idle [-s SECONDS] [-g GUESTS] [-m q35,microvm] [--json] "
			"AEROSTAT.elf LINUX_DIR\n");
	exit(2);
}

static const char *kind_name(const struct kind *kind)
{
	return kind->is_linux ? "Linux" : "Aerostat";
}

/* ---- Starting ---- */

/*
 * On a microvm Linux finds nothing to measure the time stamp counter against and hangs;
 * under TCG the counter is the host's, whose rate is about this.
 */
static unsigned long host_khz(void)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	double mhz = 0;
	char line[256];

	while (file && mhz == 0 && fgets(line, sizeof(line), file))
		if (sscanf(line, "cpu MHz : %lf", &mhz) != 1)
			mhz = 0;
	if (file)
		fclose(file);
	return (unsigned long)((mhz > 0 ? mhz : 2000) * 1000);
}

static void start_one(const struct kind *kind, struct idle_guest *guest)
{
	static const char *const common[] = { "-nodefaults", "-no-user-config",
					      "-display",    "none",
					      "-accel",	     "tcg",
					      "-cpu",	     "max",
					      "-m",	     MEMORY,
					      "-machine" };
	bool microvm = strcmp(kind->machine, "microvm") == 0;
	struct arguments a = { 0 };

	arguments_add(&a, "qemu-system-x86_64");
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		arguments_add(&a, common[i]);
	arguments_add(&a, kind->machine);
	arguments_add(&a, "-device");
	arguments_add(&a, microvm ? "virtio-balloon-device" : "virtio-balloon-pci");
	arguments_add(&a, "-kernel");
	if (kind->is_linux) {
		arguments_add_text(&a, "%s/vmlinuz", options.linux_dir);
		arguments_add(&a, "-initrd");
		arguments_add_text(&a, "%s/initrd", options.linux_dir);
		arguments_add(&a, "-append");
		arguments_add_text(&a, "quiet tsc_early_khz=%lu", host_khz());
	} else {
		arguments_add(&a, options.aerostat);
	}
	idle_guest_start(guest, &a);
}

/* Waits until it does nothing any more, which no guest says by itself. */
static void settle(const struct idle_guest *guest)
{
	unsigned quiet = 0;

	for (unsigned looks = 0; quiet < 2; looks++) {
		double before = host_cpu_seconds(guest->pid), used;

		sleep(SETTLE_SECONDS);
		used = host_cpu_seconds(guest->pid) - before;
		quiet = used / SETTLE_SECONDS * 100 < SETTLED_SHARE ? quiet + 1 : 0;
		if (looks == SETTLE_LOOKS_MAX) {
			fprintf(stderr, "idle: a guest does not come to rest\n");
			exit(1);
		}
	}
}

static void start(struct kind *kind)
{
	kind->guests = calloc(kind->count, sizeof(*kind->guests));
	if (!kind->guests)
		abort();
	for (size_t i = 0; i < kind->count; i++) {
		start_one(kind, &kind->guests[i]);
		if (!kind->is_linux)
			idle_guest_wait_prompt(&kind->guests[i]);
	}
	settle(&kind->guests[kind->count - 1]);
}

/* ---- Measuring ---- */

/* What each guest has used so far goes to `used`. */
static void note_used(const struct kind *kind, double *used)
{
	for (size_t i = 0; i < kind->count; i++)
		used[i] = host_cpu_seconds(kind->guests[i].pid);
}

/* One window of time, the same for all guests. */
static void measure_window(struct kind *kinds, size_t count)
{
	static double before[KINDS_MAX][GUESTS_MAX], after[GUESTS_MAX];
	double start, seconds;

	for (size_t k = 0; k < count; k++)
		note_used(&kinds[k], before[k]);
	start = host_now();
	usleep((useconds_t)(options.seconds / WINDOWS * 1e6));
	seconds = host_now() - start;
	for (size_t k = 0; k < count; k++) {
		note_used(&kinds[k], after);
		for (size_t i = 0; i < kinds[k].count; i++)
			samples_add(&kinds[k].window, (after[i] - before[k][i]) / seconds * 100);
	}
}

/* The figure is that of the whole time, bursts and all; the windows show whether it had any. */
static void measure(struct kind *kinds, size_t count)
{
	static double before[KINDS_MAX][GUESTS_MAX], after[GUESTS_MAX];
	double start = host_now(), seconds;

	for (size_t k = 0; k < count; k++)
		note_used(&kinds[k], before[k]);
	for (unsigned window = 0; window < WINDOWS; window++)
		measure_window(kinds, count);
	seconds = host_now() - start;
	for (size_t k = 0; k < count; k++) {
		note_used(&kinds[k], after);
		for (size_t i = 0; i < kinds[k].count; i++) {
			uint64_t pss = host_memory_of(kinds[k].guests[i].pid, "Pss:");

			samples_add(&kinds[k].share, (after[i] - before[k][i]) / seconds * 100);
			samples_add(&kinds[k].mib, (double)pss / (1 << 20));
		}
	}
}

static void ask(struct kind *kind)
{
	for (unsigned round = 0; round < ASK_ROUNDS; round++)
		for (size_t i = 0; i < kind->count; i++)
			samples_add(&kind->ms, idle_guest_ask(&kind->guests[i]));
}

static void stop(struct kind *kind)
{
	for (size_t i = 0; i < kind->count; i++)
		idle_guest_stop(&kind->guests[i]);
	free(kind->guests);
}

/* ---- What came of it ---- */

static void print_range(const struct samples *s, const char *format)
{
	printf(" ");
	printf(format, samples_median(s));
	if (s->count > 1) {
		printf(" (");
		printf(format, samples_quantile(s, 0));
		printf(" .. ");
		printf(format, samples_quantile(s, 1));
		printf(")");
	}
	printf(" |");
}

static void print_text(const struct circumstances *c, const struct kind *kinds, size_t count)
{
	printf("%s; QEMU, TCG, " MEMORY "; %s; %.0f s; `%s`\n\n", c->host, c->date, options.seconds,
	       c->command);
	printf("| machine | guest | guests at once | a processor's share, %% | of a window | "
	       "PSS, MiB | answers of the console, ms | |\n|---|---|---|---|---|---|---|---|\n");
	for (size_t k = 0; k < count; k++) {
		bool met = samples_median(&kinds[k].share) <= GOAL_SHARE &&
			   samples_quantile(&kinds[k].ms, 1) <= GOAL_ANSWER_MS;

		printf("| %s | %s | %zu |", kinds[k].machine, kind_name(&kinds[k]), kinds[k].count);
		print_range(&kinds[k].share, "%.3f");
		print_range(&kinds[k].window, "%.3f");
		print_range(&kinds[k].mib, "%.1f");
		if (kinds[k].is_linux) {
			printf(" - | - |\n");
			continue;
		}
		print_range(&kinds[k].ms, "%.1f");
		printf(" %s |\n", met ? "met" : "missed");
	}
	printf("\nGoal: at most %.2f %% of a processor, and each answer within %.0f ms.\n",
	       GOAL_SHARE, GOAL_ANSWER_MS);
}

static void add_figures(struct json_object *row, const char *name, const struct samples *s)
{
	struct json_object *figures = json_object_new_object();
	static const struct {
		const char *name;
		double share;
	} quantiles[] = { { "least", 0 }, { "median", 0.5 }, { "p99", 0.99 }, { "most", 1 } };

	for (size_t i = 0; s->count > 0 && i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
		json_object_object_add(
			figures, quantiles[i].name,
			json_object_new_double(samples_quantile(s, quantiles[i].share)));
	json_object_object_add(row, name, figures);
}

static void print_json(const struct circumstances *c, const struct kind *kinds, size_t count)
{
	struct json_object *all = json_object_new_object(), *rows = json_object_new_array();

	json_object_object_add(all, "host", json_object_new_string(c->host));
	json_object_object_add(all, "date", json_object_new_string(c->date));
	json_object_object_add(all, "command", json_object_new_string(c->command));
	json_object_object_add(all, "seconds", json_object_new_double(options.seconds));
	for (size_t k = 0; k < count; k++) {
		struct json_object *row = json_object_new_object();

		json_object_object_add(row, "machine", json_object_new_string(kinds[k].machine));
		json_object_object_add(row, "guest", json_object_new_string(kind_name(&kinds[k])));
		json_object_object_add(row, "guests", json_object_new_int((int)kinds[k].count));
		add_figures(row, "processor-percent", &kinds[k].share);
		add_figures(row, "window-processor-percent", &kinds[k].window);
		add_figures(row, "pss-mib", &kinds[k].mib);
		add_figures(row, "answer-ms", &kinds[k].ms);
		json_object_array_add(rows, row);
	}
	json_object_object_add(all, "rows", rows);
	printf("%s\n", json_object_to_json_string_ext(all, JSON_C_TO_STRING_PRETTY));
	json_object_put(all);
}

/* With many guests there are no Linux ones: they would have all of the host. */
static size_t make_kinds(struct kind *kinds, char *machines, size_t guests)
{
	char *save = NULL;
	size_t count = 0;

	for (char *machine = strtok_r(machines, ",", &save); machine && count < KINDS_MAX;
	     machine = strtok_r(NULL, ",", &save)) {
		kinds[count++] = (struct kind){ .machine = machine, .count = guests };
		if (guests == 1)
			kinds[count++] =
				(struct kind){ .machine = machine, .is_linux = true, .count = 1 };
	}
	return count;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = { { "json", no_argument, NULL, 'j' }, { 0 } };
	char all_machines[] = "q35,microvm", *machines = all_machines;
	struct circumstances circumstances;
	struct kind kinds[KINDS_MAX + 1];
	size_t count, guests = 1;
	bool json = false;
	int option;

	circumstances_note(&circumstances, argc, argv);
	while ((option = getopt_long(argc, argv, "s:g:m:", longs, NULL)) != -1) {
		if (option == 's')
			options.seconds = atof(optarg);
		else if (option == 'g')
			guests = (size_t)atoi(optarg);
		else if (option == 'm')
			machines = optarg;
		else if (option == 'j')
			json = true;
		else
			usage();
	}
	if (argc - optind != 2 || !(options.seconds > 0) || guests < 1 || guests > GUESTS_MAX)
		usage();
	options.aerostat = argv[optind];
	options.linux_dir = argv[optind + 1];
	count = make_kinds(kinds, machines, guests);
	for (size_t k = 0; k < count; k++)
		start(&kinds[k]);
	measure(kinds, count);
	for (size_t k = 0; k < count; k++)
		if (!kinds[k].is_linux)
			ask(&kinds[k]);
	(json ? print_json : print_text)(&circumstances, kinds, count);
	for (size_t k = 0; k < count; k++)
		stop(&kinds[k]);
	return 0;
}
