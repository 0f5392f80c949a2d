/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A batch's life: filled, sent, answered; or abandoned, with its host. A batch is
 * settled from its first frame to its last: what the host refuses goes back, all in
 * between arrives.
 */
#include "drivers/balloon/balloon_batch.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/cpu.h"
#include "drivers/balloon/balloon_refusal.h"
#include "kernel/lib/panic.h"
#include "mm/frame.h"
#include "mm/ledger.h"

/* The one that is kept for taking frames back when memory is short. */
#define TAKE_BACK BALLOON_BATCHES

_Static_assert(BALLOON_BATCH_RUNS >= BLOCK_FRAMES, "a block of single frames fits into a batch");

struct slot {
	struct balloon_batch batch;
	bool with_host;
	/* How far it is settled: */
	uint64_t left;	  /* frames that are in-flight */
	size_t run;	  /* the first of them is in this run, */
	uint64_t offset;  /* so far into it */
	uint64_t arrived; /* frames that the host took, or gave back */
};

static struct {
	const struct balloon_port *port;
	const struct balloon_terms *terms;
	struct slot slot[BALLOON_BATCHES + 1];
	size_t in_flight;	/* batches with the host */
	uint64_t inflating;	/* frames in them that are to be the balloon's */
	uint64_t last_progress; /* when one was last sent or answered */
	struct balloon_batch_counts counts;
} batches;

/* Frames as the allocator lists them, on their way into a batch. */
static pfn_t scratch[BALLOON_BATCH_RUNS];

void balloon_batches_begin(const struct balloon_port *port, const struct balloon_terms *terms)
{
	assert(port && terms);
	memset(&batches, 0, sizeof(batches));
	batches.port = port;
	batches.terms = terms;
	for (size_t i = 0; i <= BALLOON_BATCHES; i++)
		batches.slot[i].batch.index = i;
}

/* ---- Filling ---- */

/* How many more batches the host can have. */
static size_t room(void)
{
	size_t most = batches.terms->batches;

	return batches.in_flight < most ? most - batches.in_flight : 0;
}

/* There must be room. */
static struct slot *empty_slot(bool deflates)
{
	struct slot *slot = NULL;

	for (size_t i = 0; i < BALLOON_BATCHES && !slot; i++)
		if (!batches.slot[i].with_host)
			slot = &batches.slot[i];
	assert(slot);
	slot->batch.deflates = deflates;
	slot->batch.frames = 0;
	slot->batch.run_count = 0;
	return slot;
}

static void add_run(struct balloon_batch *batch, pfn_t first, uint64_t count)
{
	size_t n = batch->run_count;

	batch->frames += count;
	if (n > 0 && batch->run[n - 1].first + batch->run[n - 1].count == first) {
		batch->run[n - 1].count += count;
		return;
	}
	assert(n < BALLOON_BATCH_RUNS);
	batch->run[n] = (struct frame_run){ first, count };
	batch->run_count++;
}

