/* SPDX-License-Identifier: BSD-2-Clause */
/* Looks up the owner of one frame in a dump's map: see frame_dump.h. */
#include <assert.h>

#include "tools/frame_dump_internal.h"

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

int frame_dump_owner(const struct frame_dump_reader *dump, pfn_t pfn, const char **name,
		     char error[CORE_ERROR_MAX])
{
	uint32_t owner = dump->layout.owner_absent;
	struct frame_dump_block block;
	uint64_t number = 0;
	uint8_t byte;
	int err = 0;

	if (find_block(dump, pfn, &number)) {
		assert(number < dump->blocks); /* as frame_dump_open() has checked */
		owner = dump->layout.owner_free;
		err = frame_dump_read(dump, dump->known, number / 8, 1, 1, &byte, "the known set",
				      error);
		if (!err && byte >> (number % 8) & 1) {
			err = frame_dump_read(dump, dump->block, number, sizeof(block), 1, &block,
					      "the array of blocks", error);
			owner = block.owner;
		}
	}
	if (!err && owner == dump->layout.owner_mixed) {
		err = frame_dump_read(dump, dump->owner, number * BLOCK_FRAMES + pfn % BLOCK_FRAMES,
				      1, 1, &byte, "the array of owners", error);
		owner = byte;
	}
	if (!err)
		*name = owner < dump->layout.owner_count ? dump->names[owner] : "?";
	return err;
}
