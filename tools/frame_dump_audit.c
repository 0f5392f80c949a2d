/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The audit from outside: every frame in the dump's map is counted, and the
 * sums held against the guest's ledger, as mm/ledger.c does it in the guest, in
 * the same words, but from the file: WINDOW blocks at a time.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mm/frame_runs.h"
#include "mm/ledger_sentences.h"
#include "tools/frame_dump_internal.h"

#define WINDOW 4096 /* blocks: 8 GiB of memory */
#define WINDOW_WORDS (WINDOW / 64)

/* The map's part for the blocks from `first` on. */
struct window {
	uint64_t first;
	size_t blocks;
	uint64_t known[WINDOW_WORDS];
	uint64_t by_order[BLOCK_ORDER + 1][WINDOW_WORDS];
	uint64_t owned[DUMP_OWNERS_MAX][WINDOW_WORDS];
	bool has_owned; /* they are read */
	struct frame_dump_block block[WINDOW];
};

struct audit {
	const struct frame_dump_reader *dump;
	char *error;
	char *verdict; /* BROKEN, once `ok` is false */
	bool ok;
	uint64_t count[DUMP_OWNERS_MAX];
	uint64_t free_by_order[BLOCK_ORDER + 1];
	uint64_t region_free;
	uint64_t known; /* blocks */
	uint64_t whole; /* blocks listed as free as a whole */
	struct window window;
};

__attribute__((format(printf, 2, 3))) static int broken(struct audit *a, const char *format, ...)
{
	static const char word[] = LEDGER_BROKEN;
	va_list args;

	memcpy(a->verdict, word, sizeof(word));
	va_start(args, format);
	vsnprintf(a->verdict + sizeof(word) - 1, LEDGER_VERDICT_MAX - sizeof(word) + 1, format,
		  args);
	va_end(args);
	a->ok = false;
	return 0;
}

static bool test(const uint64_t *set, size_t i)
{
	return set[i / 64] >> (i % 64) & 1;
}

static int read_set(const struct audit *a, uint64_t set, uint64_t *to)
{
	const struct window *w = &a->window;

	assert(w->first % 64 == 0 && w->blocks <= WINDOW);
	return frame_dump_read(a->dump, set, w->first / 64, sizeof(*to), (w->blocks + 63) / 64, to,
			       "a set of blocks", a->error);
}

/* Reads the records of blocks that have them in one place, from the window's block `i` on. */
static int read_place(struct audit *a, size_t i, const struct frame_dump_place *place, size_t count)
{
	const struct frame_dump *layout = &a->dump->layout;
	struct frame_dump_block *block = &a->window.block[i];

	if (!place->absent)
		return frame_dump_read(a->dump, place->block, a->window.first + i - place->first,
				       sizeof(*block), count, block, "the array of blocks",
				       a->error);
	for (size_t n = 0; n < count; n++)
		block[n] = (struct frame_dump_block){ 0, (uint8_t)layout->owner_absent,
						      (uint8_t)layout->order_none };
	return 0;
}

/* Reads the lists and records of a window in which some block has a record. */
static int read_records(struct audit *a)
{
	struct window *w = &a->window;
	struct frame_dump_place place;
	size_t count;
	int err = 0;

	for (unsigned o = 0; o < BLOCK_ORDER && !err; o++)
		err = read_set(a, a->dump->by_order[o], w->by_order[o]);
	for (size_t i = 0; i < w->blocks && !err; i += count) {
		count = w->blocks - i;
		err = frame_dump_find(a->dump, w->first + i, &place, a->error);
		if (err)
			break;
		if (place.end - (w->first + i) < count)
			count = (size_t)(place.end - (w->first + i));
		err = read_place(a, i, &place, count);
	}
	return err;
}

/* Reads in which blocks of the window owners have frames: only broken blocks need it. */
static int read_owned(struct audit *a)
{
	const struct frame_dump_reader *dump = a->dump;
	struct window *w = &a->window;
	int err = 0;

	if (w->has_owned)
		return 0;
	for (unsigned o = 0; o < dump->layout.owner_count && !err; o++)
		if (o != dump->layout.owner_absent && o != dump->layout.owner_free)
			err = read_set(a, dump->owned[o], w->owned[o]);
	w->has_owned = true;
	return err;
}

/* Reads the owners of a broken block's frames, and which are free. */
static int read_frames(struct audit *a, uint64_t number, uint8_t owners[BLOCK_FRAMES],
		       uint64_t free[BLOCK_WORDS])
{
	struct frame_dump_place place;
	int err = frame_dump_find(a->dump, number, &place, a->error);

	if (!err)
		err = frame_dump_read(a->dump, place.owner, number - place.first, BLOCK_FRAMES, 1,
				      owners, "the array of owners", a->error);
	if (!err)
		err = frame_dump_read(a->dump, place.free, number - place.first,
				      BLOCK_WORDS * sizeof(*free), 1, free,
				      "the array of free bitmaps", a->error);
	return err ? err : read_owned(a);
}

/* A block whose frames have owners of their own: counted, and held against its bitmap. */
static int recount_mixed(struct audit *a, size_t i, unsigned *free_frames, unsigned *order)
{
	const struct frame_dump_reader *dump = a->dump;
	uint64_t number = a->window.first + i;
	uint8_t owners[BLOCK_FRAMES];
	uint64_t free[BLOCK_WORDS];
	int err = read_frames(a, number, owners, free);

	for (unsigned f = 0; f < BLOCK_FRAMES && !err; f++) {
		uint8_t owner = owners[f];
		bool bit = test(free, f);

		if (owner >= dump->layout.owner_count)
			return broken(a, LEDGER_FRAME_OWNER, number, f, owner);
		if (bit != (owner == dump->layout.owner_free))
			return broken(a, LEDGER_FREE_BIT, number, f, dump->names[owner], bit);
		if (owner != dump->layout.owner_absent && !bit && !test(a->window.owned[owner], i))
			return broken(a, LEDGER_NO_INDEX, number, f, dump->names[owner]);
		a->count[owner]++;
		*free_frames += bit;
	}
	if (!err)
		*order = *free_frames ? frame_runs_largest(free, BLOCK_ORDER)
				      : dump->layout.order_none;
	return err;
}

