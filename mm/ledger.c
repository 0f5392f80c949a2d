/* SPDX-License-Identifier: BSD-2-Clause */
/* The books on every frame, and their audit against the frame map. */
#include "mm/ledger.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mm/frame_change.h"
#include "mm/frame_fill.h"
#include "mm/frame_map.h"
#include "mm/ledger_sentences.h"

uint64_t ledger_count(enum owner owner)
{
	return (unsigned)owner < OWNER_COUNT ? frame_map.count[owner] : 0;
}

uint64_t ledger_managed(void)
{
	return frame_map.managed;
}

uint64_t ledger_refused(void)
{
	return frame_change_refused();
}

__attribute__((format(printf, 2, 3))) static bool broken(char verdict[LEDGER_VERDICT_MAX],
							 const char *fmt, ...)
{
	static const char word[] = LEDGER_BROKEN;
	va_list args;

	memcpy(verdict, word, sizeof(word));
	va_start(args, fmt);
	vsnprintf(verdict + sizeof(word) - 1, LEDGER_VERDICT_MAX - sizeof(word) + 1, fmt, args);
	va_end(args);
	return false;
}

bool ledger_check(char verdict[LEDGER_VERDICT_MAX])
{
	uint64_t sum = 0;

	for (unsigned o = OWNER_FREE; o < OWNER_COUNT; o++) {
		if (frame_map.count[o] > frame_map.managed)
			return broken(verdict, LEDGER_OWNER_TOO_MANY, owner_name((enum owner)o),
				      frame_map.count[o], frame_map.managed);
		sum += frame_map.count[o];
	}
	if (sum != frame_map.managed)
		return broken(verdict, LEDGER_SUM, sum, frame_map.managed);
	snprintf(verdict, LEDGER_VERDICT_MAX, LEDGER_OK, sum);
	return true;
}

/* A step's work: a broken block is looked at frame by frame. */
#define STEP_WORK 4096
#define WORK_BROKEN 8

/* Counts the owner bytes of a broken block, and compares them with its bitmap. */
static bool recount_mixed(size_t number, struct ledger_audit *sum, unsigned *free,
			  char verdict[LEDGER_VERDICT_MAX])
{
	const uint8_t *owners = frame_map_owner_bytes(number);
	const uint64_t *bits = frame_map_free_bits(number);

	*free = 0;
	for (unsigned f = 0; f < BLOCK_FRAMES; f++) {
		uint8_t owner = owners[f];
		bool bit = bits[f / 64] >> (f % 64) & 1;

		if (owner >= OWNER_COUNT)
			return broken(verdict, LEDGER_FRAME_OWNER, number, f, owner);
		if (bit != (owner == OWNER_FREE))
			return broken(verdict, LEDGER_FREE_BIT, number, f,
				      owner_name((enum owner)owner), bit);
		if (owner > OWNER_FREE && !bitset_test(&frame_map.blocks_of[owner], number))
			return broken(verdict, LEDGER_NO_INDEX, number, f,
				      owner_name((enum owner)owner));
		sum->count[owner]++;
		*free += bit;
	}
	return true;
}

/* Checks that a block is in the list of its order and in no other. */
static bool check_lists(size_t number, unsigned order, char verdict[LEDGER_VERDICT_MAX])
{
	for (unsigned o = 0; o <= BLOCK_ORDER; o++)
		if (bitset_test(&frame_map.by_order[o], number) != (o == order))
			return broken(verdict, LEDGER_WRONG_LIST, number, order, o);
	return true;
}

static bool recount_known(size_t number, struct ledger_audit *sum, char verdict[LEDGER_VERDICT_MAX])
{
	const struct frame_record *record = frame_map_record(number);
	unsigned order = ORDER_NONE;
	unsigned free = 0;

	if (record->owner == OWNER_MIXED) {
		if (!recount_mixed(number, sum, &free, verdict))
			return false;
		if (free > 0)
			order = frame_runs_largest(frame_map_free_bits(number), BLOCK_ORDER);
	} else if (record->owner >= OWNER_COUNT) {
		return broken(verdict, LEDGER_BLOCK_OWNER, number, record->owner);
	} else {
		sum->count[record->owner] += BLOCK_FRAMES;
		if (record->owner == OWNER_FREE) {
			free = BLOCK_FRAMES;
			order = BLOCK_ORDER;
		}
	}
	if (record->free_count != free || record->order != order)
		return broken(verdict, LEDGER_RECORD, number, record->free_count, record->order,
			      free, order);
	if (free == 0 && bitset_test(&frame_fill.unfilled, number))
		return broken(verdict, LEDGER_UNFILLED, number);
	if (order != ORDER_NONE)
		sum->free_by_order[order] += free;
	if (!frame_map_is_boot(number))
		sum->region_free += free;
	return check_lists(number, order, verdict);
}

/* Returns the end of the blocks from `number` on of which none is there: they have no sections. */
static size_t absent_end(size_t number)
{
	if (frame_map_is_boot(number))
		return number;
	while (number < frame_map.block_count && !frame_map_section(number))
		number = frame_map_next_section(number);
	return min_u64(number, frame_map.block_count);
}

/* Tells whether one of the blocks from `first` on is said to have something free. */
static bool any_listed(size_t first, size_t end)
{
	for (unsigned o = 0; o <= BLOCK_ORDER; o++)
		if (bitset_next(&frame_map.by_order[o], first) < end)
			return true;
	return bitset_next(&frame_fill.unfilled, first) < end;
}

