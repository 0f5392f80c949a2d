/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pressure benchmark: what memory that goes to a disk and comes back costs, in Aerostat
 * and in a Linux guest with as much memory and the same kind of disk for swap, in one run.
 *
 *	pressure [-n ROUNDS] [-m MIB] [--json] AEROSTAT.elf LINUX_DIR
 */
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tests/bench/arguments.h"
#include "tests/bench/circumstances.h"
#include "tests/bench/host.h"
#include "tests/bench/samples.h"
#include "tools/deadline.h"
#include "tools/vm.h"

#define TIMEOUT_MS 300000
#define POLL_US 20000
#define LINUX_PROMPT "pressure# " /* of linux_guest.sh */
#define SWAP_MIB 1024
#define ROUNDS_MAX 21
#define PAGE 4096.0
#define MIB (1024.0 * 1024.0)

enum side { AEROSTAT, LINUX, SIDES };

enum row { FIRST_TOUCH, SEQUENTIAL, RANDOM, READ, DEVICE, KILL, ROWS };

static const struct {
	const char *what, *unit;
	bool larger_is_better;
} rows[] = {
	[FIRST_TOUCH] = { "first touch of a page", "us", false },
	[SEQUENTIAL] = { "pass over 1.3 x memory, swapped both ways", "MiB/s", true },
	[RANDOM] = { "random touches of 1.3 x memory, each", "us", false },
	[READ] = { "reading 2 x memory through the cache", "MiB/s", true },
	[DEVICE] = { "reading the device itself, by 128 KiB", "MiB/s", true },
	[KILL] = { "more than there is, to the kill", "s", false },
};

static struct settings {
	const char *aerostat, *linux_dir;
	unsigned mib;
	unsigned long rounds;
	bool json;
} settings = { .mib = 256, .rounds = 3 };

static struct samples results[ROWS][SIDES];

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "pressure: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* ---- A guest ---- */

struct guest {
	enum side side;
	struct vm *vm;
	struct arguments arguments;
};

/* Nothing, and above it a file of QEMU's own: both sides have the same. */
static void add_disk(struct arguments *a, const char *serial, unsigned mib)
{
	arguments_add(a, "-drive");
	arguments_add_text(a, "if=none,id=%s,driver=null-co,size=%u,read-zeroes=on,snapshot=on",
			   serial, mib << 20);
	arguments_add(a, "-device");
	arguments_add_text(a, "virtio-blk-pci,drive=%s,serial=%s", serial, serial);
}

static void add_kernel(struct arguments *a, enum side side)
{
	arguments_add(a, "-kernel");
	if (side == AEROSTAT) {
		arguments_add(a, settings.aerostat);
		arguments_add(a, "-append");
		arguments_add(a, "swap=swap cache=data");
		return;
	}
	arguments_add_text(a, "%s/vmlinuz", settings.linux_dir);
	arguments_add(a, "-initrd");
	arguments_add_text(a, "%s/initrd", settings.linux_dir);
	arguments_add(a, "-append");
	arguments_add(a, "quiet pressure");
}

static void wait_prompt(struct guest *g, char **before)
{
	int err = g->side == LINUX ? vm_expect(g->vm, LINUX_PROMPT, TIMEOUT_MS, before)
				   : vm_expect_prompt(g->vm, TIMEOUT_MS, before);

	if (err)
		fail("%s: no prompt", g->side == LINUX ? "Linux" : "Aerostat");
}

static void start(struct guest *g, enum side side)
{
	static const char *const common[] = { "qemu-system-x86_64", "-nodefaults",
					      "-no-user-config", "-display", "none", "-accel",
					      "tcg",
					      /* Or the host's first touch is most of a guest's. */
					      "-mem-prealloc", "-cpu", "max", "-machine", "q35" };

	*g = (struct guest){ .side = side };
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		arguments_add(&g->arguments, common[i]);
	arguments_add(&g->arguments, "-m");
	arguments_add_text(&g->arguments, "%uM", settings.mib);
	add_disk(&g->arguments, "swap", SWAP_MIB);
	add_disk(&g->arguments, "data", 2 * settings.mib);
	add_disk(&g->arguments, "raw", 2 * settings.mib);
	add_kernel(&g->arguments, side);
	if (vm_start(side == LINUX ? "linux" : "aerostat", g->arguments.argv, NULL, &g->vm))
		exit(1);
	wait_prompt(g, NULL);
}

