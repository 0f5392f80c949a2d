/* SPDX-License-Identifier: BSD-2-Clause */
/* What others do on a course; see replay.h. Frames have the numbers from 1 on. */
#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

#include "mm/bitset.h"
#include "tests/bench/replay.h"

#define FRAMES (COURSE_CACHE + 1)

/* A memory, and what is known of its frames and of the course's pages. */
struct memory {
	const struct course *course;
	struct outcome outcome;
	uint32_t *frame_of; /* of each page; 0: it is not in */
	uint32_t in;
	uint32_t page[FRAMES];
	bool used[FRAMES];
};

static void start(struct memory *m, const struct course *course)
{
	*m = (struct memory){ .course = course,
			      .frame_of = calloc(course->pages, sizeof(uint32_t)) };
	assert(m->frame_of);
}

static struct outcome stop(struct memory *m)
{
	free(m->frame_of);
	return m->outcome;
}

/* Puts a page in a frame whose own goes, if it has one. */
static void put(struct memory *m, uint32_t page, uint32_t frame)
{
	if (frame <= m->in)
		m->frame_of[m->page[frame]] = 0;
	else
		m->in++;
	m->page[frame] = page;
	m->frame_of[page] = frame;
	m->outcome.misses++;
}

/* ---- Lists of frames: rings, in which frame 0 is none ---- */

#define LISTS 2

struct lists {
	struct {
		uint32_t next[FRAMES], prev[FRAMES];
		uint32_t count;
	} list[LISTS];
	uint8_t on[FRAMES];
};

static void add_last(struct lists *l, unsigned list, uint32_t frame)
{
	uint32_t *next = l->list[list].next, *prev = l->list[list].prev, last = prev[0];

	next[last] = frame;
	prev[frame] = last;
	next[frame] = 0;
	prev[0] = frame;
	l->on[frame] = (uint8_t)list;
	l->list[list].count++;
}

static void take_off(struct lists *l, uint32_t frame)
{
	unsigned list = l->on[frame];
	uint32_t *next = l->list[list].next, *prev = l->list[list].prev;

	next[prev[frame]] = next[frame];
	prev[next[frame]] = prev[frame];
	l->list[list].count--;
}

static uint32_t take_first(struct lists *l, unsigned list)
{
	uint32_t frame = l->list[list].next[0];

	assert(frame != 0);
	take_off(l, frame);
	return frame;
}

/* ---- Least recently used ---- */

static struct outcome lru(const struct course *course)
{
	static struct memory m;
	static struct lists l;

	start(&m, course);
	l = (struct lists){ .list[0].count = 0 };
	for (size_t i = 0; i < course->touches; i++) {
		uint32_t page = course->touch[i], frame = m.frame_of[page];

		if (frame != 0) {
			take_off(&l, frame);
		} else {
			frame = m.in < COURSE_CACHE ? m.in + 1 : take_first(&l, 0);
			put(&m, page, frame);
		}
		add_last(&l, 0, frame);
	}
	return stop(&m);
}

/* ---- One ring and a hand ---- */

static struct outcome ring(const struct course *course)
{
	static struct memory m;
	uint32_t hand = 1;

	start(&m, course);
	for (size_t i = 0; i < course->touches; i++) {
		uint32_t page = course->touch[i], frame = m.frame_of[page];

		if (frame == 0 && m.in < COURSE_CACHE) {
			frame = m.in + 1;
			put(&m, page, frame);
		} else if (frame == 0) {
			for (; m.used[hand]; hand = hand % COURSE_CACHE + 1) {
				m.used[hand] = false;
				m.outcome.looks++;
			}
			m.outcome.looks++;
			frame = hand;
			hand = hand % COURSE_CACHE + 1;
			put(&m, page, frame);
		}
		m.used[frame] = true;
	}
	return stop(&m);
}

