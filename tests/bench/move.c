/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What it costs to move a busy guest: bytes and time of a migration from one QEMU into
 * another while the guest rewrites memory without pause, for each set of
 * features that has FREE_PAGE_HINT, beside hinting alone in the same run.
 *
 *	move [-n ROUNDS] [-s NAME,...] [--json] AEROSTAT.elf QEMU...
 *
 * The QEMUs are tried one after the other. Those before version 10 are skipped, aloud:
 * under TCG version 7.2 loses writes of a guest that moves while it runs.
 */
#include <assert.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tests/bench/circumstances.h"
#include "tests/bench/samples.h"
#include "tools/deadline.h"
#include "tools/qmp.h"
#include "tools/vm.h"
#include "tools/vm_migrate.h"

#define ROUNDS_MAX 1000
#define TIMEOUT_MS 120000
#define POLL_US 5000
#define QEMU_MIN 10
#define GUEST_MEM "2G"
#define LOAD "hold 256M busy"
#define USED "hold 1536M" /* before, so that free memory is worth a hint */
#define GOAL 1.2
#define MB 1e6
/*
 * A move goes through so many rounds with a pause that is too short for it to end, and is
 * then allowed a long one: so all go through as many, whatever else the machine does.
 */
#define ROUNDS_MIN 5
#define PAUSE_SHORT_MS 1
#define PAUSE_LONG_MS 2000
#define BANDWIDTH INT64_C(400000000) /* bytes a second, as two processors can beside other work */

#define HINT "virtio-balloon-pci,free-page-hint=on,iothread=io0"

/* Sets of features; the first is what the others are measured by, the last has no hints. */
static struct set {
	const char *name, *device, *append;
	bool chosen;
	struct samples bytes, ms, rounds;
} sets[] = {
	{ .name = "hint", .device = HINT, .append = "" },
	{ .name = "hint+oom", .device = HINT ",deflate-on-oom=on", .append = "" },
	{ .name = "hint+report", .device = HINT ",free-page-reporting=on", .append = "" },
	{ .name = "hint+poison", .device = HINT, .append = "poison=a5" },
	{ .name = "hint+poison-zero", .device = HINT, .append = "poison=00" },
	{ .name = "hint+report+poison",
	  .device = HINT ",free-page-reporting=on",
	  .append = "poison=a5" },
	{ .name = "packed", .device = HINT ",packed=on", .append = "" },
	{ .name = "packed+poison", .device = HINT ",packed=on", .append = "poison=a5" },
	{ .name = "all",
	  .device = HINT ",packed=on,deflate-on-oom=on,free-page-reporting=on",
	  .append = "poison=a5" },
	{ .name = "no-hint", .device = "virtio-balloon-pci", .append = "poison=a5" },
};

#define SETS (sizeof(sets) / sizeof(sets[0]))

static const char *kernel, *qemu;
static int rounds = 5;
static bool json;

__attribute__((noreturn)) static void die(const char *what)
{
	fprintf(stderr, "move: %s\n", what);
	exit(1);
}

/* ---- Guests ---- */

static struct vm *start(const struct set *set, const char *incoming)
{
	const char *argv[32] = { qemu,	     "-nodefaults", "-no-user-config",
				 "-display", "none",	    "-machine",
				 "q35",	     "-cpu",	    "max",
				 "-accel",   "tcg",	    "-m",
				 GUEST_MEM,  "-object",	    "iothread,id=io0",
				 "-device",  set->device,   "-kernel",
				 kernel,     "-append",	    set->append };
	size_t n = 21;
	struct vm *vm;

	if (incoming) {
		argv[n++] = "-incoming";
		argv[n++] = incoming;
	}
	assert(n < sizeof(argv) / sizeof(argv[0]));
	if (vm_start(set->name, argv, NULL, &vm))
		die("a guest does not start");
	return vm;
}

/* Types a line, whose answer must contain `text`. */
static void command(struct vm *vm, const char *line, const char *text)
{
	char *answer;

	if (vm_command(vm, line, TIMEOUT_MS, &answer))
		exit(1);
	if (!strstr(answer, text)) {
		fprintf(stderr, "move: `%s` does not say \"%s\" but: %s\n", line, text, answer);
		exit(1);
	}
	free(answer);
}

/* Until all of the load was rewritten, twice. */
static void wait_busy(struct vm *vm)
{
	int64_t deadline = deadline_in(TIMEOUT_MS);
	unsigned times = 0;
	char *answer;

	while (times < 2) {
		if (!deadline_left(deadline))
			die("the guest was to be busy, and is not");
		if (vm_command(vm, "held", TIMEOUT_MS, &answer))
			exit(1);
		sscanf(answer, "%*[^,], rewritten %u", &times);
		free(answer);
	}
}

