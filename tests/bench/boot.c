/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long from the start of QEMU to the guest's prompt, beside how long to
 * the first byte of a kernel that does nothing else: in turn, in one run, so
 * that both see the same machine.
 *
 * And whether it grows with memory: MEM is a list, as in 128M,1G,64G.
 *
 *	boot [-n RUNS] [-m MACHINE] [-M MEM] [-b BIOS] [-o OUT.svg] [--json]
 *	     AEROSTAT.elf ONE_BYTE.elf
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tests/bench/circumstances.h"
#include "tests/bench/samples.h"
#include "tools/svg_plot.h"

#define RUNS_MAX 1000
#define SIZES_MAX 16
#define TIMEOUT_MS 60000

static const char *qemu = "qemu-system-x86_64";
static const char *machine = "q35";
static const char *bios;

/* One amount of memory, and what was measured with it. */
static struct size {
	char name[16]; /* as QEMU has it */
	double bytes;
	struct samples guest, peer; /* ms */
} sizes[SIZES_MAX];
static size_t size_count;

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void die(const char *what)
{
	fprintf(stderr, "boot: %s\n", what);
	exit(1);
}

/* In the child: becomes QEMU with its serial line on standard output. */
static void exec_qemu(const char *kernel, const char *memory)
{
	char machine_option[128], ram[128];
	const char *argv[40] = { qemu,
				 "-nodefaults",
				 "-no-user-config",
				 "-display",
				 "none",
				 "-cpu",
				 "max,phys-bits=46",
				 "-accel",
				 "tcg",
				 "-serial",
				 "stdio",
				 "-device",
				 "virtio-balloon-pci",
				 "-kernel",
				 kernel };
	int n = 15;

	snprintf(machine_option, sizeof(machine_option), "%s,memory-backend=ram", machine);
	snprintf(ram, sizeof(ram), "memory-backend-ram,id=ram,reserve=off,size=%s", memory);
	argv[n++] = "-machine";
	argv[n++] = machine_option;
	argv[n++] = "-object";
	argv[n++] = ram;
	if (bios) {
		argv[n++] = "-bios";
		argv[n++] = bios;
	}
	execvp(qemu, (char *const *)argv);
	_exit(127);
}

/* Reads until `text` was seen; false if it does not come. */
static bool wait_for(int fd, const char *text)
{
	char seen[65536];
	size_t length = 0;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	while (length < sizeof(seen) - 1 && poll(&p, 1, TIMEOUT_MS) > 0) {
		ssize_t n = read(fd, seen + length, sizeof(seen) - 1 - length);

		if (n <= 0)
			return false;
		length += (size_t)n;
		seen[length] = '\0';
		if (strstr(seen, text))
			return true;
	}
	return false;
}

/* Milliseconds from fork() to `text` on the serial line. */
static double measure(const char *kernel, const char *memory, const char *text)
{
	int out[2], in[2];
	double start, end;
	bool seen;
	pid_t pid;

	if (pipe(out) || pipe(in))
		die(strerror(errno));
	start = now_ms();
	pid = fork();
	if (pid < 0)
		die(strerror(errno));
	if (pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		for (int i = 0; i < 2; i++) {
			close(in[i]);
			close(out[i]);
		}
		exec_qemu(kernel, memory);
	}
	close(out[1]);
	close(in[0]);
	seen = wait_for(out[0], text);
	end = now_ms();
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(out[0]);
	close(in[1]);
	if (!seen) {
		fprintf(stderr, "boot: %s never printed \"%s\"\n", kernel, text);
		exit(1);
	}
	return end - start;
}

/* ---- What is to be measured ---- */

/* "64G"; ends the program if it is no size. */
static void add_size(const char *name)
{
	static const char units[] = "KMGT";
	struct size *size = &sizes[size_count];
	char *end;
	double number = strtod(name, &end);
	const char *unit = *end != '\0' ? strchr(units, *end) : NULL;

	if (size_count == SIZES_MAX || number <= 0 || !unit || end[1] != '\0' ||
	    strlen(name) >= sizeof(size->name)) {
		fprintf(stderr, "boot: -M: '%s' is no size, or one too many; write 128M,1G,64G\n",
			name);
		exit(2);
	}
	strcpy(size->name, name);
	size->bytes = number;
	for (; unit >= units; unit--)
		size->bytes *= 1024;
	size_count++;
}

static void parse_sizes(char *list)
{
	char *save = NULL;

	for (char *name = strtok_r(list, ",", &save); name; name = strtok_r(NULL, ",", &save))
		add_size(name);
}

/* One run of each, in turn; the first of all is for the caches and not counted. */
static void measure_all(const char *guest, const char *peer, int runs)
{
	for (int i = -1; i < runs; i++) {
		for (size_t s = 0; s < size_count; s++) {
			double a = measure(guest, sizes[s].name, "aerostat> ");
			double b = measure(peer, sizes[s].name, "!");

			if (i < 0)
				continue;
			samples_add(&sizes[s].guest, a);
			samples_add(&sizes[s].peer, b);
		}
	}
}