static char *type(struct guest *g, const char *line)
{
	char *text = NULL;

	vm_forget(g->vm);
	if (vm_send(g->vm, line, strlen(line)) || vm_send(g->vm, "\r", 1))
		fail("a guest takes no line");
	wait_prompt(g, &text);
	return text;
}

/* Waits until a command's answer has a text, and gives what follows it. */
static double number_after(struct guest *g, const char *line, const char *text)
{
	int64_t deadline = deadline_in(TIMEOUT_MS);
	double number = NAN;

	while (isnan(number) && deadline_left(deadline)) {
		char *answer = type(g, line), *at = strstr(answer, text);

		if (at)
			number = strtod(at + strlen(text), NULL);
		else
			usleep(POLL_US);
		free(answer);
	}
	if (isnan(number))
		fail("`%s` never says \"%s\"", line, text);
	return number;
}

/* ---- What is measured, here and there ---- */

/* Seconds of the last pass of linux_touch.c. */
static double last_pass(struct guest *g, const char *line)
{
	char *answer = type(g, line), *last = NULL;
	double seconds;

	for (char *at = answer; (at = strstr(at, "pass ")); at++)
		last = at;
	if (!last)
		fail("Linux says: %s", answer);
	seconds = strtod(last + strlen("pass "), NULL);
	free(answer);
	return seconds;
}

/*
 * Seconds of the last of some passes over so many MiB; of the first, which touches all pages for
 * the first time, with 0 passes after it.
 */
static double time_pass(struct guest *g, const char *pattern, unsigned mib, unsigned passes)
{
	char line[128];
	double seconds;

	if (g->side == AEROSTAT) {
		snprintf(line, sizeof(line), "stress anon %uM --pattern %s --passes %u", mib,
			 pattern, passes + 1);
		free(type(g, line));
		seconds = number_after(g, "stress", "done, the last pass in ");
		free(type(g, "stress stop all"));
		return seconds;
	}
	snprintf(line, sizeof(line), "/touch %s %u %u", pattern, mib, passes);
	return last_pass(g, line);
}

/* Seconds for reading the data disk once, by pieces of 128 KiB. */
static double time_read(struct guest *g)
{
	char line[128];
	double seconds;

	if (g->side == AEROSTAT) {
		snprintf(line, sizeof(line), "stress cache %uM", 2 * settings.mib);
		free(type(g, line));
		seconds = number_after(g, "stress", "the last pass in ");
		free(type(g, "stress stop all"));
		return seconds;
	}
	return last_pass(g, "/touch read /dev/vdb");
}

/* Seconds for reading such a disk past the cache; here up to four pieces are under way. */
static double time_device(struct guest *g)
{
	return g->side == AEROSTAT ? number_after(g, "disk_read -n vdc", ") in ")
				   : last_pass(g, "/touch direct /dev/vdc");
}

/* Seconds from the start of a task that wants more than there is to its end. */
static double time_kill(struct guest *g)
{
	double begun = host_now();
	char line[64];

	if (g->side == AEROSTAT) {
		free(type(g, "stress oom"));
		number_after(g, "dmesg", "out of memory");
	} else {
		snprintf(line, sizeof(line), "/touch loop %u 0", settings.mib + SWAP_MIB);
		free(type(g, line));
	}
	return host_now() - begun;
}

static void measure(enum side side)
{
	unsigned large = settings.mib * 13 / 10;
	struct guest g;

	start(&g, side);
	samples_add(&results[FIRST_TOUCH][side],
		    time_pass(&g, "loop", settings.mib / 2, 0) * 1e6 / (settings.mib / 2 * 256));
	samples_add(&results[SEQUENTIAL][side], large / time_pass(&g, "loop", large, 2));
	samples_add(&results[RANDOM][side], time_pass(&g, "rand", large, 1) * 1e6 / (large * 256));
	samples_add(&results[READ][side], 2 * settings.mib / time_read(&g));
	samples_add(&results[DEVICE][side], 2 * settings.mib / time_device(&g));
	samples_add(&results[KILL][side], time_kill(&g));
	vm_stop(g.vm);
}

