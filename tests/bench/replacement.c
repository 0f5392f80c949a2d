/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How good mm/replacement.c is at keeping what will be used: hits on eleven courses
 * (courses.h), beside what others do (replay.h). Nothing here is a time: the figures are the
 * same on every machine.
 *
 *	replacement [-r REFERENCES]
 */
#include <getopt.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel/lib/types.h"
#include "tests/bench/replay.h"

static const struct replayer *const replayers[] = {
	&replay_lru, &replay_clock, &replay_two_lists, &replay_ghost, &replay_half_way, &replay_opt,
};
#define REPLAYERS ARRAY_SIZE(replayers)

/* What became of all courses. */
struct results {
	double hits[COURSES][REPLAYERS]; /* of a hundred references */
	double looks[REPLAYERS];	 /* for each page that went, on the course with most */
};

static void run(struct results *results, unsigned number, size_t references, unsigned burst)
{
	struct course course;

	course_make(&course, number, references, burst);
	for (size_t i = 0; i < REPLAYERS; i++) {
		struct outcome outcome = replayers[i]->replay(&course);
		double went = (double)outcome.misses - COURSE_CACHE;

		results->hits[number][i] = replay_hit_percent(&course, &outcome);
		if (went > 0)
			results->looks[i] = fmax(results->looks[i], (double)outcome.looks / went);
	}
	course_free(&course);
}

static double mean(const struct results *results, size_t replayer)
{
	double sum = 0;

	for (unsigned number = 0; number < COURSES; number++)
		sum += results->hits[number][replayer];
	return sum / COURSES;
}

static void print_heads(const char *head)
{
	printf("%-28s", head);
	for (size_t i = 0; i < REPLAYERS; i++)
		printf(" %9s", replayers[i]->name);
	printf("\n");
}

/* A character for each 2 of a hundred hits. */
static void print_bar(const char *name, double hits)
{
	printf("%-10s %5.1f  ", name, hits);
	for (int i = 0; i < (int)lround(hits / 2); i++)
		printf("#");
	printf("\n");
}

static void print_looks(const struct results *results)
{
	printf("%-28s", "looks for each that went");
	for (size_t i = 0; i < REPLAYERS; i++)
		if (results->looks[i] > 0)
			printf(" %9.1f", results->looks[i]);
		else
			printf(" %9s", "-");
	printf("\n");
}

static void print_results(const struct results *results, unsigned burst)
{
	char head[64];

	snprintf(head, sizeof(head), burst > 1 ? "%u touches each" : "%u touch each", burst);
	print_heads(head);
	for (unsigned number = 0; number < COURSES; number++) {
		printf("%-28s", course_name(number));
		for (size_t i = 0; i < REPLAYERS; i++)
			printf(" %9.1f", results->hits[number][i]);
		printf("\n");
	}
	printf("%-28s", "mean");
	for (size_t i = 0; i < REPLAYERS; i++)
		printf(" %9.1f", mean(results, i));
	printf("\n");
	print_looks(results);
	printf("\n");
	for (size_t i = 0; i < REPLAYERS; i++)
		print_bar(replayers[i]->name, mean(results, i));
}

static size_t read_references(int argc, char **argv)
{
	size_t references = COURSE_REFERENCES;
	char *end;
	int option;

	while ((option = getopt(argc, argv, "r:")) != -1) {
		unsigned long value = option == 'r' ? strtoul(optarg, &end, 10) : 0;

		if (value < 2 * COURSE_CACHE || value > 10 * COURSE_REFERENCES || *end) {
			fprintf(stderr, "usage: %s [-r REFERENCES]: %d to %d\n", argv[0],
				2 * COURSE_CACHE, 10 * COURSE_REFERENCES);
			exit(2);
		}
		references = value;
	}
	return references;
}

int main(int argc, char **argv)
{
	static const unsigned bursts[] = { 1, 4 };
	size_t references = read_references(argc, argv);

	printf("Hits of 100 references: memory for C = %d pages, %zu references\n", COURSE_CACHE,
	       references);
	for (size_t b = 0; b < ARRAY_SIZE(bursts); b++) {
		struct results results = { 0 };

		for (unsigned number = 0; number < COURSES; number++)
			run(&results, number, references, bursts[b]);
		printf("\n");
		print_results(&results, bursts[b]);
	}
	return 0;
}