/* ---- What came of it ---- */

static double ratio(const struct size *size)
{
	return samples_median(&size->guest) / samples_median(&size->peer);
}

static void print_row(const char *name, const struct samples *ms)
{
	printf("%-34s %8.1f %8.1f %8.1f\n", name, samples_median(ms), samples_quantile(ms, 0),
	       samples_quantile(ms, 1));
}

static void print_table(int runs)
{
	for (size_t s = 0; s < size_count; s++) {
		printf("%s, %s, %s, TCG, %d runs in turn\n", machine, sizes[s].name,
		       bios ? bios : "default firmware", runs);
		printf("%-34s %8s %8s %8s\n", "from QEMU's start, ms", "median", "min", "max");
		print_row("Aerostat, to its prompt", &sizes[s].guest);
		print_row("one byte and stop, to that byte", &sizes[s].peer);
		printf("ratio of the medians: %.2f\n", ratio(&sizes[s]));
	}
}

static struct json_object *numbers(const struct samples *ms)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < ms->count; i++)
		json_object_array_add(array, json_object_new_double(ms->values[i]));
	return array;
}

static void print_json(int argc, char **argv)
{
	struct json_object *all = json_object_new_object(), *rows = json_object_new_array();
	struct circumstances c;

	circumstances_note(&c, argc, argv);
	json_object_object_add(all, "host", json_object_new_string(c.host));
	json_object_object_add(all, "date", json_object_new_string(c.date));
	json_object_object_add(all, "command", json_object_new_string(c.command));
	json_object_object_add(all, "machine", json_object_new_string(machine));
	for (size_t s = 0; s < size_count; s++) {
		struct json_object *row = json_object_new_object();

		json_object_object_add(row, "memory", json_object_new_string(sizes[s].name));
		json_object_object_add(row, "ratio", json_object_new_double(ratio(&sizes[s])));
		json_object_object_add(row, "aerostat-ms", numbers(&sizes[s].guest));
		json_object_object_add(row, "one-byte-ms", numbers(&sizes[s].peer));
		json_object_array_add(rows, row);
	}
	json_object_object_add(all, "sizes", rows);
	printf("%s\n", json_object_to_json_string(all));
	json_object_put(all);
}

static void draw(const char *path)
{
	double bytes[SIZES_MAX], guest[SIZES_MAX], peer[SIZES_MAX];
	const struct svg_series series[] = {
		{ .label = "Aerostat, to its prompt",
		  .x = bytes,
		  .y = guest,
		  .count = size_count,
		  .points = true },
		{ .label = "a kernel that prints one byte",
		  .x = bytes,
		  .y = peer,
		  .count = size_count,
		  .points = true },
	};
	const struct svg_plot plot = {
		.title = "From QEMU's start to the prompt, by memory (medians)",
		.x = { .label = "memory", .unit = SVG_BYTES, .log = true },
		.y = { .label = "ms", .unit = SVG_NUMBER },
		.series = series,
		.count = 2,
	};
	FILE *file;

	for (size_t s = 0; s < size_count; s++) {
		bytes[s] = sizes[s].bytes;
		guest[s] = samples_median(&sizes[s].guest);
		peer[s] = samples_median(&sizes[s].peer);
	}
	file = fopen(path, "we");
	if (!file || svg_plot_write(file, &plot) || fclose(file)) {
		fprintf(stderr, "boot: %s: %s\n", path, strerror(errno));
		exit(1);
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' }, { 0 } };
	const char *picture = NULL;
	char default_size[] = "1G", *list = default_size;
	bool json = false;
	int runs = 11;
	int option;

	while ((option = getopt_long(argc, argv, "n:m:M:b:o:", options, NULL)) != -1) {
		switch (option) {
		case 'n':
			runs = atoi(optarg);
			break;
		case 'm':
			machine = optarg;
			break;
		case 'M':
			list = optarg;
			break;
		case 'b':
			bios = optarg;
			break;
		case 'o':
			picture = optarg;
			break;
		case 'j':
			json = true;
			break;
		default:
			return 2;
		}
	}
	if (argc - optind != 2 || runs < 1 || runs > RUNS_MAX)
		die("usage: boot [-n 1..1000] [-m MACHINE] [-M MEM,...] [-b BIOS] [-o OUT.svg] "
		    "[--json] GUEST PEER");
	parse_sizes(list);
	if (getenv("QEMU") && *getenv("QEMU"))
		qemu = getenv("QEMU");
	signal(SIGPIPE, SIG_IGN);
	measure_all(argv[optind], argv[optind + 1], runs);
	if (json)
		print_json(argc, argv);
	else
		print_table(runs);
	if (picture)
		draw(picture);
	return 0;
}
