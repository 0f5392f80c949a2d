/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of sources; see mem_source.h. */
#include "drivers/mem/mem_source.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "mm/frame_spans.h"
#include "mm/memory_region.h"

static struct mem_source *first;

void mem_source_add(struct mem_source *source)
{
	struct mem_source **link = &first;

	assert(source->kind && source->part.unit > 0);
	assert(source->part.blocks % source->part.unit == 0);
	while (*link && (*link)->part.start <= source->part.start) {
		assert(*link != source);
		link = &(*link)->next;
	}
	source->leaving = false;
	source->next = *link;
	*link = source;
}

void mem_source_remove(struct mem_source *source)
{
	struct mem_source **link = &first;

	assert(!source->leaving);
	while (*link && *link != source)
		link = &(*link)->next;
	if (*link)
		*link = source->next;
	source->next = NULL;
}

const struct mem_source *mem_sources(void)
{
	return first;
}

const struct mem_source *mem_source_at(pfn_t start, size_t blocks)
{
	pfn_t end = start + blocks * BLOCK_FRAMES;
	const struct mem_source *source = first;

	for (; source; source = source->next) {
		const struct frame_region_part *part = &source->part;

		if (part->start < end && start < frame_region_part_end(part))
			break;
	}
	return source;
}

const char *mem_source_limit(void)
{
	static char why[64];

	snprintf(why, sizeof(why), "there are too many ranges: at most %d are told apart",
		 FRAME_SPANS_MAX);
	return why;
}

const char *mem_source_announce(pfn_t start, size_t blocks)
{
	if (start < frame_region_boot_end())
		return "that is where memory of the boot lies, or below it";
	switch (memory_region_announce(start, blocks)) {
	case 0:
		return NULL;
	case -EBUSY:
		return "something else is mapped there";
	case -ENOSPC:
		return mem_source_limit();
	case -ENOMEM:
		return "there is no memory for its books";
	default:
		return "that is below what is known, or beyond the address space";
	}
}

bool mem_removable(uint64_t *frames)
{
	*frames = 0;
	for (const struct mem_source *source = first; source; source = source->next)
		if (!source->stays)
			*frames += frame_region_removable(&source->part) * BLOCK_FRAMES;
	return first;
}
