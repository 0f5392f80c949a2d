/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames on their way to VMware and back: LOCK and UNLOCK, one by one or 512 entries of the batch
 * page at a time, whole blocks as entries of 2 MiB. Each has a status of its own, and goes where
 * that says it is:
 *
 *				to the host		back
 *	SUCCESS			has it			ours
 *	PPN_LOCKED		has it			has it: passed over
 *	PPN_UNLOCKED		ours: set aside		ours
 *	PPN_PINNED, _INVALID	ours: set aside		has it: passed over
 *	PPN_NOTNEEDED		ours: enough		has it: for now
 *	BUSY, FAILURE, ...	ours: for now		has it: for now
 *	nonsense		has it, to be sure	has it: passed over
 *
 * Of a block that the host will not have, the frames are tried one by one at once. The page is
 * the image's, so that it is in no balloon, and an entry's address is never read back for use: a
 * host that has changed one has broken the rules.
 */
#include "drivers/balloon/port/vmware_balloon_pages.h"

#include <assert.h>
#include <errno.h>

#include "arch/phys_map.h"
#include "drivers/balloon/port/vmware_balloon_call.h"

/* LOCK has 32 bits for a frame's number. */
#define PFN_LIMIT_32 (UINT64_C(1) << 32)

/* Blocks of a batch that are tried frame by frame, some 10 ms of it; the rest is for later. */
#define SPLITS_MAX 16

_Static_assert(BALLOON_BATCH_RUNS == VMWARE_ENTRIES, "a batch of frames is a page of them");
_Static_assert(VMWARE_ENTRIES * sizeof(uint64_t) == FRAME_SIZE, "the entries fill a page");

/* Where a frame, or a block, is by the host's answer. */
enum place {
	MOVED,
	NEVER, /* not moved: not this one */
	ENOUGH,
	FOR_NOW,
};

/* What is asked for at a time: frames, or the first ones of blocks. */
struct list {
	bool blocks, deflates;
	size_t count;
	pfn_t pfn[VMWARE_ENTRIES];
	uint8_t place[VMWARE_ENTRIES]; /* the answers: enum place */
};

static struct {
	volatile uint64_t page[VMWARE_ENTRIES]
		__attribute__((aligned(FRAME_SIZE))); /* host writes */
	struct list list, split;
	bool single_frames; /* no entries of 2 MiB */
	uint64_t given;	    /* frames that the host has */
	const char *fault;
	struct vmware_balloon_counts counts[2]; /* of frames, of blocks */
} pages;

void vmware_balloon_pages_begin(void)
{
	pages.given = 0;
	pages.fault = NULL;
}

void vmware_balloon_pages_forget(void)
{
	pages.counts[false] = (struct vmware_balloon_counts){ 0 };
	pages.counts[true] = (struct vmware_balloon_counts){ 0 };
}

static bool can(enum vmware_capability capability)
{
	return vmware_call_capabilities() & capability;
}

void vmware_balloon_pages_terms(enum balloon_strategy strategy, struct balloon_terms *terms)
{
	pages.single_frames = strategy == BALLOON_PORTABLE || !can(VMWARE_BATCHED_2M);
	terms->pfn_limit = can(VMWARE_BATCHED) ? PFN_NONE : PFN_LIMIT_32;
	terms->best = BALLOON_WHOLE_BLOCK;
	terms->batches = 1;
	terms->batch_frames = VMWARE_ENTRIES;
	terms->batch_block_frames = (pages.single_frames ? 1 : VMWARE_ENTRIES) * BLOCK_FRAMES;
	terms->batch_runs = VMWARE_ENTRIES;
}

/* ---- What the host said of one of them ---- */

/* Wherever it is, nobody uses it. */
static enum place to_be_sure(bool deflates)
{
	return deflates ? NEVER : MOVED;
}