/* A block whose frames all have one owner. */
static void recount_uniform(struct audit *a, size_t i, unsigned *free_frames, unsigned *order)
{
	uint8_t owner = a->window.block[i].owner;

	if (owner >= a->dump->layout.owner_count) {
		broken(a, LEDGER_BLOCK_OWNER, a->window.first + i, owner);
		return;
	}
	a->count[owner] += BLOCK_FRAMES;
	if (owner == a->dump->layout.owner_free) {
		*free_frames = BLOCK_FRAMES;
		*order = BLOCK_ORDER;
	}
}

/* The block must be in the list of its order and in no other. */
static void check_lists(struct audit *a, size_t i, unsigned order)
{
	for (unsigned o = 0; o <= BLOCK_ORDER && a->ok; o++)
		if (test(a->window.by_order[o], i) != (o == order))
			broken(a, LEDGER_WRONG_LIST, a->window.first + i, order, o);
}

static int recount_block(struct audit *a, size_t i)
{
	const struct frame_dump_block *block = &a->window.block[i];
	unsigned order = a->dump->layout.order_none;
	unsigned free = 0;
	int err = 0;

	if (block->owner == a->dump->layout.owner_mixed)
		err = recount_mixed(a, i, &free, &order);
	else
		recount_uniform(a, i, &free, &order);
	if (err || !a->ok)
		return err;
	if (block->free != free || block->order != order)
		return broken(a, LEDGER_RECORD, a->window.first + i, block->free, block->order,
			      free, order);
	if (order <= BLOCK_ORDER)
		a->free_by_order[order] += free;
	if (a->window.first + i >= a->dump->boot)
		a->region_free += free;
	check_lists(a, i, order);
	return 0;
}

static int recount_window(struct audit *a)
{
	struct window *w = &a->window;
	bool any = false;
	int err = read_set(a, a->dump->known, w->known);

	if (!err)
		err = read_set(a, a->dump->by_order[BLOCK_ORDER], w->by_order[BLOCK_ORDER]);
	for (size_t i = 0; i < (w->blocks + 63) / 64 && !err; i++) {
		a->whole += (uint64_t)__builtin_popcountll(w->by_order[BLOCK_ORDER][i]);
		any |= w->known[i] != 0;
	}
	if (err || !any)
		return err;
	err = read_records(a);
	for (size_t i = 0; i < w->blocks && !err && a->ok; i++) {
		if (!test(w->known, i))
			continue;
		a->known++;
		err = recount_block(a, i);
	}
	return err;
}

/* The ledger's own sum: that of ledger_check(). */
static void check_sum(struct audit *a)
{
	const struct frame_dump_reader *dump = a->dump;
	uint64_t sum = 0;

	for (unsigned o = 0; o < dump->layout.owner_count; o++) {
		if (o == dump->layout.owner_absent)
			continue;
		if (dump->count[o] > dump->managed) {
			broken(a, LEDGER_OWNER_TOO_MANY, dump->names[o], dump->count[o],
			       dump->managed);
			return;
		}
		sum += dump->count[o];
	}
	if (sum != dump->managed)
		broken(a, LEDGER_SUM, sum, dump->managed);
	else
		snprintf(a->verdict, LEDGER_VERDICT_MAX, LEDGER_OK, sum);
}

/* Holds the recount against the guest's ledger. */
static void compare(struct audit *a)
{
	const struct frame_dump_reader *dump = a->dump;
	uint64_t untouched = dump->blocks - a->known;
	uint64_t whole = a->free_by_order[BLOCK_ORDER] / BLOCK_FRAMES + untouched;

	a->count[dump->layout.owner_free] += untouched * BLOCK_FRAMES;
	a->free_by_order[BLOCK_ORDER] += untouched * BLOCK_FRAMES;
	if (whole != a->whole)
		broken(a, LEDGER_WHOLE, a->whole, whole);
	for (unsigned o = 0; o < dump->layout.owner_count && a->ok; o++)
		if (a->count[o] != dump->count[o])
			broken(a, LEDGER_OWNER_COUNT, dump->names[o], a->count[o], dump->count[o]);
	for (unsigned o = 0; o <= BLOCK_ORDER && a->ok; o++)
		if (a->free_by_order[o] != dump->free_by_order[o])
			broken(a, LEDGER_ORDER_COUNT, o, a->free_by_order[o],
			       dump->free_by_order[o]);
	if (a->ok && a->region_free != dump->region_free)
		broken(a, LEDGER_REGION_FREE, a->region_free, dump->region_free);
	if (a->ok)
		check_sum(a);
}

int frame_dump_audit(const struct frame_dump_reader *dump, bool *ok,
		     char verdict[LEDGER_VERDICT_MAX], char error[CORE_ERROR_MAX])
{
	struct audit a = { .dump = dump, .error = error, .verdict = verdict, .ok = true };
	struct window *w = &a.window;
	int err = 0;

	for (; w->first < dump->blocks && !err && a.ok; w->first += WINDOW) {
		uint64_t left = dump->blocks - w->first;

		w->blocks = left < WINDOW ? (size_t)left : WINDOW;
		w->has_owned = false;
		err = recount_window(&a);
	}
	if (!err && a.ok)
		compare(&a);
	*ok = a.ok;
	return err;
}
