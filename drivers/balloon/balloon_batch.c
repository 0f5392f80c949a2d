/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A batch's life: filled, sent, answered; or abandoned, with its host. A batch is
 * settled from its first frame to its last: what the host refuses goes back, all in
 * between arrives.
 */
#include "drivers/balloon/balloon_batch.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "arch/clock.h"
#include "kernel/lib/panic.h"
#include "mm/frame.h"
#include "mm/ledger.h"

/* The one that is kept for taking frames back when memory is short. */
#define TAKE_BACK BALLOON_BATCHES

_Static_assert(BALLOON_BATCH_RUNS >= BLOCK_FRAMES, "a block of single frames fits into a batch");

void balloon_batches_begin(struct balloon_batches *batches)
{
	assert(batches->port && batches->terms && batches->owners && batches->refusal);
	memset(batches->slot, 0, sizeof(batches->slot));
	for (size_t i = 0; i <= BALLOON_BATCHES; i++) {
		batches->slot[i].batch.index = i;
		batches->slot[i].batch.batches = batches;
	}
	batches->in_flight = 0;
	batches->inflating = 0;
	batches->counts = (struct balloon_batch_counts){ 0 };
}

/* ---- Filling ---- */

static struct balloon_slot *slot_of(struct balloon_batch *batch)
{
	struct balloon_batches *batches = batch->batches;

	assert(batch->index <= BALLOON_BATCHES);
	assert(batch == &batches->slot[batch->index].batch);
	return &batches->slot[batch->index];
}

size_t balloon_batches_room(const struct balloon_batches *batches)
{
	size_t most = batches->terms->batches;

	return most - min_u64(most, batches->in_flight);
}

uint64_t balloon_batch_blocks(const struct balloon_batches *batches, bool deflates)
{
	uint64_t most = batches->terms->batch_block_frames / BLOCK_FRAMES, now = most;

	assert(most > 0);
	if (batches->port->batch_blocks)
		now = batches->port->batch_blocks(deflates);
	assert(now > 0);
	return min_u64(now, most);
}

static struct balloon_batch *empty(struct balloon_slot *slot, bool deflates)
{
	assert(!slot->with_host);
	slot->batch.deflates = deflates;
	slot->batch.frames = 0;
	slot->batch.run_count = 0;
	return &slot->batch;
}

struct balloon_batch *balloon_batch_new(struct balloon_batches *batches, bool deflates)
{
	size_t i = 0;

	assert(balloon_batches_room(batches) > 0);
	while (i < BALLOON_BATCHES && batches->slot[i].with_host)
		i++;
	assert(i < BALLOON_BATCHES);
	return empty(&batches->slot[i], deflates);
}

struct balloon_batch *balloon_batch_spare(struct balloon_batches *batches)
{
	return empty(&batches->slot[TAKE_BACK], true);
}

void balloon_batch_add(struct balloon_batch *batch, pfn_t first, uint64_t count)
{
	size_t n = batch->run_count;

	assert(count > 0);
	batch->frames += count;
	if (n > 0 && batch->run[n - 1].first + batch->run[n - 1].count == first) {
		batch->run[n - 1].count += count;
		return;
	}
	assert(n < BALLOON_BATCH_RUNS);
	batch->run[n] = (struct frame_run){ first, count };
	batch->run_count++;
}

/* The owner map must agree with the batch; if not, memory was overwritten. */
static void move_run(pfn_t first, uint64_t count, enum owner from, enum owner to)
{
	int err = to == OWNER_FREE ? frame_free(first, count, from)
				   : frame_change_owner(first, count, from, to);

	if (err)
		panic("balloon: frames %#" PRIx64 "+%" PRIu64 " are not %s; look for a wild write",
		      first, count, owner_name(from));
}

/* The frames in `scratch`, which are in ascending order. */
static void add_listed(struct balloon_batch *batch, size_t count)
{
	struct balloon_batches *batches = batch->batches;

	for (size_t i = 0; i < count; i++)
		balloon_batch_add(batch, batches->scratch[i], 1);
}

void balloon_batch_add_free(struct balloon_batch *batch, const struct balloon_place *place,
			    uint64_t want)
{
	struct balloon_batches *batches = batch->batches;
	size_t count = (size_t)min_u64(want, batches->terms->batch_frames);

	count = frame_alloc_bulk_within(count, place->from, place->end, OWNER_IN_FLIGHT,
					batches->scratch);
	add_listed(batch, count);
}

/* Whether a batch holds more of whole blocks than of single frames. */
static bool blocks_are_cheaper(const struct balloon_batches *batches)
{
	return batches->terms->batch_block_frames > batches->terms->batch_frames;
}