/* Until the device was told of all free blocks, if it wants to be: one and a half quiet seconds. */
static void wait_quiet(struct vm *vm)
{
	int64_t deadline = deadline_in(TIMEOUT_MS);
	char *before = NULL, *now = NULL;

	do {
		if (!deadline_left(deadline))
			die("reporting does not end");
		free(before);
		before = now;
		usleep(1500000);
		if (vm_command(vm, "balloon", TIMEOUT_MS, &now))
			exit(1);
	} while (!before || strcmp(before, now) != 0);
	free(before);
	free(now);
}

/* ---- Moves ---- */

static void allow_pause(struct vm *vm, int ms)
{
	if (vm_migrate_limit_pause(vm, ms))
		exit(1);
}

static void begin_move(struct vm *vm, const char *uri)
{
	allow_pause(vm, PAUSE_SHORT_MS);
	if (vm_migrate_limit(vm, BANDWIDTH) || vm_migrate_begin(vm, uri))
		exit(1);
}

/* A number of query-migrate's answer, or of the object `in` there; 0: not yet. */
static double figure(struct json_object *reply, const char *in, const char *name)
{
	struct json_object *number;

	if (in && !json_object_object_get_ex(reply, in, &reply))
		return 0;
	return json_object_object_get_ex(reply, name, &number) ? json_object_get_double(number) : 0;
}

static bool has_moved(struct vm *vm, struct json_object **reply)
{
	struct json_object *status = NULL;
	const char *word;

	if (qmp_execute(vm_qmp(vm), "query-migrate", NULL, reply))
		die(qmp_error(vm_qmp(vm)));
	word = json_object_object_get_ex(*reply, "status", &status) ? json_object_get_string(status)
								    : "unknown";
	if (strcmp(word, "failed") == 0)
		die("the move failed");
	return strcmp(word, "completed") == 0;
}

/* Lets the move end after its rounds; one that does not counts as what it has cost by then. */
static bool wait_moved(struct set *set, struct vm *vm)
{
	int64_t deadline = deadline_in(TIMEOUT_MS);
	struct json_object *reply;
	bool moved, may_end = false;

	while (!(moved = has_moved(vm, &reply)) && deadline_left(deadline)) {
		if (!may_end && figure(reply, "ram", "dirty-sync-count") >= ROUNDS_MIN) {
			allow_pause(vm, PAUSE_LONG_MS);
			may_end = true;
		}
		json_object_put(reply);
		usleep(POLL_US);
	}
	if (!moved)
		fprintf(stderr, "move: %s: did not end within %d s\n", set->name,
			TIMEOUT_MS / 1000);
	samples_add(&set->bytes, figure(reply, "ram", "transferred"));
	samples_add(&set->ms, figure(reply, NULL, "total-time"));
	samples_add(&set->rounds, figure(reply, "ram", "dirty-sync-count"));
	json_object_put(reply);
	return moved;
}

/* Boots, makes busy, moves, and looks whether all is well where the guest arrived. */
static void measure(struct set *set)
{
	char folder[] = "/tmp/aerostat-move-XXXXXX", uri[64];
	struct vm *from, *to;
	bool moved;

	if (!mkdtemp(folder))
		die("no folder for the socket");
	snprintf(uri, sizeof(uri), "unix:%s/socket", folder);
	from = start(set, NULL);
	if (vm_expect_prompt(from, TIMEOUT_MS, NULL))
		exit(1);
	command(from, USED, "held ");
	command(from, "release all", "pattern intact");
	command(from, LOAD, "held ");
	wait_quiet(from);
	wait_busy(from);
	to = start(set, uri);
	begin_move(from, uri);
	moved = wait_moved(set, from);
	unlink(uri + strlen("unix:"));
	rmdir(folder);
	vm_stop(from);
	if (moved) {
		command(to, "release all", "pattern intact");
		command(to, "audit", "Ledger: ok");
	}
	vm_stop(to);
}

/* ---- Results ---- */

static double ratio(const struct set *set)
{
	return samples_median(&set->bytes) / samples_median(&sets[0].bytes);
}

static const char *verdict(const struct set *set)
{
	if (set == &sets[SETS - 1])
		return "";
	return ratio(set) <= GOAL ? "met" : "missed";
}