/*
 * ---- Two lists ----
 *
 * As Linux has them for pages of which it sees only the bit: new ones come to the inactive
 * list. As long as that is the shorter one, the oldest of the active list go to it, used or not.
 * Of the inactive list the oldest goes, if it was not used; else it is active. One that comes
 * back is active at once if so little has left or was activated since it went as the active list is
 * long.
 */
enum { INACTIVE, ACTIVE };

static uint32_t shrink_lists(struct memory *m, struct lists *l, uint64_t *age)
{
	uint32_t frame;

	for (;;) {
		while (l->list[INACTIVE].count < l->list[ACTIVE].count) {
			frame = take_first(l, ACTIVE);
			m->used[frame] = false;
			add_last(l, INACTIVE, frame);
			m->outcome.looks++;
		}
		frame = take_first(l, INACTIVE);
		++*age;
		m->outcome.looks++;
		if (!m->used[frame])
			return frame;
		m->used[frame] = false;
		add_last(l, ACTIVE, frame);
	}
}

static struct outcome two_lists(const struct course *course)
{
	uint64_t *went = calloc(course->pages, sizeof(*went)), age = 0; /* 0: never */
	static struct memory m;
	static struct lists l;

	assert(went);
	start(&m, course);
	l = (struct lists){ .list[0].count = 0 };
	for (size_t i = 0; i < course->touches; i++) {
		uint32_t page = course->touch[i], frame = m.frame_of[page];

		if (frame == 0) {
			bool again = went[page] > 0 && age - went[page] <= l.list[ACTIVE].count;

			frame = m.in < COURSE_CACHE ? m.in + 1 : shrink_lists(&m, &l, &age);
			if (m.in == COURSE_CACHE)
				went[m.page[frame]] = age;
			put(&m, page, frame);
			add_last(&l, again ? ACTIVE : INACTIVE, frame);
			age += again;
		}
		m.used[frame] = true;
	}
	free(went);
	return stop(&m);
}

/* ---- The best ---- */

/* Fills in when the page of each touch is touched next: a time of its own if it never is. */
static void look_ahead(const struct course *course, uint32_t *next)
{
	uint32_t *seen = calloc(course->pages, sizeof(*seen)); /* 0: not after this */

	assert(seen);
	for (size_t i = course->touches; i-- > 0;) {
		uint32_t page = course->touch[i];

		next[i] = seen[page] > 0 ? seen[page] : (uint32_t)(course->touches + i);
		seen[page] = (uint32_t)i;
	}
	free(seen);
}

/* The times at which pages that are in are touched next; whose is the last of them goes. */
static struct outcome best(const struct course *course)
{
	size_t times = 2 * course->touches, room = bitset_words(times);
	uint64_t *words = malloc(room * sizeof(*words));
	uint32_t *next = malloc(course->touches * sizeof(*next));
	uint32_t *page_at = malloc(times * sizeof(*page_at));
	static struct memory m;
	struct bitset due;

	assert(words && next && page_at);
	start(&m, course);
	bitset_init(&due, times, words);
	look_ahead(course, next);
	for (size_t i = 0; i < course->touches; i++) {
		uint32_t page = course->touch[i], frame = m.frame_of[page];
		size_t last;

		bitset_remove(&due, i);
		if (frame == 0 && m.in < COURSE_CACHE) {
			put(&m, page, m.in + 1);
		} else if (frame == 0) {
			last = bitset_previous(&due, times);
			bitset_remove(&due, last);
			put(&m, page, m.frame_of[page_at[last]]);
		}
		bitset_add(&due, next[i]);
		page_at[next[i]] = page;
	}
	free(page_at);
	free(next);
	free(words);
	return stop(&m);
}

const struct replayer replay_lru = { "LRU", lru };
const struct replayer replay_clock = { "CLOCK", ring };
const struct replayer replay_two_lists = { "two lists", two_lists };
const struct replayer replay_opt = { "OPT", best };
