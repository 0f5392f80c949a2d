/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames on their way to Xen and back: decrease_reservation and populate_physmap (public/memory.h),
 * in lists of extents. Xen answers with how many of a list it did, from the first on; whatever was
 * wrong with the next it does not say. So that one is looked at:
 *
 *	done, for all that	an extent may fail in its middle, and frames of it are gone.
 *				Xen is asked frame by frame what is there: a frame that Xen has
 *				is never free.
 *	an extent of 2 MiB	its frames are tried one by one, at once
 *	a frame			it is asked for again, first in its list. If that does nothing:
 *	  to be given		it is passed over: Xen does not take this one
 *	  wanted back		if the one after it comes, it is passed over, too; else there is
 *				no memory, and the rest is for later
 *
 * Where Xen does not say what is there, nothing is ours.
 */
#include "drivers/balloon/port/xen_balloon_pages.h"

#include <assert.h>
#include <errno.h>

#include "arch/clock.h"
#include "drivers/xen/xen.h"
#include "drivers/xen/xen_stamps.h"
#include "kernel/lib/log.h"

/*
 * Nothing else runs during a call, and what a block costs differs by a factor of some hundred:
 * there may be nothing behind its frames yet, or an emulator may take them one by one, 5 ms a
 * block. So the first list for a target is short; each further one is as long as goes in LIST_NS
 * at the pace of the last one, but not much longer than that was: what comes may be slower.
 */
#define LIST_NS (15 * NS_PER_MS)
#define LIST_BLOCKS_MIN 4
#define LIST_BLOCKS_MAX 64
#define LIST_GROWTH 4

/* Calls for a list of single frames, or two for each that is passed over. The rest is for later. */
#define TRIES_MAX 32

static struct {
	pfn_t list[BALLOON_BATCH_RUNS]; /* as Xen has it, which may write it */
	uint64_t blocks[2];		/* in the next list of them */
	bool single_frames;		/* no extents of 2 MiB */
	const char *fault;		/* NULL: it is well */
	struct xen_balloon_counts counts[2];
} pages;

_Static_assert(LIST_BLOCKS_MAX <= BALLOON_BATCH_RUNS, "a list of blocks has room");

int xen_balloon_pages_start(void)
{
	static const enum xen_memory_command commands[] = { XEN_MEMORY_DECREASE_RESERVATION,
							    XEN_MEMORY_POPULATE_PHYSMAP };

	pages.fault = NULL;
	xen_balloon_pages_begin_target();
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (xen_change_reservation(commands[i], pages.list, 0, 0) < 0)
			return -ENODEV;
	return 0;
}

void xen_balloon_pages_terms(enum balloon_strategy strategy, struct balloon_terms *terms)
{
	pages.single_frames = strategy == BALLOON_PORTABLE;
	terms->best = BALLOON_WHOLE_BLOCK;
	terms->batches = 1;
	terms->batch_frames = BALLOON_BATCH_RUNS;
	terms->batch_block_frames = pages.single_frames ? BLOCK_FRAMES
							: LIST_BLOCKS_MAX * BLOCK_FRAMES;
	terms->batch_runs = LIST_BLOCKS_MAX;
}

/* ---- How long a list of blocks is ---- */

void xen_balloon_pages_begin_target(void)
{
	pages.blocks[false] = pages.blocks[true] = LIST_BLOCKS_MIN;
}

uint64_t xen_balloon_pages_blocks(bool back)
{
	return pages.blocks[back];
}

/* After a call for so many blocks; `all`: Xen did all of them. */
static void set_pace(bool back, uint64_t asked, bool all, uint64_t took_ns)
{
	uint64_t fit = asked * LIST_NS / max_u64(took_ns, 1);

	fit = all ? min_u64(fit, asked * LIST_GROWTH) : 0;
	pages.blocks[back] = max_u64(fit, LIST_BLOCKS_MIN);
}

/* ---- A batch as a row of frames: the first is number 0 ---- */

