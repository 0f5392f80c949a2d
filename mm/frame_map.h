/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame map as it lies in memory. Three files change it: mm/frame_map.c,
 * mm/frame_map_make.c, which makes it, and mm/frame_section.c, by which blocks come and
 * go. mm/frame.c, mm/frame_blocks.c, mm/frame_bulk.c, mm/frame_change.c,
 * mm/frame_dump.c, mm/frame_region.c and mm/ledger.c read it, and nobody else but tests
 * includes this file.
 *
 * A block is known by its number (mm/frame_spans.h). Its record says who its
 * frames belong to; only where they have different owners does each frame have
 * an owner byte and a free bit.
 *
 * The blocks that were there at boot have the lower numbers, and their records in
 * arrays. Those of regions (mm/frame_region.h) follow. They have a bit in each set from
 * the day that they are announced, but records only in sections of 128, which come with
 * the first of their blocks and leave with the last (mm/frame_section.h). A block of a
 * region that is not there is in `known`, and OWNER_ABSENT's as a whole.
 */
#ifndef MM_FRAME_MAP_H
#define MM_FRAME_MAP_H

#include "mm/bitset.h"
#include "mm/frame_runs.h"
#include "mm/frame_spans.h"
#include "mm/memmap.h"
#include "mm/owner.h"

/* In frame_record.owner: the frames have different owners; see their owner bytes. */
#define OWNER_MIXED 0xff

/* A block's record. Valid only for blocks in `known`; another block is free as a whole. */
struct frame_record {
	uint16_t free_count; /* free frames */
	uint8_t owner;	     /* of all frames, or OWNER_MIXED */
	uint8_t order;	     /* of the largest aligned free run, or ORDER_NONE */
};

_Static_assert(BLOCK_FRAMES <= UINT16_MAX, "free_count holds a whole block");
_Static_assert((unsigned)OWNER_COUNT < OWNER_MIXED, "OWNER_MIXED is no owner");

#define SECTION_BLOCKS 128

/* What the arrays of struct frame_map have of a block, for blocks that came later. */
struct frame_section {
	uint8_t owner_bytes[SECTION_BLOCKS][BLOCK_FRAMES];
	uint64_t free_bits[SECTION_BLOCKS][BLOCK_WORDS];
	struct frame_record records[SECTION_BLOCKS];
	size_t present; /* its blocks that are not absent */
};

/*
 * The first owner with a set of blocks. Those before it have few frames, for good, or are not
 * looked for by owner: who does looks at all blocks that were ever used.
 */
#define OWNER_INDEXED OWNER_PAGE_TABLES

/* Sets: `known`, `unreported`, frame_fill.unfilled, one for each order, one for each such owner. */
#define FRAME_MAP_SETS (3 + BLOCK_ORDER + 1 + OWNER_COUNT - OWNER_INDEXED)

struct frame_map {
	size_t block_count; /* with those that are announced */
	size_t boot_count;  /* that were there at boot: their numbers are below this */
	struct frame_spans spans;

	/* Blocks that have a record. */
	struct bitset known;
	/*
	 * For each owner from OWNER_INDEXED on, the blocks in which it has, or once had, a frame;
	 * for those between OWNER_FREE and it, `known`.
	 */
	struct bitset blocks_of[OWNER_COUNT];
	/* Every block with a free frame is in one of these, by its `order`. */
	struct bitset by_order[BLOCK_ORDER + 1];

	/* Free whole blocks that were in use, or broken, since the host was last told of them. */
	struct bitset unreported;
	uint64_t unreported_events; /* additions to it */

	struct frame_record *records; /* one per block that was there at boot; so are: */
	/* Valid only for blocks that are OWNER_MIXED. */
	uint64_t (*free_bits)[BLOCK_WORDS];   /* a bit per frame: it is free */
	uint8_t (*owner_bytes)[BLOCK_FRAMES]; /* a byte per frame: its owner */

	/* The ledger: frames by owner, and their sum without OWNER_ABSENT. */
	uint64_t count[OWNER_COUNT];
	uint64_t managed;
	uint64_t region_free; /* free frames of regions, in count[OWNER_FREE] as well */
	/* Free frames, by the `order` of their block. */
	uint64_t free_by_order[BLOCK_ORDER + 1];

	uint64_t low; /* with fewer free frames on_low() is called */
	void (*on_low)(void);

	uint64_t changes; /* of owners, ever: a count of the map that saw none is one picture */

	/* Sections by number, from `boot_count` on; NULL: none of its blocks is there. */
	struct frame_section **sections;
	size_t section_count;
	uint32_t *section_free;	       /* of each: what its blocks have free */
	struct frame_section *reserve; /* for the next section; NULL: no region is announced */
	size_t sections_outside;       /* that do not lie in memory of the boot, this one too */
	struct frame_record absent;    /* of all blocks without a section */
	/* The frames that all these were laid into for regions; none at boot. */
	pfn_t extension;
	size_t extension_frames;
	/* Kept for the next announcement: 2^ready_order frames, in use if `is_ready`. */
	pfn_t ready;
	unsigned ready_order;
	bool is_ready;
};