static void print_table(void)
{
	printf("A guest of " GUEST_MEM " that did `" USED "`, and does `" LOAD
	       "`, moves; medians of %d "
	       "rounds\n",
	       rounds);
	printf("%-20s %10s %8s %8s %22s\n", "features", "MB sent", "ms", "rounds",
	       "bytes over hint's");
	for (size_t i = 0; i < SETS; i++) {
		struct set *set = &sets[i];

		if (set->chosen)
			printf("%-20s %10.0f %8.0f %8.0f %14.2f %s\n", set->name,
			       samples_median(&set->bytes) / MB, samples_median(&set->ms),
			       samples_median(&set->rounds), ratio(set), verdict(set));
	}
	printf("Each goes through %d rounds before it may end. Goal: at most %.1f\n", ROUNDS_MIN,
	       GOAL);
}

static void print_json(const struct circumstances *c, unsigned version)
{
	struct json_object *all = json_object_new_object(), *rows = json_object_new_array();

	json_object_object_add(all, "host", json_object_new_string(c->host));
	json_object_object_add(all, "date", json_object_new_string(c->date));
	json_object_object_add(all, "command", json_object_new_string(c->command));
	json_object_object_add(all, "qemu", json_object_new_int64(version));
	for (size_t i = 0; i < SETS; i++) {
		struct json_object *row = json_object_new_object();
		const struct set *set = &sets[i];

		json_object_object_add(row, "features", json_object_new_string(set->name));
		json_object_object_add(row, "bytes",
				       json_object_new_double(samples_median(&set->bytes)));
		json_object_object_add(row, "ms", json_object_new_double(samples_median(&set->ms)));
		json_object_object_add(row, "ratio", json_object_new_double(ratio(set)));
		if (set->chosen)
			json_object_array_add(rows, row);
		else
			json_object_put(row);
	}
	json_object_object_add(all, "moves", rows);
	printf("%s\n", json_object_to_json_string(all));
	json_object_put(all);
}

/* ---- One QEMU after the other ---- */

static unsigned find_version(void)
{
	struct vm *vm = start(&sets[0], NULL);
	unsigned version = qmp_version(vm_qmp(vm));

	vm_stop(vm);
	return version;
}

/* Returns whether this QEMU could be used. */
static bool measure_all(const struct circumstances *circumstances)
{
	unsigned version = find_version();

	if (version < QEMU_MIN) {
		fprintf(stderr,
			"move: skipped: %s is QEMU %u, which corrupts a guest that moves while "
			"it runs; version %d or later is needed\n",
			qemu, version, QEMU_MIN);
		return false;
	}
	for (size_t i = 0; i < SETS; i++) {
		samples_free(&sets[i].bytes);
		samples_free(&sets[i].ms);
		samples_free(&sets[i].rounds);
	}
	for (int round = 0; round < rounds; round++) {
		fprintf(stderr, "QEMU %u, round %d of %d\n", version, round + 1, rounds);
		for (size_t i = 0; i < SETS; i++)
			if (sets[(i + (size_t)round) % SETS].chosen)
				measure(&sets[(i + (size_t)round) % SETS]);
	}
	if (json) {
		print_json(circumstances, version);
	} else {
		printf("QEMU %u, %s, %s\n", version, circumstances->host, circumstances->date);
		print_table();
	}
	return true;
}

/* Hinting alone is measured in any case. */
static void choose(char *names)
{
	for (char *name = strtok(names, ","); name; name = strtok(NULL, ",")) {
		size_t i = 0;

		while (i < SETS && strcmp(sets[i].name, name) != 0)
			i++;
		if (i == SETS) {
			fprintf(stderr, "move: -s %s: not one of:", name);
			for (i = 0; i < SETS; i++)
				fprintf(stderr, " %s", sets[i].name);
			fprintf(stderr, "\n");
			exit(2);
		}
		sets[i].chosen = true;
	}
	sets[0].chosen = true;
}

static void parse_options(int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' }, { 0 } };
	bool some = false;
	int option;

	while ((option = getopt_long(argc, argv, "n:s:", options, NULL)) != -1) {
		if (option == 'n')
			rounds = atoi(optarg);
		else if (option == 's')
			choose(optarg);
		else if (option == 'j')
			json = true;
		else
			exit(2);
		some = some || option == 's';
	}
	for (size_t i = 0; i < SETS && !some; i++)
		sets[i].chosen = true;
	if (argc - optind < 2 || rounds < 1 || rounds > ROUNDS_MAX)
		die("usage: move [-n 1..1000] [-s NAME,...] [--json] AEROSTAT.elf QEMU...");
}

int main(int argc, char **argv)
{
	struct circumstances circumstances;
	bool any = false;

	/* First: reading the options takes them to pieces. */
	circumstances_note(&circumstances, argc, argv);
	parse_options(argc, argv);
	kernel = argv[optind++];
	for (; optind < argc; optind++) {
		qemu = argv[optind];
		any = measure_all(&circumstances) || any;
	}
	if (!any)
		fprintf(stderr, "move: nothing was measured\n");
	return 0;
}
