/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which frames come and go: what the guest gives is checked, and what it is given back is chosen.
 * The spare frames that the guest was not told of are the host's, too, but are not in the balloon.
 */
#include "tests/hypervisor/hyperv_host.h"
#include "tests/hypervisor/host_frames.h"
#include "tests/hypervisor/personality.h"

#define PFN_LIMIT (UINT64_C(1) << DM_RANGE_FIRST_BITS)
#define FRAMES_LOW 0x100 /* of the first MiB, in which not all is RAM */
#define SCATTERED_MOST 64

/* Of the spare frames: those that the guest may get, and those before them that it may not. */
static uint64_t spare_first, spare, added, skipped;
static uint64_t next_single;
static uint64_t dice;

void ranges_start(void)
{
	spare = machine_spare(&spare_first);
	added = skipped = 0;
	next_single = 0;
	dice = 1;
}

uint64_t ranges_spare(uint64_t *first)
{
	*first = spare_first;
	return spare;
}

void ranges_align_spare(uint64_t frames)
{
	uint64_t skip = -spare_first % frames;

	if (added > 0 || spare == 0)
		return;
	if (skip > spare)
		skip = spare;
	spare_first += skip;
	spare -= skip;
	skipped += skip;
}

uint64_t ranges_added(void)
{
	return added;
}

void ranges_set_added(uint64_t frames)
{
	if (frames > added)
		host_frames_return(spare_first + added, frames - added);
	else if (frames < added)
		host_frames_take(spare_first + frames, added - frames);
	added = frames;
	seen()->added = added;
}

static bool is_hidden(uint64_t pfn)
{
	return (pfn >= spare_first - skipped && pfn < spare_first) ||
	       (pfn >= spare_first + added && pfn < spare_first + spare);
}

uint64_t ranges_ballooned(void)
{
	return host_frames_count() - (spare - added) - skipped;
}

/* How many of the frames from `first` on lie on the same side of `border`. */
static uint64_t up_to(uint64_t first, uint64_t count, uint64_t border)
{
	return first < border && count > border - first ? border - first : count;
}

/* Spare frames may lie beside the others: to the machine that is not one piece of RAM. */
static uint64_t piece_of(uint64_t first, uint64_t count)
{
	count = up_to(first, count, spare_first - skipped);
	count = up_to(first, count, spare_first);
	count = up_to(first, count, spare_first + added);
	return up_to(first, count, spare_first + spare);
}

/* ---- What the guest gives ---- */

static bool take_piece(uint64_t first, uint64_t count)
{
	switch (host_frames_take(first, count)) {
	case HOST_FRAMES_NO_RAM:
		machine_violate("a frame was given that is no RAM");
		return false;
	case HOST_FRAMES_HAS:
		machine_violate(is_hidden(first) ? "a frame was given that was never added"
						 : "a frame was given twice");
		return false;
	default:
		return true;
	}
}

bool ranges_take(uint64_t first, uint64_t count)
{
	if (count == 0) {
		machine_violate("a range without frames was given");
		return false;
	}
	while (count > 0) {
		uint64_t piece = piece_of(first, count);

		if (!take_piece(first, piece))
			return false;
		first += piece;
		count -= piece;
	}
	return true;
}

/* ---- What it is given back ---- */

/* How many of these frames lie before the next hidden one. */
static uint64_t before_hidden(uint64_t first, uint64_t count)
{
	if (skipped > 0)
		count = up_to(first, count, spare_first - skipped);
	if (spare > added)
		count = up_to(first, count, spare_first + added);
	return count;
}

/* A run in the balloon from `from` on; 0: there is none. */
static uint64_t find(uint64_t from, uint64_t most, uint64_t *first)
{
	uint64_t count = host_frames_find(from, most, first);

	while (count > 0 && is_hidden(*first))
		count = host_frames_find(*first < spare_first ? spare_first : spare_first + spare,
					 most, first);
	return before_hidden(*first, count);
}

