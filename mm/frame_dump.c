/* SPDX-License-Identifier: BSD-2-Clause */
/* The layout of the frame map, for readers from outside: see frame_dump.h. */
#include "mm/frame_dump.h"

#include "mm/frame_map.h"

#define NAME(constant, name) [constant] = name,
static const char names[OWNER_COUNT][FRAME_DUMP_NAME] = { OWNER_TABLE(NAME) };

#define NAME_FITS(constant, name) \
	_Static_assert(sizeof(name) <= FRAME_DUMP_NAME, "an owner's name is too long for a dump");
OWNER_TABLE(NAME_FITS)

/* Facts that the reader relies on. When one changes, FRAME_DUMP_VERSION must grow. */
#define SAME(type, field, dump_type, dump_field) \
	_Static_assert(offsetof(struct type, field) == offsetof(struct dump_type, dump_field) && \
			       sizeof(((struct type *)0)->field) == \
				       sizeof(((struct dump_type *)0)->dump_field), \
		       #type "." #field)
SAME(frame_span, start, frame_dump_span, start);
SAME(frame_span, first, frame_dump_span, first);
SAME(frame_span, blocks, frame_dump_span, blocks);
SAME(frame_record, free_count, frame_dump_block, free);
SAME(frame_record, owner, frame_dump_block, owner);
SAME(frame_record, order, frame_dump_block, order);
_Static_assert(sizeof(struct frame_span) == sizeof(struct frame_dump_span), "spans");
_Static_assert(sizeof(struct frame_record) == sizeof(struct frame_dump_block), "blocks");
_Static_assert(sizeof(size_t) == sizeof(uint64_t), "counts");

#define OFFSET(field) ((uint32_t)offsetof(struct frame_map, field))
#define IN_SECTION(field) ((uint32_t)offsetof(struct frame_section, field))

const struct frame_dump frame_dump = {
	.version = FRAME_DUMP_VERSION,
	.size = sizeof(struct frame_dump),
	.frame_shift = FRAME_SHIFT,
	.block_order = BLOCK_ORDER,
	.owner_count = OWNER_COUNT,
	.owner_absent = OWNER_ABSENT,
	.owner_free = OWNER_FREE,
	.owner_mixed = OWNER_MIXED,
	.order_none = ORDER_NONE,
	.span_max = FRAME_SPANS_MAX,
	.names = (uintptr_t)names,
	.map = (uintptr_t)&frame_map,
	.blocks = OFFSET(block_count),
	.span_count = OFFSET(spans.count),
	.spans = OFFSET(spans.span),
	.known = OFFSET(known.level[0]),
	.owned = OFFSET(blocks_of[0].level[0]),
	.by_order = OFFSET(by_order[0].level[0]),
	.set_stride = sizeof(struct bitset),
	.boot = OFFSET(boot_count),
	.block = OFFSET(records),
	.free = OFFSET(free_bits),
	.owner = OFFSET(owner_bytes),
	.sections = OFFSET(sections),
	.section_count = OFFSET(section_count),
	.count = OFFSET(count),
	.managed = OFFSET(managed),
	.region_free = OFFSET(region_free),
	.free_by_order = OFFSET(free_by_order),
	.section_blocks = SECTION_BLOCKS,
	.section_block = IN_SECTION(records),
	.section_free = IN_SECTION(free_bits),
	.section_owner = IN_SECTION(owner_bytes),
};