static enum place place_after(uint32_t status, bool deflates)
{
	switch (status) {
	case VMWARE_SUCCESS:
		return MOVED;
	case VMWARE_PPN_LOCKED:
		return deflates ? NEVER : MOVED;
	case VMWARE_PPN_UNLOCKED:
		return deflates ? MOVED : NEVER;
	case VMWARE_PPN_INVALID:
	case VMWARE_PPN_PINNED:
		return NEVER;
	case VMWARE_PPN_NOTNEEDED:
		return deflates ? FOR_NOW : ENOUGH;
	case VMWARE_CMD_INVALID:
	case VMWARE_RESET:
	case VMWARE_BUSY:
	case VMWARE_ENTRY_FAILURE:
	case VMWARE_FAILURE:
		return FOR_NOW;
	default:
		return to_be_sure(deflates);
	}
}

/* Likewise of all frames of a command that was not obeyed. */
static enum place place_after_all(uint32_t status, bool deflates)
{
	enum place place = place_after(status, deflates);
	bool about_frame = status >= VMWARE_PPN_INVALID && status <= VMWARE_PPN_PINNED;

	/* The page is no frame of theirs. */
	return about_frame ? FOR_NOW : place;
}

/* ---- The commands for a list ---- */

static enum vmware_command batch_command(const struct list *list)
{
	if (list->blocks)
		return list->deflates ? VMWARE_BATCHED_2M_UNLOCK : VMWARE_BATCHED_2M_LOCK;
	return list->deflates ? VMWARE_BATCHED_UNLOCK : VMWARE_BATCHED_LOCK;
}

static void place_rest(struct list *list, size_t from, enum place place)
{
	for (size_t i = from; i < list->count; i++)
		list->place[i] = (uint8_t)place;
}

/* An entry is read once: the host can write it at any time. */
static void read_page(struct list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		uint64_t entry = pages.page[i];
		enum place place = place_after(entry & VMWARE_ENTRY_STATUS, list->deflates);

		if (paddr_to_pfn(entry) != list->pfn[i]) {
			pages.fault = "it has changed an address in the batch page";
			place = to_be_sure(list->deflates);
		}
		list->place[i] = (uint8_t)place;
	}
}

static void ask_by_page(struct list *list)
{
	uint32_t status;

	for (size_t i = 0; i < list->count; i++)
		pages.page[i] = pfn_to_paddr(list->pfn[i]);
	status = vmware_call(batch_command(list), paddr_to_pfn(virt_to_phys((void *)pages.page)),
			     (uint32_t)list->count);
	if (status == VMWARE_SUCCESS)
		read_page(list);
	else
		place_rest(list, 0, place_after_all(status, list->deflates));
}

/* What is about no single frame ends it. */
static void ask_one_by_one(struct list *list)
{
	enum vmware_command command = list->deflates ? VMWARE_UNLOCK : VMWARE_LOCK;

	assert(!list->blocks);
	for (size_t i = 0; i < list->count; i++) {
		uint32_t status = vmware_call(command, list->pfn[i], 0);
		enum place place = place_after(status, list->deflates);

		list->place[i] = (uint8_t)place;
		if (place == FOR_NOW || place == ENOUGH) {
			place_rest(list, i, place);
			return;
		}
	}
}

static void count(const struct list *list)
{
	struct vmware_balloon_counts *counts = &pages.counts[list->blocks];
	uint64_t moved = 0;

	for (size_t i = 0; i < list->count; i++)
		moved += list->place[i] == MOVED;
	if (list->deflates) {
		counts->freed += moved;
		counts->kept += list->count - moved;
		pages.given -= min_u64(pages.given, moved * (list->blocks ? BLOCK_FRAMES : 1));
	} else {
		counts->offered += list->count;
		counts->refused += list->count - moved;
		pages.given += moved * (list->blocks ? BLOCK_FRAMES : 1);
	}
}

/* Returns whether there is an answer for each: not if the host has forgotten all of them. */
static bool ask(struct list *list)
{
	if (can(VMWARE_BATCHED))
		ask_by_page(list);
	else
		ask_one_by_one(list);
	if (vmware_call_is_forgotten())
		return false;
	count(list);
	return true;
}

/* ---- A batch ---- */

static void make_list(struct list *list, const struct balloon_batch *batch, bool blocks)
{
	uint64_t step = blocks ? BLOCK_FRAMES : 1;

	list->blocks = blocks;
	list->deflates = batch->deflates;
	list->count = 0;
	for (const struct frame_run *run = batch->run; run < batch->run + batch->run_count; run++)
		for (uint64_t i = 0; i < run->count; i += step) {
			assert(list->count < ARRAY_SIZE(list->pfn));
			list->pfn[list->count++] = run->first + i;
		}
}

