/* SPDX-License-Identifier: BSD-2-Clause */
/* Looks up single blocks and frames in a dump's map: see frame_dump.h. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>

#include "tools/dump_root.h"
#include "tools/frame_dump_internal.h"

int frame_dump_find(const struct frame_dump_reader *dump, uint64_t number,
		    struct frame_dump_place *place, char error[CORE_ERROR_MAX])
{
	const struct frame_dump *layout = &dump->layout;
	uint64_t section, i;
	int err;

	assert(number < dump->blocks);
	if (number < dump->boot) {
		*place = (struct frame_dump_place){ 0,		 dump->boot, false,
						    dump->block, dump->free, dump->owner };
		return 0;
	}
	i = (number - dump->boot) / layout->section_blocks;
	err = frame_dump_read(dump, dump->sections, i, sizeof(section), 1, &section,
			      "the array of sections", error);
	if (err)
		return err;
	if (section > UINT64_MAX - UINT32_MAX)
		return dump_fail(error, -EINVAL,
				 "damaged: section %" PRIu64 " is said to be at %#" PRIx64, i,
				 section);
	place->first = dump->boot + i * layout->section_blocks;
	place->end = place->first + layout->section_blocks;
	place->absent = section == 0;
	place->block = section + layout->section_block;
	place->free = section + layout->section_free;
	place->owner = section + layout->section_owner;
	return 0;
}

static bool find_block(const struct frame_dump_reader *dump, pfn_t pfn, uint64_t *number)
{
	for (size_t i = 0; i < dump->span_count; i++) {
		const struct frame_dump_span *span = &dump->span[i];

		if (pfn >= span->start && (pfn - span->start) / BLOCK_FRAMES < span->blocks) {
			*number = span->first + (pfn - span->start) / BLOCK_FRAMES;
			return true;
		}
	}
	return false;
}

/* Reads the record of a block, if it has one: without it is free as a whole. */
static int read_record(const struct frame_dump_reader *dump, uint64_t number,
		       const struct frame_dump_place *place, uint32_t *owner,
		       char error[CORE_ERROR_MAX])
{
	struct frame_dump_block block = { 0 };
	uint8_t known;
	int err = frame_dump_read(dump, dump->known, number / 8, 1, 1, &known, "the known set",
				  error);

	*owner = dump->layout.owner_free;
	if (err || !(known >> (number % 8) & 1))
		return err;
	*owner = dump->layout.owner_absent;
	if (place->absent)
		return 0;
	err = frame_dump_read(dump, place->block, number - place->first, sizeof(block), 1, &block,
			      "the array of blocks", error);
	*owner = block.owner;
	return err;
}

/* Finds the owner's number, of a frame in block `number`. */
static int read_owner(const struct frame_dump_reader *dump, uint64_t number, pfn_t pfn,
		      uint32_t *owner, char error[CORE_ERROR_MAX])
{
	struct frame_dump_place place;
	uint8_t byte;
	int err = frame_dump_find(dump, number, &place, error);

	if (!err)
		err = read_record(dump, number, &place, owner, error);
	if (err || *owner != dump->layout.owner_mixed)
		return err;
	err = frame_dump_read(dump, place.owner,
			      (number - place.first) * BLOCK_FRAMES + pfn % BLOCK_FRAMES, 1, 1,
			      &byte, "the array of owners", error);
	*owner = byte;
	return err;
}

int frame_dump_owner(const struct frame_dump_reader *dump, pfn_t pfn, const char **name,
		     char error[CORE_ERROR_MAX])
{
	uint32_t owner = dump->layout.owner_absent;
	uint64_t number;
	int err = 0;

	/* All numbers are those of blocks, as frame_dump_open() has checked. */
	if (find_block(dump, pfn, &number))
		err = read_owner(dump, number, pfn, &owner, error);
	if (!err)
		*name = owner < dump->layout.owner_count ? dump->names[owner] : "?";
	return err;
}
