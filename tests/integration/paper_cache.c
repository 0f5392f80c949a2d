/* SPDX-License-Identifier: BSD-2-Clause */
/* The rules of replacement without a kernel: frame n is a record of an array; see paper_cache.h. */
#include "tests/integration/paper_cache.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/stress_page.h"
#include "mm/replacement.h"

static struct page_record records[PAPER_CACHE_PAGES + 1];
static bool used[PAPER_CACHE_PAGES + 1];
static uint32_t frame_of[PAPER_CACHE_PAGES]; /* 0: the page is not in */
static struct replacement paper;

static struct page_record *record_of(uint32_t number)
{
	return &records[number];
}

static bool take_used(const struct page_record *record)
{
	size_t number = (size_t)(record - records);
	bool was = used[number];

	used[number] = false;
	return was;
}

static const struct replacement_ops ops = { record_of, take_used };

/* A touch with `frames` frames in all, `*taken` of them in use. Returns whether it is a miss. */
static bool touch(uint64_t page, uint32_t frames, uint32_t *taken)
{
	uint32_t frame = frame_of[page];
	bool miss = frame == 0;

	if (miss && *taken < frames) {
		frame = ++*taken;
	} else if (miss) {
		while (!replacement_choose(&paper, UINT64_MAX, &frame))
			;
		frame_of[records[frame].page & PAGE_RECORD_NUMBER] = 0;
	}
	if (miss) {
		records[frame].page = page;
		frame_of[page] = frame;
		used[frame] = false;
		replacement_enter(&paper, frame);
	}
	used[frame] = true;
	return miss;
}

uint64_t paper_cache_misses(const char *pattern, uint64_t pages, unsigned passes, uint64_t seed,
			    uint32_t frames)
{
	uint64_t (*draw)(uint64_t * state,
			 uint64_t n) = strcmp(pattern, "zipf") == 0 ? stress_zipf : stress_random;
	void *ghosts = malloc(replacement_ghost_bytes(pages));
	uint64_t misses = 0;
	uint32_t taken = 0;

	assert(ghosts && pages <= PAPER_CACHE_PAGES && frames <= pages);
	memset(frame_of, 0, sizeof(frame_of));
	replacement_init(&paper, &ops, REPLACEMENT_GHOST);
	replacement_set_ghosts(&paper, ghosts, pages);
	for (uint64_t page = 0; page < pages; page++)
		touch(page, frames, &taken);
	for (uint64_t i = 0; i < (passes - 1) * pages; i++)
		misses += touch(draw(&seed, pages), frames, &taken);
	free(ghosts);
	return misses;
}
