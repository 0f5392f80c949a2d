/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The balloon benchmark: Aerostat with each of its strategies, the device
 * alone, and Linux, in turn under the same QEMU, so that all see the same
 * machine; and the figures beside the goals.
 *
 *	balloon [-n ROUNDS] [-m q35|pc] [-s NAME,...] [--json] AEROSTAT.elf ONE_BYTE.elf LINUX
 *
 * LINUX is a folder with vmlinuz, initrd and version (see linux_guest.sh).
 * -s measures only some: portable, whole-block, range-first, device,
 * device-ranges, linux.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/balloon_measure.h"
#include "tests/bench/balloon_report.h"

#define ROUNDS_MAX 1000
#define BOOTS 3 /* in a round */

static bool chosen[SUBJECTS];

/* ---- Rounds ---- */

/* Calls `call` for each chosen subject, beginning with another one each time. */
static void for_each(unsigned int turn, void (*call)(enum subject))
{
	for (unsigned int i = 0; i < SUBJECTS; i++) {
		enum subject s = (turn + i) % SUBJECTS;

		if (chosen[s])
			call(s);
	}
}

/* Figures that are exact the first time need not be measured again. */
static void first_round(void)
{
	for_each(0, balloon_measure_blocks);
	if (balloon_has_huge_pages())
		for_each(0, balloon_measure_huge_pages);
}

static void one_round(unsigned int round)
{
	for (unsigned int i = 0; i < BOOTS; i++)
		for_each(round * BOOTS + i, balloon_measure_boot);
	balloon_measure_own();
	for_each(round, balloon_measure_idle);
	for_each(round, balloon_measure_work);
}

/* ---- Options ---- */

static void usage(void)
{
	fprintf(stderr,
		"usage: balloon [-n 1..%d] [-m q35|pc] [-s NAME,...] [--json] AEROSTAT.elf "
		"ONE_BYTE.elf LINUX\n",
		ROUNDS_MAX);
	exit(2);
}

static void choose(char *names)
{
	for (char *name = strtok(names, ","); name; name = strtok(NULL, ",")) {
		enum subject s = 0;

		while (s < SUBJECTS && strcmp(name, subject_key(s)))
			s++;
		if (s == SUBJECTS) {
			fprintf(stderr,
				"balloon: -s %s: portable, whole-block, range-first, device, "
				"device-ranges and linux are measured\n",
				name);
			exit(2);
		}
		chosen[s] = true;
	}
}

static void choose_all(void)
{
	for (enum subject s = 0; s < SUBJECTS; s++)
		if (chosen[s])
			return;
	memset(chosen, 1, sizeof(chosen));
}

static unsigned int parse_rounds(const char *text)
{
	char *end;
	unsigned long rounds = strtoul(text, &end, 10);

	if (*end || rounds < 1 || rounds > ROUNDS_MAX) {
		fprintf(stderr, "balloon: -n %s: 1 to %d rounds can be made\n", text, ROUNDS_MAX);
		exit(2);
	}
	return (unsigned int)rounds;
}

struct choices {
	unsigned int rounds;
	bool json;
};

static struct choices parse_options(int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' }, { 0 } };
	struct choices c = { .rounds = 5 };
	int option;

	while ((option = getopt_long(argc, argv, "n:m:s:", options, NULL)) != -1) {
		if (option == 'n')
			c.rounds = parse_rounds(optarg);
		else if (option == 'm')
			subject_options.machine = optarg;
		else if (option == 's')
			choose(optarg);
		else if (option == 'j')
			c.json = true;
		else
			usage();
	}
	choose_all();
	if (argc - optind != 3)
		usage();
	subject_options.aerostat = argv[optind];
	subject_options.one_byte = argv[optind + 1];
	subject_options.linux_dir = argv[optind + 2];
	if (getenv("QEMU") && *getenv("QEMU"))
		subject_options.qemu = getenv("QEMU");
	return c;
}

static void read_linux_version(char *text, size_t size)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/version", subject_options.linux_dir);
	file = fopen(path, "re");
	if (!file || !fgets(text, (int)size, file)) {
		fprintf(stderr, "balloon: %s: %m; tests/bench/linux_guest.sh makes it\n", path);
		exit(1);
	}
	text[strcspn(text, "\n")] = '\0';
	fclose(file);
}

int main(int argc, char **argv)
{
	struct balloon_circumstances circumstances;
	struct choices choices;

	/* First: reading the options takes them to pieces. */
	circumstances_note(&circumstances.common, argc, argv);
	choices = parse_options(argc, argv);
	read_linux_version(circumstances.linux_version, sizeof(circumstances.linux_version));
	first_round();
	for (unsigned int i = 0; i < choices.rounds; i++) {
		fprintf(stderr, "round %u of %u\n", i + 1, choices.rounds);
		one_round(i);
	}
	balloon_measure_choose_ways(DEVICE);
	balloon_measure_choose_ways(DEVICE_RANGES);
	circumstances.rounds = choices.rounds;
	circumstances.qemu = balloon_qemu;
	circumstances.huge_share = balloon_huge_share;
	if (choices.json)
		balloon_report_json(&balloon_results, &circumstances);
	else
		balloon_report_text(&balloon_results, &circumstances);
	return 0;
}
