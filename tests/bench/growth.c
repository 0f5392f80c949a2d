/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The growth benchmark: a guest that virtio-mem makes larger and smaller, beside the device
 * alone and a Linux guest, in turn under the same QEMU; and the figures beside the goals.
 *
 *	growth [-n ROUNDS] [--json] AEROSTAT.elf [LINUX_DIR]
 *
 * LINUX_DIR is a folder with vmlinuz, initrd and version (see linux_guest.sh); without it,
 * or if that kernel has no virtio-mem, there is no such guest.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/growth_measure.h"

#define ROUNDS_MAX 1000

static struct growth_circumstances circumstances = { .rounds = 3 };
static bool json;

__attribute__((noreturn)) static void usage(void)
{
	fprintf(stderr, "usage: growth [-n 1..%d] [--json] AEROSTAT.elf [LINUX_DIR]\n", ROUNDS_MAX);
	exit(2);
}

/* ---- Rounds ---- */

static void for_each(unsigned turn, void (*call)(enum growth_kind))
{
	for (unsigned i = 0; i < GROWTH_KINDS; i++) {
		enum growth_kind kind = (turn + i) % GROWTH_KINDS;

		if (kind != LINUX || growth_options.linux_dir)
			call(kind);
	}
}

static void one_round(unsigned round)
{
	for_each(round, growth_measure_all);
	for_each(round, growth_measure_every_second);
	for_each(round, growth_measure_ballooned);
	growth_measure_moved_out();
	growth_measure_boot();
}

/* ---- Options ---- */

static unsigned parse_rounds(const char *text)
{
	char *end;
	unsigned long rounds = strtoul(text, &end, 10);

	if (*end || rounds < 1 || rounds > ROUNDS_MAX) {
		fprintf(stderr, "growth: -n %s: 1 to %d rounds can be made\n", text, ROUNDS_MAX);
		exit(2);
	}
	return (unsigned)rounds;
}

static void read_line(const char *folder, const char *name, char *text, size_t size)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "re");
	if (!file || !fgets(text, (int)size, file)) {
		fprintf(stderr, "growth: %s: %m; tests/bench/linux_guest.sh makes it\n", path);
		exit(1);
	}
	text[strcspn(text, "\n")] = '\0';
	fclose(file);
}

static void choose_linux(const char *folder)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/virtio-mem", folder);
	if (access(path, F_OK)) {
		fprintf(stderr, "growth: no Linux guest: its kernel has no virtio-mem\n");
		return;
	}
	growth_options.linux_dir = folder;
	read_line(folder, "version", circumstances.linux_version,
		  sizeof(circumstances.linux_version));
}

static void parse_options(int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' }, { 0 } };
	int option;

	while ((option = getopt_long(argc, argv, "n:", options, NULL)) != -1) {
		if (option == 'n')
			circumstances.rounds = parse_rounds(optarg);
		else if (option == 'j')
			json = true;
		else
			usage();
	}
	if (argc - optind < 1 || argc - optind > 2)
		usage();
	growth_options.aerostat = argv[optind];
	if (argc - optind == 2)
		choose_linux(argv[optind + 1]);
	if (getenv("QEMU") && *getenv("QEMU"))
		growth_options.qemu = getenv("QEMU");
}

/* The first line of its --version. */
static void note_qemu(void)
{
	char command[4200], line[100] = "";
	FILE *file;

	snprintf(command, sizeof(command), "'%s' --version", growth_options.qemu);
	file = popen(command, "re");
	if (file && !fgets(line, sizeof(line), file))
		line[0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	snprintf(circumstances.qemu, sizeof(circumstances.qemu), "%s, q35, TCG", line);
	if (file)
		pclose(file);
}

int main(int argc, char **argv)
{
	/* First: reading the options takes them to pieces. */
	circumstances_note(&circumstances.common, argc, argv);
	parse_options(argc, argv);
	note_qemu();
	for (unsigned i = 0; i < circumstances.rounds; i++) {
		fprintf(stderr, "round %u of %u\n", i + 1, circumstances.rounds);
		one_round(i);
	}
	growth_measure_no_free();
	if (json)
		growth_report_json(&growth_results, &circumstances);
	else
		growth_report_text(&growth_results, &circumstances);
	return 0;
}