/* Adds whole blocks, as long as the owner's lowest frames from `from` on are such. */
static void add_owned_blocks(struct balloon_batch *batch, enum owner owner, pfn_t from,
			     uint64_t want)
{
	const struct balloon_batches *batches = batch->batches;
	uint64_t left = min_u64(want / BLOCK_FRAMES,
				balloon_batch_blocks(batches, batch->deflates));
	pfn_t first;

	while (left > 0 && batch->run_count < batches->terms->batch_runs &&
	       frame_collect(owner, from, 1, &first) == 1) {
		size_t blocks = frame_count_blocks(first, (size_t)left, owner);

		if (blocks == 0)
			return;
		balloon_batch_add(batch, first, blocks * BLOCK_FRAMES);
		from = first + blocks * BLOCK_FRAMES;
		left -= blocks;
	}
}

/* How many of `scratch` come before a block that the next batch can have as a whole. */
static size_t count_before_block(const struct balloon_batches *batches, size_t count,
				 enum owner owner, uint64_t want)
{
	for (size_t i = 1; i < count && want - i >= BLOCK_FRAMES; i++)
		if (frame_count_blocks(batches->scratch[i], 1, owner) > 0)
			return i;
	return count;
}

/* Adds the owner's lowest frames from `from` on, one by one. */
static void add_owned_frames(struct balloon_batch *batch, enum owner owner, pfn_t from,
			     uint64_t want)
{
	struct balloon_batches *batches = batch->batches;
	size_t count = (size_t)min_u64(want, batches->terms->batch_frames);

	count = frame_collect(owner, from, count, batches->scratch);
	if (blocks_are_cheaper(batches))
		count = count_before_block(batches, count, owner, want);
	add_listed(batch, count);
}

void balloon_batch_add_owned(struct balloon_batch *batch, enum owner owner, pfn_t from,
			     uint64_t want)
{
	assert(batch->frames == 0);
	if (blocks_are_cheaper(batch->batches))
		add_owned_blocks(batch, owner, from, want);
	if (batch->frames == 0)
		add_owned_frames(batch, owner, from, want);
	for (size_t i = 0; i < batch->run_count; i++)
		move_run(batch->run[i].first, batch->run[i].count, owner, OWNER_IN_FLIGHT);
}

/* ---- Settling ---- */

static enum owner origin(const struct balloon_slot *slot)
{
	const struct balloon_batches *batches = slot->batch.batches;

	return slot->batch.deflates ? batches->owners->balloon : OWNER_FREE;
}

static enum owner destination(const struct balloon_slot *slot)
{
	const struct balloon_batches *batches = slot->batch.batches;

	return slot->batch.deflates ? OWNER_FREE : batches->owners->balloon;
}

/* The next `count` frames get their new owner. */
static void settle(struct balloon_slot *slot, uint64_t count, enum owner to)
{
	struct balloon_batches *batches = slot->batch.batches;

	assert(count <= slot->left);
	slot->left -= count;
	if (!slot->batch.deflates) {
		assert(batches->inflating >= count);
		batches->inflating -= count;
	}
	while (count > 0) {
		const struct frame_run *run = &slot->batch.run[slot->run];
		uint64_t n;

		assert(slot->run < slot->batch.run_count);
		n = min_u64(count, run->count - slot->offset);
		move_run(run->first + slot->offset, n, OWNER_IN_FLIGHT, to);
		count -= n;
		slot->offset += n;
		if (slot->offset == run->count) {
			slot->run++;
			slot->offset = 0;
		}
	}
}

/* The next `count` frames arrive. */
static void arrive(struct balloon_slot *slot, uint64_t count)
{
	settle(slot, count, destination(slot));
	slot->arrived += count;
}

/* Nothing of it is in-flight: it is ours. */
static void close_slot(struct balloon_slot *slot)
{
	struct balloon_batches *batches = slot->batch.batches;

	assert(slot->with_host && slot->left == 0);
	assert(batches->in_flight > 0);
	slot->with_host = false;
	batches->in_flight--;
}

/* How many frames not yet settled lie before these, which are among them. */
static uint64_t frames_before(const struct balloon_slot *slot, pfn_t first, uint64_t count)
{
	const struct frame_run *run = &slot->batch.run[slot->run];
	const struct frame_run *end = &slot->batch.run[slot->batch.run_count];
	uint64_t before = 0, offset = slot->offset;

	/* The port refuses frames of the batch, in its order. */
	while (first >= run->first + run->count) {
		before += run->count - offset;
		offset = 0;
		run++;
		assert(run < end);
	}
	assert(first >= run->first + offset);
	assert(count <= run->first + run->count - first);
	return before + (first - run->first - offset);
}