static pfn_t frame_at(const struct balloon_batch *batch, uint64_t number)
{
	const struct frame_run *run = batch->run;

	assert(number < batch->frames);
	for (; number >= run->count; run++)
		number -= run->count;
	return run->first + number;
}

static bool is_whole_blocks(const struct balloon_batch *batch)
{
	for (size_t i = 0; i < batch->run_count; i++)
		if (batch->run[i].first % BLOCK_FRAMES != 0 ||
		    batch->run[i].count % BLOCK_FRAMES != 0)
			return false;
	return true;
}

/* Fills the list with the frames from `from` on, or the extents of them. Returns how many. */
static size_t make_list(const struct balloon_batch *batch, uint64_t from, uint64_t to,
			unsigned order)
{
	const struct frame_run *run = batch->run;
	uint64_t before = 0; /* frames in earlier runs */
	size_t count = 0;

	for (; from < to; before += run->count, run++) {
		uint64_t end = min_u64(to, before + run->count);

		for (; from < end; from += UINT64_C(1) << order) {
			assert(count < ARRAY_SIZE(pages.list));
			pages.list[count++] = run->first + (from - before);
		}
	}
	return count;
}

/* `why` they are refused; NULL: Xen was not asked for them, and is not now. */
static void give_back(struct balloon_batch *batch, uint64_t from, uint64_t to,
		      const enum balloon_refusal *why)
{
	const struct frame_run *run = batch->run;
	uint64_t before = 0;

	for (; from < to; before += run->count, run++) {
		uint64_t end = min_u64(to, before + run->count);
		pfn_t first = run->first + (from - before);

		if (from >= end)
			continue;
		if (why)
			balloon_batch_refuse(batch, first, end - from, *why);
		else
			balloon_batch_return(batch, first, end - from);
		from = end;
	}
}

static void refuse(struct balloon_batch *batch, uint64_t from, uint64_t to,
		   enum balloon_refusal why)
{
	give_back(batch, from, to, &why);
}

/* ---- What Xen did ---- */

/* Whether a frame is where the batch is to bring it. */
static bool is_done(const struct balloon_batch *batch, uint64_t number)
{
	return xen_frame_is_there(frame_at(batch, number)) == batch->deflates;
}

static long call(const struct balloon_batch *batch, size_t count, unsigned order)
{
	struct xen_balloon_counts *counts = &pages.counts[batch->deflates];
	uint64_t start = clock_ns(), took_ns;
	long done;

	xen_stamp_call(count, order);
	done = xen_change_reservation(batch->deflates ? XEN_MEMORY_POPULATE_PHYSMAP
						      : XEN_MEMORY_DECREASE_RESERVATION,
				      pages.list, count, order);
	xen_stamp_called(done, order);
	took_ns = clock_ns() - start;
	if (order > 0)
		set_pace(batch->deflates, count, done == (long)count, took_ns);
	counts->call_ns_max = max_u64(counts->call_ns_max, took_ns);
	counts->calls++;
	return done;
}

/*
 * One call for these frames. Returns the first that was not done; those before it were.
 * Nonsense is no count: none was done, as far as that tells.
 */
static uint64_t move(const struct balloon_batch *batch, uint64_t from, uint64_t to, unsigned order)
{
	struct xen_balloon_counts *counts = &pages.counts[batch->deflates];
	size_t asked = make_list(batch, from, to, order);
	long done = call(batch, asked, order);

	if (done < 0 || (size_t)done > asked) {
		log_warn("balloon: Xen's answer to %zu extents is %ld", asked, done);
		pages.fault = done < 0 ? "an error is no answer to a list of frames"
				       : "it did more than it was asked for";
		return from;
	}
	*(order > 0 ? &counts->blocks : &counts->frames) += (uint64_t)done;
	from += (uint64_t)done << order;
	for (; from < to && is_done(batch, from); from++)
		counts->untold++;
	return from;
}

/*
 * Xen did not do a single frame. Returns from which on to ask again; the same: not now. One that it
 * takes from nobody is set aside; one that it has to give, if it gives the next.
 */
