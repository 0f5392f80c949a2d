/* SPDX-License-Identifier: BSD-2-Clause */
/* mm/replacement.c on a course. Frames have the numbers from 1 on. */
#include "tests/bench/replay.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mm/replacement.h"

static struct page_record records[COURSE_CACHE + 1];
static bool used[COURSE_CACHE + 1];

static struct page_record *record(uint32_t number)
{
	return &records[number];
}

static bool take_used(const struct page_record *of)
{
	bool *of_page = &used[of - records], was = *of_page;

	*of_page = false;
	return was;
}

static const struct replacement_ops ops = { record, take_used };

/* Returns a frame for a page: one that was never used, or that of a page that goes. */
static uint32_t find_frame(struct replacement *r, uint32_t *frame_of)
{
	uint64_t in = r->new_pages + r->main_pages;
	uint32_t frame;
	bool found;

	if (in < COURSE_CACHE)
		return (uint32_t)in + 1;
	found = replacement_choose(r, UINT64_MAX, &frame);
	assert(found);
	frame_of[records[frame].page] = 0;
	return frame;
}

static struct outcome replay(const struct course *course, enum replacement_policy policy)
{
	uint32_t *frame_of = calloc(course->pages, sizeof(*frame_of)); /* 0: it is not in */
	struct outcome outcome = { 0 };
	struct replacement r;

	assert(frame_of);
	memset(records, 0, sizeof(records));
	memset(used, 0, sizeof(used));
	replacement_init(&r, &ops, policy);
	replacement_set_ghosts(&r, malloc(replacement_ghost_bytes(COURSE_CACHE)), COURSE_CACHE);
	for (size_t i = 0; i < course->touches; i++) {
		uint32_t page = course->touch[i], frame = frame_of[page];

		if (frame == 0) {
			frame = frame_of[page] = find_frame(&r, frame_of);
			records[frame].page = page;
			replacement_enter(&r, frame);
			outcome.misses++;
		}
		used[frame] = true;
	}
	outcome.looks = r.scanned;
	free(replacement_set_ghosts(&r, NULL, 0));
	free(frame_of);
	return outcome;
}

static struct outcome ghost(const struct course *course)
{
	return replay(course, REPLACEMENT_GHOST);
}

static struct outcome half_way(const struct course *course)
{
	return replay(course, REPLACEMENT_HALF_WAY);
}

const struct replayer replay_ghost = { "2Q-CLOCK", ghost };
const struct replayer replay_half_way = { "half-way", half_way };