/*
 * Counts blocks that are not there, all that follow each other at once: there may be very many.
 * Returns how many; 0 if the first of them is there, or something is wrong with one of them,
 * which is found out block by block.
 */
static size_t recount_absent(size_t number, struct ledger_audit *sum)
{
	size_t end = absent_end(number);

	if (end == number || any_listed(number, end))
		return 0;
	sum->count[OWNER_ABSENT] += (end - number) * BLOCK_FRAMES;
	return end - number;
}

/* Adds up what sections are said to have free. */
static uint64_t free_in_sections(void)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < frame_map.section_count; i++)
		sum += frame_map.section_free[i];
	return sum;
}

static bool compare(const struct ledger_audit *sum, char verdict[LEDGER_VERDICT_MAX])
{
	for (unsigned o = 0; o < OWNER_COUNT; o++)
		if (sum->count[o] != frame_map.count[o])
			return broken(verdict, LEDGER_OWNER_COUNT, owner_name((enum owner)o),
				      sum->count[o], frame_map.count[o]);
	for (unsigned o = 0; o <= BLOCK_ORDER; o++)
		if (sum->free_by_order[o] != frame_map.free_by_order[o])
			return broken(verdict, LEDGER_ORDER_COUNT, o, sum->free_by_order[o],
				      frame_map.free_by_order[o]);
	if (sum->region_free != frame_map.region_free)
		return broken(verdict, LEDGER_REGION_FREE, sum->region_free, frame_map.region_free);
	if (free_in_sections() != frame_map.region_free)
		return broken(verdict, LEDGER_SECTIONS_FREE, frame_map.region_free,
			      free_in_sections());
	return ledger_check(verdict);
}

/* A block that was never allocated from holds nothing that could be filled. */
static bool check_unfilled(char verdict[LEDGER_VERDICT_MAX])
{
	const struct bitset *unfilled = &frame_fill.unfilled;

	for (size_t b = bitset_first(unfilled); b != BITSET_NONE; b = bitset_next(unfilled, b + 1))
		if (!bitset_test(&frame_map.known, b))
			return broken(verdict, LEDGER_UNFILLED, b);
	return true;
}

/* Adds the blocks without a record, which are free, and compares all with the books. */
static bool conclude(struct ledger_audit *audit, char verdict[LEDGER_VERDICT_MAX])
{
	size_t whole = bitset_count(&frame_map.by_order[BLOCK_ORDER]);
	size_t unknown = frame_map.block_count - bitset_count(&frame_map.known);
	uint64_t counted = audit->free_by_order[BLOCK_ORDER] / BLOCK_FRAMES + unknown;

	/* Blocks without a record are listed as whole, too. */
	if (counted != whole)
		return broken(verdict, LEDGER_WHOLE, whole, counted);
	if (!check_unfilled(verdict))
		return false;
	audit->count[OWNER_FREE] += unknown * BLOCK_FRAMES;
	audit->free_by_order[BLOCK_ORDER] += unknown * BLOCK_FRAMES;
	return compare(audit, verdict);
}

static bool conclude_blocks(char verdict[LEDGER_VERDICT_MAX])
{
	if (!ledger_check(verdict))
		return false;
	snprintf(verdict, LEDGER_VERDICT_MAX, LEDGER_OK_BLOCKS, frame_map.managed);
	return true;
}

void ledger_audit_begin(struct ledger_audit *audit, bool sums)
{
	*audit = (struct ledger_audit){ .changes = frame_map.changes, .sums = sums };
}

/* A section that is not there costs as much as a block; a broken block is looked into. */
static unsigned work_of(size_t number, size_t absent)
{
	if (absent > 0)
		return 1 + (unsigned)(absent / SECTION_BLOCKS);
	return frame_map_record(number)->owner == OWNER_MIXED ? WORK_BROKEN : 1;
}

enum ledger_step ledger_audit_step(struct ledger_audit *audit, char verdict[LEDGER_VERDICT_MAX])
{
	unsigned work = 0;
	bool sound;

	if (audit->sums && audit->changes != frame_map.changes)
		return LEDGER_CHANGED;
	while (frame_map.block_count > 0 && work < STEP_WORK) {
		size_t number = bitset_next(&frame_map.known, audit->next);
		size_t blocks;

		if (number == BITSET_NONE)
			break;
		blocks = recount_absent(number, audit);
		if (blocks == 0 && !recount_known(number, audit, verdict))
			return LEDGER_UNSOUND;
		work += work_of(number, blocks);
		audit->next = number + (blocks > 0 ? blocks : 1);
	}
	if (work >= STEP_WORK)
		return LEDGER_MORE;
	if (!audit->sums)
		sound = conclude_blocks(verdict);
	else
		sound = conclude(audit, verdict);
	return sound ? LEDGER_SOUND : LEDGER_UNSOUND;
}

bool ledger_audit(char verdict[LEDGER_VERDICT_MAX])
{
	struct ledger_audit audit;
	enum ledger_step step;

	ledger_audit_begin(&audit, true);
	do
		step = ledger_audit_step(&audit, verdict);
	while (step == LEDGER_MORE);
	return step == LEDGER_SOUND;
}