static void add_listed(struct balloon_batch *batch, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add_run(batch, scratch[i], 1);
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

/* ---- Settling ---- */

static enum owner origin(const struct slot *slot)
{
	return slot->batch.deflates ? OWNER_BALLOON : OWNER_FREE;
}

static enum owner destination(const struct slot *slot)
{
	return slot->batch.deflates ? OWNER_FREE : OWNER_BALLOON;
}

/* The next `count` frames get their new owner. */
static void settle(struct slot *slot, uint64_t count, enum owner to)
{
	assert(count <= slot->left);
	slot->left -= count;
	if (!slot->batch.deflates) {
		assert(batches.inflating >= count);
		batches.inflating -= count;
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
static void arrive(struct slot *slot, uint64_t count)
{
	settle(slot, count, destination(slot));
	slot->arrived += count;
}

/* Nothing of it is in-flight: it is ours. */
static void close_slot(struct slot *slot)
{
	assert(slot->with_host && slot->left == 0);
	assert(batches.in_flight > 0);
	slot->with_host = false;
	batches.in_flight--;
}

/* How many frames not yet settled lie before this one, which is among them. */
static uint64_t frames_before(const struct slot *slot, pfn_t first, uint64_t count)
{
	uint64_t before = 0, offset = slot->offset;

	for (size_t i = slot->run; i < slot->batch.run_count; i++) {
		const struct frame_run *run = &slot->batch.run[i];

		if (first >= run->first + offset && first - run->first < run->count) {
			assert(count <= run->first + run->count - first);
			return before + (first - run->first - offset);
		}
		before += run->count - offset;
		offset = 0;
	}
	assert(!"the port refuses frames that are in the batch, in its order");
	return 0;
}

static struct slot *slot_of(struct balloon_batch *batch)
{
	assert(batch->index <= BALLOON_BATCHES);
	assert(batch == &batches.slot[batch->index].batch);
	return &batches.slot[batch->index];
}

void balloon_batch_refuse(struct balloon_batch *batch, pfn_t first, uint64_t count,
			  enum balloon_refusal why)
{
	struct slot *slot = slot_of(batch);
	enum owner back = origin(slot);

	assert(slot->with_host);
	assert(count > 0);
	arrive(slot, frames_before(slot, first, count));
	if (why == BALLOON_REFUSED_FRAME && !batch->deflates)
		back = OWNER_REFUSED;
	settle(slot, count, back);
	balloon_refusal_note(why, batch->deflates, first, count);
}

void balloon_batch_answered(struct balloon_batch *batch)
{
	struct slot *slot = slot_of(batch);

	arrive(slot, slot->left);
	close_slot(slot);
	batches.last_progress = clock_ns();
	if (slot->arrived > 0)
		balloon_refusal_note_progress();
	if (batch->deflates) {
		batches.counts.deflated += slot->arrived;
		batches.counts.deflate_requests++;
	} else {
		batches.counts.inflated += slot->arrived;
		batches.counts.inflate_requests++;
	}
}

/* ---- Sending ---- */

/* Offers the batch, whose frames are in-flight. Returns how many, or 0: they are back. */
static uint64_t send(struct slot *slot)
{
	struct balloon_batch *batch = &slot->batch;
	uint64_t frames = batch->frames;
	int err;

	assert(!slot->with_host);
	assert(frames > 0 && frames >= batch->run_count);
	slot->with_host = true;
	slot->left = frames;
	slot->run = 0;
	slot->offset = 0;
	slot->arrived = 0;
	batches.in_flight++;
	batches.inflating += batch->deflates ? 0 : frames;
	batches.last_progress = clock_ns();
	err = batch->deflates ? batches.port->deflate(batch) : batches.port->inflate(batch);
	if (!err)
		return frames;
	/* No room, or a broken host; the next look at it tells. */
	assert(slot->with_host && slot->left == frames);
	settle(slot, frames, origin(slot));
	close_slot(slot);
	return 0;
}

/* ---- Inflation ---- */

/* How many batches a whole block takes. */
static size_t batches_per_block(void)
{
	uint64_t frames = batches.terms->batch_block_frames;

	return frames < BLOCK_FRAMES ? BLOCK_FRAMES / frames : 1;
}

/* One batch of whole blocks, or several for a single one. Returns how many frames went. */
static uint64_t inflate_blocks(uint64_t want)
{
	const struct balloon_terms *terms = batches.terms;
	uint64_t blocks = min_u64(want, terms->batch_block_frames) / BLOCK_FRAMES;
	struct slot *slot = empty_slot(false);
	uint64_t sent = 0;
	size_t n = 0;
	pfn_t pfn;

	if (terms->batch_block_frames >= BLOCK_FRAMES) {
		for (; blocks > 0 && slot->batch.run_count < terms->batch_runs; blocks -= n) {
			if (frame_alloc_blocks(blocks, terms->pfn_limit, OWNER_IN_FLIGHT, &pfn, &n))
				break;
			add_run(&slot->batch, pfn, n * BLOCK_FRAMES);
		}
		return slot->batch.frames > 0 ? send(slot) : 0;
	}
	if (frame_alloc_block(terms->pfn_limit, OWNER_IN_FLIGHT, &pfn))
		return 0;
	for (pfn_t end = pfn + BLOCK_FRAMES; pfn < end; pfn += terms->batch_block_frames) {
		slot = empty_slot(false);
		add_run(&slot->batch, pfn, terms->batch_block_frames);
		sent += send(slot);
	}
	return sent;
}

/* One batch of single frames. */
static uint64_t inflate_frames(uint64_t want)
{
	struct slot *slot = empty_slot(false);
	size_t count = (size_t)min_u64(want, batches.terms->batch_frames);

	count = frame_alloc_bulk(count, batches.terms->pfn_limit, OWNER_IN_FLIGHT, scratch);
	if (count == 0)
		return 0;
	add_listed(&slot->batch, count);
	return send(slot);
}

uint64_t balloon_batches_inflate(uint64_t want)
{
	size_t sent = 0, most = room();
	uint64_t offered = 0;

	/* A host that answers at once has always room: others want to run, too. */
	while (offered < want && sent < most) {
		bool block = want - offered >= BLOCK_FRAMES && frame_free_blocks() > 0 &&
			     batches.terms->batches >= batches_per_block();
		size_t needed = block ? batches_per_block() : 1;
		uint64_t n = 0;

		if (most - sent < needed)
			break;
		if (block)
			n = inflate_blocks(want - offered);
		if (n == 0)
			n = inflate_frames(want - offered);
		if (n == 0)
			break;
		sent += needed;
		offered += n;
	}
	return offered;
}

/* The lowest frames of an owner from `from` on, one batch of them, become in-flight. */
static struct slot *collect(struct slot *slot, enum owner owner, pfn_t from, uint64_t want)
{
	size_t count = (size_t)min_u64(want, batches.terms->batch_frames);

	count = frame_collect(owner, from, count, scratch);
	add_listed(&slot->batch, count);
	for (size_t i = 0; i < slot->batch.run_count; i++)
		move_run(slot->batch.run[i].first, slot->batch.run[i].count, owner,
			 OWNER_IN_FLIGHT);
	return count > 0 ? slot : NULL;
}

uint64_t balloon_batches_inflate_leaving(void)
{
	uint64_t offered = 0;

	for (size_t left = room(); left > 0 && ledger_count(OWNER_LEAVING) > 0; left--) {
		struct slot *slot = collect(empty_slot(false), OWNER_LEAVING, 0, UINT64_MAX);
		uint64_t n = send(slot);

		if (n == 0)
			break;
		offered += n;
	}
	return offered;
}

/* ---- Deflation ---- */

static uint64_t send_deflate(struct slot *slot, uint64_t want)
{
	slot = collect(slot, OWNER_BALLOON, balloon_refusal_passed(), want);
	return slot ? send(slot) : 0;
}

uint64_t balloon_batches_deflate(uint64_t want)
{
	uint64_t offered = 0;

	if (!batches.port->deflate)
		return 0;
	for (size_t left = room(); left > 0 && offered < want; left--) {
		uint64_t n = send_deflate(empty_slot(true), want - offered);

		if (n == 0)
			break;
		offered += n;
	}
	return offered;
}

/* One batch, waited for. */
static enum balloon_fault take_back_some(uint64_t want, uint64_t *freed)
{
	struct slot *slot = &batches.slot[TAKE_BACK];
	uint64_t deadline = clock_ns() + BALLOON_DEADLINE_NS;
	enum balloon_fault fault = BALLOON_OK;

	*freed = 0;
	/* An earlier one was never answered. */
	if (slot->with_host)
		return BALLOON_FAULT_SILENT_WANTED;
	slot->batch.deflates = true;
	slot->batch.frames = 0;
	slot->batch.run_count = 0;
	if (send_deflate(slot, want) == 0)
		return BALLOON_OK;
	if (batches.port->kick)
		batches.port->kick();
	while (fault == BALLOON_OK && slot->with_host) {
		fault = batches.port->take_finished();
		if (fault == BALLOON_OK && slot->with_host && clock_ns() > deadline)
			return BALLOON_FAULT_SILENT_WANTED;
		cpu_relax();
	}
	*freed = fault == BALLOON_OK ? slot->arrived : 0;
	return fault;
}

enum balloon_fault balloon_batches_take_back(uint64_t want, size_t *freed)
{
	enum balloon_fault fault;
	uint64_t some;

	*freed = 0;
	if (!batches.port->deflate)
		return BALLOON_OK;
	do {
		fault = take_back_some(want - *freed, &some);
		*freed += (size_t)some;
	} while (fault == BALLOON_OK && some > 0 && *freed < want);
	return fault;
}

/* ---- The end of a host ---- */

void balloon_batches_abandon(void)
{
	for (size_t i = 0; i <= BALLOON_BATCHES; i++) {
		struct slot *slot = &batches.slot[i];

		if (!slot->with_host)
			continue;
		settle(slot, slot->left, origin(slot));
		close_slot(slot);
	}
	assert(batches.in_flight == 0 && batches.inflating == 0);
}

/* ---- For the other files ---- */

uint64_t balloon_batches_inflating(void)
{
	return batches.inflating;
}

bool balloon_batches_have_room(void)
{
	return room() > 0;
}

uint64_t balloon_batches_waiting_since(void)
{
	return batches.in_flight > 0 ? batches.last_progress : DEADLINE_NEVER;
}

void balloon_batches_counts(struct balloon_batch_counts *counts)
{
	*counts = batches.counts;
}