static uint64_t pass_over(struct balloon_batch *batch, uint64_t number, uint64_t to)
{
	uint64_t next = number + 1;

	if (batch->deflates) {
		if (next < to)
			next = move(batch, next, to, 0);
		if (next == number + 1)
			return number;
	}
	refuse(batch, number, number + 1, BALLOON_REFUSED_FRAME);
	return next;
}

/* One by one. Returns the first frame that was neither done nor passed over. */
static uint64_t move_frames(struct balloon_batch *batch, uint64_t from, uint64_t to)
{
	for (unsigned left = TRIES_MAX; from < to && left > 0; left--) {
		uint64_t next = move(batch, from, to, 0);

		if (pages.fault)
			return next;
		/* Only a call that does nothing is about its first frame. */
		if (next == from)
			next = pass_over(batch, from, to);
		if (next == from)
			break;
		from = next;
	}
	return from;
}

/*
 * Returns the first frame that was neither done nor passed over. `*end`: up to where that was
 * tried. Once a block goes frame by frame, no more than a short list has.
 */
static uint64_t move_blocks(struct balloon_batch *batch, uint64_t *end)
{
	uint64_t from = 0;

	while (from < *end) {
		uint64_t block_end;

		from = move(batch, from, *end, BLOCK_ORDER);
		if (pages.fault || from == *end)
			break;
		block_end = align_down(from, BLOCK_FRAMES) + BLOCK_FRAMES;
		*end = min_u64(*end, max_u64(block_end, LIST_BLOCKS_MIN * BLOCK_FRAMES));
		from = move_frames(batch, from, block_end);
		if (from < block_end)
			break;
	}
	return from;
}

/* Xen is asked about each of these frames. */
static void settle_one_by_one(struct balloon_batch *batch, uint64_t from, uint64_t to)
{
	for (; from < to; from++)
		if (!is_done(batch, from))
			refuse(batch, from, from + 1, BALLOON_REFUSED_FOR_NOW);
		else
			pages.counts[batch->deflates].untold++;
}

/*
 * Returns up to where frames from `done` on may be Xen's all the same: all of them, if its answer
 * cannot be believed. Of an extent that failed any frame may be gone, not the first ones alone:
 * what has no memory yet goes before the others.
 */
static uint64_t doubtful_end(const struct balloon_batch *batch, uint64_t done)
{
	if (pages.fault)
		return batch->frames;
	if (batch->deflates)
		return done;
	return min_u64(align_down(done, BLOCK_FRAMES) + BLOCK_FRAMES, batch->frames);
}

/* From `done` on Xen did nothing that it told of. */
static void settle_rest(struct balloon_batch *batch, uint64_t done)
{
	uint64_t doubtful = doubtful_end(batch, done);

	settle_one_by_one(batch, done, doubtful);
	refuse(batch, doubtful, batch->frames, BALLOON_REFUSED_FOR_NOW);
}

static int obey(struct balloon_batch *batch)
{
	uint64_t done, end = batch->frames;

	if (pages.fault)
		return -EIO;
	if (is_whole_blocks(batch) && !pages.single_frames)
		done = move_blocks(batch, &end);
	else
		done = move_frames(batch, 0, end);
	if (done < end)
		settle_rest(batch, done);
	else
		give_back(batch, end, batch->frames, NULL);
	balloon_batch_answered(batch);
	return 0;
}

int xen_balloon_pages_inflate(struct balloon_batch *batch)
{
	assert(!batch->deflates);
	return obey(batch);
}

int xen_balloon_pages_deflate(struct balloon_batch *batch)
{
	assert(batch->deflates);
	return obey(batch);
}

enum balloon_fault xen_balloon_pages_fault(const char **why)
{
	*why = pages.fault;
	return pages.fault ? BALLOON_FAULT_RULES : BALLOON_OK;
}

void xen_balloon_pages_counts(bool back, struct xen_balloon_counts *counts)
{
	*counts = pages.counts[back];
}
