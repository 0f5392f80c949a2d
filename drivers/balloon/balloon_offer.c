/* SPDX-License-Identifier: BSD-2-Clause */
/* Choosing frames; see balloon_offer.h. */
#include "drivers/balloon/balloon_offer.h"

#include <assert.h>

#include "drivers/balloon/balloon.h"
#include "drivers/balloon/balloon_batch.h"
#include "drivers/balloon/balloon_place.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "mm/frame.h"
#include "mm/ledger.h"

/* How many batches a whole block takes. */
static size_t batches_per_block(const struct balloon *balloon)
{
	return BLOCK_FRAMES / min_u64(BLOCK_FRAMES, balloon->terms.batch_block_frames);
}

/* One block, cut up: where a batch holds less than one. */
static uint64_t offer_block_in_pieces(struct balloon *balloon, const struct balloon_place *place)
{
	uint64_t piece = balloon->terms.batch_block_frames, sent = 0;
	size_t one;
	pfn_t pfn;

	assert(BLOCK_FRAMES % piece == 0);
	if (frame_alloc_blocks_within(1, place->from, place->end, OWNER_IN_FLIGHT, &pfn, &one))
		return 0;
	for (pfn_t end = pfn + BLOCK_FRAMES; pfn < end; pfn += piece) {
		struct balloon_batch *batch = balloon_batch_new(&balloon->batches, false);

		balloon_batch_add(batch, pfn, piece);
		sent += balloon_batch_send(batch);
	}
	return sent;
}

/* One batch of whole blocks. */
static uint64_t offer_blocks(struct balloon *balloon, const struct balloon_place *place,
			     uint64_t want)
{
	const struct balloon_terms *terms = &balloon->terms;
	uint64_t left = min_u64(want / BLOCK_FRAMES,
				balloon_batch_blocks(&balloon->batches, false));
	struct balloon_batch *batch = balloon_batch_new(&balloon->batches, false);
	size_t blocks;
	pfn_t pfn;

	while (left > 0 && batch->run_count < terms->batch_runs &&
	       !frame_alloc_blocks_within((size_t)left, place->from, place->end, OWNER_IN_FLIGHT,
					  &pfn, &blocks)) {
		assert(blocks > 0 && blocks <= left);
		balloon_batch_add(batch, pfn, blocks * BLOCK_FRAMES);
		left -= blocks;
	}
	return balloon_batch_send(batch);
}

/* One batch of single frames. */
static uint64_t offer_frames(struct balloon *balloon, const struct balloon_place *place,
			     uint64_t want)
{
	struct balloon_batch *batch = balloon_batch_new(&balloon->batches, false);

	balloon_batch_add_free(batch, place, want);
	return balloon_batch_send(batch);
}

struct balloon_place balloon_next_place(const struct balloon *balloon)
{
	return balloon_place_next(balloon_floor(), balloon->terms.pfn_limit);
}

uint64_t balloon_offer_free(struct balloon *balloon, uint64_t want)
{
	size_t per_block = batches_per_block(balloon),
	       left = balloon_batches_room(&balloon->batches);
	uint64_t offered = 0;
	pfn_t from = 0;

	while (offered < want && left > 0) {
		struct balloon_place place = balloon_next_place(balloon);
		uint64_t some = min_u64(want - offered, place.frames), n = 0;
		bool block = some >= BLOCK_FRAMES && balloon->terms.batches >= per_block &&
			     frame_has_block_within(place.from, place.end);

		/* The blocks of the next place may have to leave as ranges first. */
		if (offered > 0 && place.from != from)
			break;
		from = place.from;
		/* A block must go as a whole: rather later than in halves. */
		if (block && left < per_block)
			break;
		if (block)
			n = per_block > 1 ? offer_block_in_pieces(balloon, &place)
					  : offer_blocks(balloon, &place, some);
		if (n == 0)
			n = offer_frames(balloon, &place, some);
		if (n == 0)
			break;
		left -= block ? per_block : 1;
		offered += n;
	}
	return offered;
}

/* As many batches as there is room for, of frames that leave, or are in the balloon. */
static uint64_t offer_owned(struct balloon *balloon, bool deflates, pfn_t from, uint64_t want)
{
	enum owner owner = deflates ? balloon->owners->balloon : balloon->owners->leaving;
	uint64_t offered = 0;

	for (size_t left = balloon_batches_room(&balloon->batches); left > 0; left--) {
		struct balloon_batch *batch = balloon_batch_new(&balloon->batches, deflates);
		uint64_t n;

		balloon_batch_add_owned(batch, owner, from, want - offered);
		n = balloon_batch_send(batch);
		if (n == 0)
			break;
		offered += n;
	}
	return offered;
}

uint64_t balloon_offer_leaving(struct balloon *balloon)
{
	return offer_owned(balloon, false, 0, UINT64_MAX);
}

uint64_t balloon_offer_ballooned(struct balloon *balloon, pfn_t from, uint64_t want)
{
	return balloon->port->deflate ? offer_owned(balloon, true, from, want) : 0;
}
