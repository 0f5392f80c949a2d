/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames that are to be filled with poison: those that are filled at once or when they
 * are allocated, and marks for the others. See frame.h and frame_fill.h;
 * frame_fill_step() is in frame.c, as this file does not know the map.
 */
#include "mm/frame_fill.h"

#include <assert.h>

#include "mm/frame.h"

struct frame_fill frame_fill;

void frame_set_poisoner(frame_poisoner *poisoner)
{
	size_t number;

	frame_fill.poisoner = poisoner;
	while (!poisoner && (number = bitset_first(&frame_fill.unfilled)) != BITSET_NONE)
		bitset_remove(&frame_fill.unfilled, number);
}

void frame_set_unfilled_hook(void (*hook)(void))
{
	frame_fill.on_unfilled = hook;
}

bool frame_has_unfilled(void)
{
	return !frame_fill.paused && bitset_first(&frame_fill.unfilled) != BITSET_NONE;
}

/* Calls the hook if there is something to do, and was not before. */
static void tell(bool had_some)
{
	if (!had_some && frame_fill.on_unfilled && frame_has_unfilled())
		frame_fill.on_unfilled();
}

void frame_pause_filling(bool paused)
{
	bool had_some = frame_has_unfilled();

	frame_fill.paused = paused;
	tell(had_some);
}

bool frame_filling_is_paused(void)
{
	return frame_fill.paused && frame_fill.poisoner;
}

/* ---- The allocator's side ---- */

void frame_fill_freed(size_t number, pfn_t pfn, size_t count, enum owner from)
{
	bool had_some = frame_has_unfilled();

	assert(frame_fill.poisoner && count > 0 && count <= BLOCK_FRAMES);
	if (!owner_is_host(from) && count < BLOCK_FRAMES) {
		frame_fill.poisoner(pfn, count);
		return;
	}
	bitset_add(&frame_fill.unfilled, number);
	if (number == frame_fill.number)
		frame_fill.word = 0;
	tell(had_some);
}

void frame_fill_taken(size_t number, pfn_t pfn, size_t count, enum owner to)
{
	assert(frame_fill.poisoner && count > 0 && count <= BLOCK_FRAMES);
	if (!owner_is_host(to) && bitset_test(&frame_fill.unfilled, number))
		frame_fill.poisoner(pfn, count);
}

void frame_fill_forget(size_t number)
{
	bitset_remove(&frame_fill.unfilled, number);
}

void frame_fill_run(pfn_t pfn, size_t count)
{
	if (frame_fill.poisoner)
		frame_fill.poisoner(pfn, count);
}