/* These frames go back, and those before them arrive. */
static void go_back(struct balloon_batch *batch, pfn_t first, uint64_t count, enum owner back)
{
	struct balloon_slot *slot = slot_of(batch);

	assert(slot->with_host);
	assert(count > 0);
	arrive(slot, frames_before(slot, first, count));
	settle(slot, count, back);
}

void balloon_batch_refuse(struct balloon_batch *batch, pfn_t first, uint64_t count,
			  enum balloon_refusal why)
{
	struct balloon_batches *batches = batch->batches;
	bool aside = why == BALLOON_REFUSED_FRAME && !batch->deflates;

	go_back(batch, first, count, aside ? OWNER_REFUSED : origin(slot_of(batch)));
	balloon_refusal_note(batches->refusal, why, batch->deflates, first, count);
}

void balloon_batch_return(struct balloon_batch *batch, pfn_t first, uint64_t count)
{
	assert(count < batch->frames);
	go_back(batch, first, count, origin(slot_of(batch)));
}

void balloon_batch_answered(struct balloon_batch *batch)
{
	struct balloon_batches *batches = batch->batches;
	struct balloon_slot *slot = slot_of(batch);

	arrive(slot, slot->left);
	close_slot(slot);
	if (slot->arrived > 0)
		balloon_refusal_note_progress(batches->refusal);
	if (batch->deflates) {
		batches->counts.deflated += slot->arrived;
		batches->counts.deflate_requests++;
	} else {
		batches->counts.inflated += slot->arrived;
		batches->counts.inflate_requests++;
	}
}

/* ---- Sending ---- */

uint64_t balloon_batch_send(struct balloon_batch *batch)
{
	struct balloon_batches *batches = batch->batches;
	struct balloon_slot *slot = slot_of(batch);
	uint64_t frames = batch->frames;
	int err;

	if (frames == 0)
		return 0;
	assert(!slot->with_host);
	assert(frames >= batch->run_count);
	slot->with_host = true;
	slot->left = frames;
	slot->run = 0;
	slot->offset = 0;
	slot->arrived = 0;
	batches->in_flight++;
	batches->inflating += batch->deflates ? 0 : frames;
	slot->sent_awake = clock_awake_ns();
	err = batch->deflates ? batches->port->deflate(batch) : batches->port->inflate(batch);
	if (!err)
		return frames;
	/* No room, or a broken host; the next look at it tells. */
	assert(slot->with_host && slot->left == frames);
	settle(slot, frames, origin(slot));
	close_slot(slot);
	return 0;
}

uint64_t balloon_batch_arrived(struct balloon_batch *batch)
{
	struct balloon_slot *slot = slot_of(batch);

	return slot->with_host ? BALLOON_NOT_ANSWERED : slot->arrived;
}

/* How many of these frames, from the first on, one look finds in the balloon. */
static uint64_t find_ballooned(const struct balloon_batches *batches, pfn_t first, uint64_t count)
{
	size_t blocks = 0;

	if (first % BLOCK_FRAMES == 0 && count >= BLOCK_FRAMES)
		blocks = frame_count_blocks(first, (size_t)(count / BLOCK_FRAMES),
					    batches->owners->balloon);
	return blocks > 0 ? blocks * BLOCK_FRAMES : frame_owner(first) == batches->owners->balloon;
}

int balloon_batches_return_run(struct balloon_batches *batches, pfn_t first, uint64_t count)
{
	uint64_t some;

	if (count == 0)
		return -EINVAL;
	/* Asked first: the host's word is no reason to count a refused change. */
	for (uint64_t i = 0; i < count; i += some) {
		some = find_ballooned(batches, first + i, count - i);
		if (some == 0)
			return -EINVAL;
	}
	move_run(first, count, batches->owners->balloon, OWNER_FREE);
	batches->counts.deflated += count;
	return 0;
}

/* ---- The end of a host ---- */

void balloon_batches_abandon(struct balloon_batches *batches)
{
	for (size_t i = 0; i <= BALLOON_BATCHES; i++) {
		struct balloon_slot *slot = &batches->slot[i];

		if (!slot->with_host)
			continue;
		settle(slot, slot->left, origin(slot));
		close_slot(slot);
	}
	assert(batches->in_flight == 0 && batches->inflating == 0);
}

/* ---- For the other files ---- */

uint64_t balloon_batches_inflating(const struct balloon_batches *batches)
{
	return batches->inflating;
}

uint64_t balloon_batches_sent_awake(const struct balloon_batches *batches)
{
	uint64_t oldest = DEADLINE_NEVER;

	for (size_t i = 0; i <= BALLOON_BATCHES; i++)
		if (batches->slot[i].with_host)
			oldest = min_u64(oldest, batches->slot[i].sent_awake);
	return oldest;
}

void balloon_batches_counts(const struct balloon_batches *batches,
			    struct balloon_batch_counts *counts)
{
	*counts = batches->counts;
}
