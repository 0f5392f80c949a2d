/* SPDX-License-Identifier: BSD-2-Clause */
/* What the words after `stress anon` and `stress cache` want; see stress_words.h. */
#include "kernel/stress_words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernel/lib/parse.h"

/* The value of an option, or NULL after a complaint. */
static const char *value_of(int argc, char **argv, int i)
{
	if (i + 1 < argc)
		return argv[i + 1];
	printf("stress: %s wants a value\n", argv[i]);
	return NULL;
}

static int parse_pages(const char *word, uint64_t *pages)
{
	uint64_t bytes;

	if (parse_size(word, &bytes) || bytes == 0) {
		printf("stress: %s is no size; write 64M, 1.5G or a number of bytes\n", word);
		return -ERANGE;
	}
	*pages = (bytes - 1) / FRAME_SIZE + 1;
	return 0;
}

int stress_parse_number(const char *option, const char *word, uint64_t *number)
{
	if (!parse_u64(word, number))
		return 0;
	printf("stress: %s %s is no number\n", option, word);
	return -ERANGE;
}

/* Of touches a second: none is not what somebody who writes 0 would get. */
static int parse_rate(const char *word, uint64_t *rate)
{
	int err = stress_parse_number("--touch", word, rate);

	if (err || *rate > 0)
		return err;
	printf("stress: --touch 0 touches nothing; write 1 or more, or leave it out\n");
	return -ERANGE;
}

static int parse_pattern(const char *word, enum stress_pattern *pattern)
{
	if (!stress_parse_pattern(word, pattern))
		return 0;
	printf("stress: there is no pattern %s; choose seq, loop, rand or zipf\n", word);
	return -ERANGE;
}

/* Whether it is an option with a value; complains if it is none, or none of such a workload. */
static bool is_option(const char *word, bool cache)
{
	bool limit = strcmp(word, "--limit") == 0;

	if (strcmp(word, "--touch") == 0 || strcmp(word, "--seed") == 0 ||
	    strcmp(word, "--pattern") == 0 || strcmp(word, "--passes") == 0 || (limit && !cache))
		return true;
	if (limit)
		printf("stress: --limit is for anon only: the cache takes what is free\n");
	else if (strcmp(word, "--write") == 0)
		printf("stress: --write is for cache only: anon always writes\n");
	else
		printf("stress: %s is unknown; choose --pattern, --passes, --touch, --seed%s\n",
		       word, cache ? ", --write" : ", --limit");
	return false;
}

static int parse_option(const char *option, const char *value, struct stress_want *want)
{
	if (strcmp(option, "--touch") == 0)
		return parse_rate(value, &want->rate);
	if (strcmp(option, "--seed") == 0)
		return stress_parse_number(option, value, &want->seed);
	if (strcmp(option, "--passes") == 0)
		return stress_parse_number(option, value, &want->passes);
	if (strcmp(option, "--pattern") == 0)
		return parse_pattern(value, &want->pattern);
	return parse_pages(value, &want->limit);
}

int stress_parse(int argc, char **argv, struct stress_want *want)
{
	int err = argc < 3 ? -EINVAL : parse_pages(argv[2], &want->pages);

	for (int i = 3; i < argc && !err; i++) {
		const char *value;

		if (want->cache && strcmp(argv[i], "--write") == 0) {
			want->writes = true;
			continue;
		}
		if (!is_option(argv[i], want->cache))
			return -ERANGE;
		value = value_of(argc, argv, i);
		err = value ? parse_option(argv[i], value, want) : -ERANGE;
		i++;
	}
	return err;
}
