/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers for the blocks of a memory map, and searches among them. */
#include "mm/frame_spans.h"

#include <assert.h>
#include <errno.h>

/* The first frame after a span. */
static pfn_t span_end(const struct frame_span *span)
{
	return span->start + span->blocks * BLOCK_FRAMES;
}

size_t frame_spans_make(const struct memmap *map, struct frame_spans *spans)
{
	size_t total = 0;

	assert(map->count <= MEM_RANGES_MAX);
	spans->count = 0;
	for (size_t i = 0; i < map->count; i++) {
		pfn_t start = align_down(map->range[i].start, BLOCK_FRAMES);
		pfn_t end = align_up(map->range[i].end, BLOCK_FRAMES);
		struct frame_span *span = &spans->span[spans->count - (spans->count > 0)];

		if (spans->count > 0 && start <= span_end(span)) {
			/* Both ranges have frames in one block, or their blocks touch. */
			start = span_end(span);
		} else {
			span = &spans->span[spans->count++];
			*span = (struct frame_span){ start, total, 0 };
		}
		assert(end >= start);
		span->blocks += (size_t)((end - start) / BLOCK_FRAMES);
		total += (size_t)((end - start) / BLOCK_FRAMES);
	}
	return total;
}

int frame_spans_append(struct frame_spans *spans, pfn_t start, size_t blocks)
{
	const struct frame_span *last = &spans->span[spans->count - (spans->count > 0)];
	pfn_t last_end = spans->count > 0 ? span_end(last) : 0;
	size_t first = spans->count > 0 ? last->first + last->blocks : 0;
	pfn_t frames_max = UINT64_MAX >> FRAME_SHIFT;

	if (blocks == 0 || start % BLOCK_FRAMES != 0 || start < last_end || start > frames_max ||
	    blocks > (frames_max - start) / BLOCK_FRAMES)
		return -EINVAL;
	if (spans->count == FRAME_SPANS_MAX)
		return -ENOSPC;
	spans->span[spans->count++] = (struct frame_span){ start, first, blocks };
	return 0;
}

size_t frame_spans_below(const struct frame_spans *spans, pfn_t limit)
{
	size_t end = 0;

	for (size_t i = 0; i < spans->count; i++) {
		const struct frame_span *span = &spans->span[i];
		uint64_t below = limit > span->start ? (limit - span->start) / BLOCK_FRAMES : 0;

		end = span->first + min_u64(below, span->blocks);
		if (below < span->blocks)
			break;
	}
	return end;
}

size_t frame_spans_from(const struct frame_spans *spans, pfn_t pfn, unsigned *frame)
{
	size_t number = 0;

	*frame = 0;
	for (size_t i = 0; i < spans->count; i++) {
		const struct frame_span *span = &spans->span[i];

		if (pfn < span->start)
			return span->first;
		if (pfn < span_end(span)) {
			*frame = (unsigned)(pfn % BLOCK_FRAMES);
			return span->first + (size_t)((pfn - span->start) / BLOCK_FRAMES);
		}
		number = span->first + span->blocks;
	}
	return number;
}

size_t frame_spans_above(const struct frame_spans *spans, pfn_t pfn)
{
	unsigned frame;
	size_t number = frame_spans_from(spans, pfn, &frame);

	return frame > 0 ? number + 1 : number;
}