static bool is_whole_blocks(const struct balloon_batch *batch)
{
	for (size_t i = 0; i < batch->run_count; i++)
		if (batch->run[i].first % BLOCK_FRAMES != 0 ||
		    batch->run[i].count % BLOCK_FRAMES != 0)
			return false;
	return true;
}

static enum balloon_refusal reason(enum place place)
{
	assert(place != MOVED);
	if (place == NEVER)
		return BALLOON_REFUSED_FRAME;
	return place == ENOUGH ? BALLOON_REFUSED_ENOUGH : BALLOON_REFUSED_FOR_NOW;
}

/* Refuses what has not moved, neighbours with the same reason at a time. */
static void refuse_frames(struct balloon_batch *batch, const struct list *list)
{
	for (size_t i = 0, n; i < list->count; i += n) {
		for (n = 1; i + n < list->count && list->place[i + n] == list->place[i] &&
			    list->pfn[i + n] == list->pfn[i] + n;)
			n++;
		if (list->place[i] != MOVED)
			balloon_batch_refuse(batch, list->pfn[i], n, reason(list->place[i]));
	}
}

/* The frames of a block, one by one. If that says nothing, they are for later. */
static void try_frames(struct balloon_batch *batch, pfn_t first)
{
	struct list *split = &pages.split;

	split->blocks = false;
	split->deflates = batch->deflates;
	split->count = BLOCK_FRAMES;
	for (size_t i = 0; i < BLOCK_FRAMES; i++)
		split->pfn[i] = first + i;
	if (!pages.fault && !vmware_call_is_forgotten() && ask(split))
		refuse_frames(batch, split);
	else
		balloon_batch_refuse(batch, first, BLOCK_FRAMES, BALLOON_REFUSED_FOR_NOW);
}

static void refuse_blocks(struct balloon_batch *batch, const struct list *list)
{
	unsigned splits = 0;

	for (size_t i = 0; i < list->count; i++) {
		enum place place = list->place[i];

		if (place == MOVED)
			continue;
		if (place == NEVER && splits++ < SPLITS_MAX) {
			try_frames(batch, list->pfn[i]);
			continue;
		}
		if (!list->deflates)
			pages.counts[true].returned++;
		/* Never as a whole, but perhaps in part. */
		balloon_batch_refuse(batch, list->pfn[i], BLOCK_FRAMES,
				     reason(place == NEVER ? FOR_NOW : place));
	}
}

/* A batch that no block fits in is of less than whole ones. */
static void note_no_block(const struct list *list)
{
	uint64_t target = vmware_call_target();

	if (!list->deflates && !list->blocks && !pages.single_frames &&
	    target >= pages.given + BLOCK_FRAMES)
		pages.counts[true].scarce++;
}

static int obey(struct balloon_batch *batch)
{
	struct list *list = &pages.list;

	if (pages.fault || vmware_call_is_forgotten())
		return -EIO;
	make_list(list, batch, !pages.single_frames && is_whole_blocks(batch));
	note_no_block(list);
	if (!ask(list))
		return -EIO;
	if (list->blocks)
		refuse_blocks(batch, list);
	else
		refuse_frames(batch, list);
	balloon_batch_answered(batch);
	return 0;
}

int vmware_balloon_pages_inflate(struct balloon_batch *batch)
{
	assert(!batch->deflates);
	return obey(batch);
}

int vmware_balloon_pages_deflate(struct balloon_batch *batch)
{
	assert(batch->deflates);
	return obey(batch);
}

/* ---- For the other files ---- */

uint64_t vmware_balloon_pages_given(void)
{
	return pages.given;
}

const char *vmware_balloon_pages_fault(void)
{
	return pages.fault;
}

void vmware_balloon_pages_counts(bool blocks, struct vmware_balloon_counts *counts)
{
	*counts = pages.counts[blocks];
}

void vmware_balloon_pages_note_scarce(void)
{
	pages.counts[false].scarce++;
}
