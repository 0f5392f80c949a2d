/* SPDX-License-Identifier: BSD-2-Clause */
/* Which frames the host has; see host_frames.h. */
#include "tests/hypervisor/host_frames.h"

#include <string.h>

#include "tests/hypervisor/personality.h"

#define WORD_BITS 64

static uint64_t *words;
static uint64_t limit;	 /* first frame that is no RAM for sure */
static uint64_t counted; /* that the host has */

size_t host_frames_size(uint64_t frames)
{
	return (size_t)((frames + WORD_BITS - 1) / WORD_BITS * sizeof(*words));
}

void host_frames_init(uint64_t *bitmap, uint64_t frames)
{
	words = bitmap;
	limit = frames;
	counted = 0;
	memset(words, 0, host_frames_size(frames));
}

/* The bits of `first` and those after it, up to `end`, that are in the word of `first`. */
static uint64_t bits_of(uint64_t first, uint64_t end)
{
	uint64_t from = first % WORD_BITS, count = end - first;
	uint64_t most = WORD_BITS - from;

	if (count > most)
		count = most;
	return (count == WORD_BITS ? UINT64_MAX : ((UINT64_C(1) << count) - 1)) << from;
}

static uint64_t next_word(uint64_t pfn)
{
	return (pfn / WORD_BITS + 1) * WORD_BITS;
}

/* Whether the host has all of a range (`has`), or nothing of it. */
static bool is_all(uint64_t first, uint64_t end, bool has)
{
	for (uint64_t pfn = first; pfn < end; pfn = next_word(pfn)) {
		uint64_t bits = bits_of(pfn, end);

		if ((words[pfn / WORD_BITS] & bits) != (has ? bits : 0))
			return false;
	}
	return true;
}

static bool is_ram(uint64_t first, uint64_t count)
{
	return first < limit && count <= limit - first && machine_is_ram(first, count);
}

/* A whole range, of which the host has nothing (`take`), or all. */
static void change(uint64_t first, uint64_t count, bool take)
{
	uint64_t end = first + count;

	for (uint64_t pfn = first; pfn < end; pfn = next_word(pfn)) {
		if (take)
			words[pfn / WORD_BITS] |= bits_of(pfn, end);
		else
			words[pfn / WORD_BITS] &= ~bits_of(pfn, end);
	}
	counted = take ? counted + count : counted - count;
	machine_show(first, count, !take);
}

enum host_frames_result host_frames_take(uint64_t first, uint64_t count)
{
	if (!is_ram(first, count))
		return HOST_FRAMES_NO_RAM;
	if (!is_all(first, first + count, false))
		return HOST_FRAMES_HAS;
	change(first, count, true);
	return HOST_FRAMES_OK;
}

enum host_frames_result host_frames_return(uint64_t first, uint64_t count)
{
	if (!is_ram(first, count))
		return HOST_FRAMES_NO_RAM;
	if (!is_all(first, first + count, true))
		return HOST_FRAMES_HAS_NOT;
	change(first, count, false);
	return HOST_FRAMES_OK;
}

void host_frames_return_all(void)
{
	uint64_t first, count;

	for (uint64_t from = 0; (count = host_frames_find(from, UINT64_MAX, &first)) > 0;
	     from = first + count)
		change(first, count, false);
}

bool host_frames_has(uint64_t pfn)
{
	return pfn < limit && (words[pfn / WORD_BITS] & bits_of(pfn, pfn + 1));
}

uint64_t host_frames_count(void)
{
	return counted;
}

/* The first frame from `from` on that the host has (`has`), or has not; `limit`: there is none. */
static uint64_t find(uint64_t from, bool has)
{
	for (uint64_t pfn = from; pfn < limit; pfn = next_word(pfn)) {
		uint64_t word = words[pfn / WORD_BITS];
		uint64_t like = (has ? word : ~word) & bits_of(pfn, limit);

		if (like)
			return pfn / WORD_BITS * WORD_BITS + (uint64_t)__builtin_ctzll(like);
	}
	return limit;
}

uint64_t host_frames_find(uint64_t from, uint64_t most, uint64_t *first)
{
	uint64_t count;

	*first = find(from, true);
	count = find(*first, false) - *first;
	return count < most ? count : most;
}