extern struct frame_map frame_map;

/* Returns the bytes that frame_map_init() needs; see frame_init_bytes(). */
size_t frame_map_bytes(const struct memmap *map);

/* Makes a map in `memory` where all frames of `map` are free; see frame_init(). */
void frame_map_init(const struct memmap *map, void *memory);

/*
 * Gives each set its part of `words`, with room for `blocks` blocks, by `lay`, which is
 * bitset_init() or bitset_extend(). There are FRAME_MAP_SETS * bitset_words(blocks) words.
 */
void frame_map_lay_sets(size_t blocks, uint64_t *words,
			void (*lay)(struct bitset *set, size_t blocks, uint64_t *words));

/* Stores the number of the block that a frame lies in. Returns false if it lies in none. */
static inline bool frame_map_find(pfn_t pfn, size_t *number)
{
	return frame_spans_find(&frame_map.spans, pfn, number);
}

/* Returns the first frame of a block. */
static inline pfn_t frame_map_pfn(size_t number)
{
	return frame_spans_pfn(&frame_map.spans, number);
}

/* Returns the first frame above the blocks that were there at boot. */
static inline pfn_t frame_map_boot_end(void)
{
	size_t blocks = frame_map.boot_count;

	return blocks > 0 ? frame_map_pfn(blocks - 1) + BLOCK_FRAMES : 0;
}

/* Tells whether a block was there at boot, as most are: its records are in the arrays. */
static inline bool frame_map_is_boot(size_t number)
{
	return __builtin_expect(number < frame_map.boot_count, true);
}

/* Returns the number of the section that block `number` of a region belongs to. */
static inline size_t frame_map_section_number(size_t number)
{
	return (number - frame_map.boot_count) / SECTION_BLOCKS;
}

/* Returns the first block of the section after that of block `number` of a region. */
static inline size_t frame_map_next_section(size_t number)
{
	return frame_map.boot_count + (frame_map_section_number(number) + 1) * SECTION_BLOCKS;
}

/* Returns the section that block `number` of a region belongs to, or NULL. */
static inline struct frame_section *frame_map_section(size_t number)
{
	return frame_map.sections[frame_map_section_number(number)];
}

/* Returns where the free frames of the section of block `number` are counted. */
static inline uint32_t *frame_map_section_free(size_t number)
{
	return &frame_map.section_free[frame_map_section_number(number)];
}

/* Return what a block of a region has in its section: see the functions below. */
struct frame_record *frame_map_section_record(size_t number);
uint64_t *frame_map_section_free_bits(size_t number);
uint8_t *frame_map_section_owner_bytes(size_t number);

/* Returns a block's record; it may be written only if the block is not absent as a whole. */
static inline struct frame_record *frame_map_record(size_t number)
{
	return frame_map_is_boot(number) ? &frame_map.records[number]
					 : frame_map_section_record(number);
}

/* Returns the bitmap of a block that is not absent as a whole. */
static inline uint64_t *frame_map_free_bits(size_t number)
{
	return frame_map_is_boot(number) ? frame_map.free_bits[number]
					 : frame_map_section_free_bits(number);
}

/* Returns the owner bytes of a block that is not absent as a whole. */
static inline uint8_t *frame_map_owner_bytes(size_t number)
{
	return frame_map_is_boot(number) ? frame_map.owner_bytes[number]
					 : frame_map_section_owner_bytes(number);
}

/* Returns the owner of a block's frame; `frame` is below BLOCK_FRAMES. */
enum owner frame_map_owner(size_t number, unsigned frame);

/* Returns the owner bytes of a block, or NULL if all its frames have one owner. */
const uint8_t *frame_map_owners(size_t number);

/*
 * Changes the owner of `count` frames of a block, from frame `first` on: the one
 * operation. The caller has checked that all of them are `from`'s.
 */
void frame_map_change(size_t number, unsigned first, unsigned count, enum owner from,
		      enum owner to);

/* Moves the frames of a block from one owner's count to another's, and no more. */
void frame_map_move_block_count(size_t number, enum owner from, enum owner to);

/*
 * Gives the lowest free frames of a block that lie below `limit`, at most
 * `count` of them, to `owner`. Stores them and returns how many there were.
 */
size_t frame_map_take_lowest(size_t number, size_t count, pfn_t limit, enum owner owner,
			     pfn_t *pfns);

/* Takes a block, which must be free as a whole, out of `unreported`. */
void frame_map_mark_reported(size_t number);

/* Takes a block, in which `owner` has no frame, out of the owner's index. */
void frame_map_unindex(size_t number, enum owner owner);

/* Has `hook` called after each change that leaves fewer than `frames` free; 0: never. */
void frame_map_set_low(uint64_t frames, void (*hook)(void));

#endif