/* The highest frame in the balloon, in which there is one. */
static uint64_t highest(void)
{
	uint64_t low = 0, high = PFN_LIMIT, first;

	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;

		if (find(middle, 1, &first) > 0)
			low = first;
		else
			high = middle;
	}
	return low;
}

static uint64_t choose_highest(uint64_t most, uint64_t *first)
{
	uint64_t count = 1;

	*first = highest();
	while (count<most && * first> 0 && host_frames_has(*first - 1) && !is_hidden(*first - 1)) {
		--*first;
		count++;
	}
	return count;
}

static uint64_t roll(uint64_t sides)
{
	dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (dice >> 33) % sides;
}

static uint64_t choose_scattered(uint64_t most, uint64_t *first)
{
	uint64_t few = 1 + roll(SCATTERED_MOST), lowest;

	find(0, 1, &lowest);
	return find(lowest + roll(highest() - lowest + 1), few < most ? few : most, first);
}

static uint64_t choose_single(uint64_t *first)
{
	if (find(next_single, 1, first) == 0)
		find(0, 1, first);
	next_single = *first + 2;
	return 1;
}

/* The balloon has a frame. */
static uint64_t choose(uint64_t most, uint64_t *first)
{
	if (most > DM_RANGE_COUNT_MAX)
		most = DM_RANGE_COUNT_MAX;
	switch (wish()->order) {
	case HYPERV_HIGHEST:
		return choose_highest(most, first);
	case HYPERV_SCATTERED:
		return choose_scattered(most, first);
	case HYPERV_SINGLES:
		return choose_single(first);
	default:
		return find(0, most, first);
	}
}

static void give_back(uint64_t first, uint64_t count)
{
	while (count > 0) {
		uint64_t piece = piece_of(first, count);

		host_frames_return(first, piece);
		first += piece;
		count -= piece;
	}
}

uint32_t ranges_return(uint64_t most, uint64_t *range, uint32_t ranges_most, uint64_t *frames)
{
	uint32_t ranges = 0;
	uint64_t first;

	*frames = 0;
	while (ranges < ranges_most && *frames < most && ranges_ballooned() > 0) {
		uint64_t count = choose(most - *frames, &first);

		give_back(first, count);
		range[ranges++] = range_of(first, count);
		*frames += count;
	}
	return ranges;
}

void ranges_take_back(const uint64_t *range, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		ranges_take(range_first(range[i]), range_count(range[i]));
}

/* ---- Lies ---- */

static uint64_t guests_frame(void)
{
	uint64_t pfn = FRAMES_LOW;

	while (pfn < PFN_LIMIT - 1 && (!machine_is_ram(pfn, 1) || host_frames_has(pfn)))
		pfn++;
	return pfn;
}

/* The range and all that is in the balloon after it, and one more frame. */
static uint64_t longer(uint64_t range)
{
	uint64_t first = range_first(range), count = range_count(range);

	while (count < DM_RANGE_COUNT_MAX - 1 && host_frames_has(first + count))
		count++;
	return range_of(first, count + 1);
}

uint32_t ranges_lie(uint64_t *range, uint32_t count)
{
	uint32_t lies = lie()->ranges;

	if (lies & HYPERV_RANGE_TWICE)
		range[count++] = range[0];
	if (lies & HYPERV_RANGE_BEYOND)
		range[0] = longer(range[0]);
	if (lies & HYPERV_RANGE_NOT_GIVEN)
		range[count++] = range_of(guests_frame(), 1);
	if (lies & HYPERV_RANGE_NO_RAM)
		range[count++] = range_of(PFN_LIMIT / 2, 1);
	if (lies & HYPERV_RANGE_EMPTY)
		range[count++] = range_of(range_first(range[0]), 0);
	if (lies & HYPERV_RANGE_HUGE)
		range[count++] = range_of(FRAMES_LOW, DM_RANGE_COUNT_MAX);
	return count;
}