/* ---- What it comes to ---- */

static double ratio(enum row row)
{
	double ours = samples_median(&results[row][AEROSTAT]);
	double theirs = samples_median(&results[row][LINUX]);

	return rows[row].larger_is_better ? ours / theirs : theirs / ours;
}

static void print_table(const struct circumstances *c)
{
	printf("%s\n%s\n%s\n\n", c->host, c->date, c->command);
	printf("%-42s %12s %12s %8s\n", "median", "Aerostat", "Linux", "better");
	for (enum row row = 0; row < ROWS; row++)
		printf("%-42s %7.4g %-5s %6.4g %-5s %6.1fx\n", rows[row].what,
		       samples_median(&results[row][AEROSTAT]), rows[row].unit,
		       samples_median(&results[row][LINUX]), rows[row].unit, ratio(row));
}

static void print_json(const struct circumstances *c)
{
	struct json_object *all = json_object_new_object(), *list = json_object_new_array();

	json_object_object_add(all, "host", json_object_new_string(c->host));
	json_object_object_add(all, "command", json_object_new_string(c->command));
	for (enum row row = 0; row < ROWS; row++) {
		struct json_object *one = json_object_new_object();

		json_object_object_add(one, "what", json_object_new_string(rows[row].what));
		json_object_object_add(one, "unit", json_object_new_string(rows[row].unit));
		json_object_object_add(
			one, "aerostat",
			json_object_new_double(samples_median(&results[row][AEROSTAT])));
		json_object_object_add(
			one, "linux", json_object_new_double(samples_median(&results[row][LINUX])));
		json_object_object_add(one, "better", json_object_new_double(ratio(row)));
		json_object_array_add(list, one);
	}
	json_object_object_add(all, "rows", list);
	puts(json_object_to_json_string_ext(all, JSON_C_TO_STRING_PRETTY));
	json_object_put(all);
}

static void usage(void)
{
	fprintf(stderr, "usage: pressure [-n ROUNDS] [-m MIB] [--json] AEROSTAT.elf LINUX_DIR\n");
	exit(2);
}

static unsigned long parse(const char *text, unsigned long least, unsigned long most)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (*end || number < least || number > most) {
		fprintf(stderr, "pressure: %s is not from %lu to %lu\n", text, least, most);
		exit(2);
	}
	return number;
}

static void parse_arguments(int argc, char **argv)
{
	static const struct option options[] = { { "rounds", required_argument, NULL, 'n' },
						 { "mib", required_argument, NULL, 'm' },
						 { "json", no_argument, NULL, 'j' },
						 { NULL, 0, NULL, 0 } };
	int option;

	while ((option = getopt_long(argc, argv, "n:m:j", options, NULL)) != -1) {
		if (option == 'n')
			settings.rounds = parse(optarg, 1, ROUNDS_MAX);
		else if (option == 'm')
			settings.mib = (unsigned)parse(optarg, 128, 1024);
		else if (option == 'j')
			settings.json = true;
		else
			usage();
	}
	if (argc - optind != 2)
		usage();
	settings.aerostat = argv[optind];
	settings.linux_dir = argv[optind + 1];
}

int main(int argc, char **argv)
{
	struct circumstances c;

	circumstances_note(&c, argc, argv);
	parse_arguments(argc, argv);
	/* Round by round: what slows the machine slows both. */
	for (unsigned long i = 0; i < settings.rounds; i++)
		for (enum side side = 0; side < SIDES; side++)
			measure(side);
	if (settings.json)
		print_json(&c);
	else
		print_table(&c);
	for (enum row row = 0; row < ROWS; row++)
		for (enum side side = 0; side < SIDES; side++)
			samples_free(&results[row][side]);
	return 0;
}
