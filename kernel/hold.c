/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Holds keep the addresses of their runs in pages of their own, apart from the
 * held frames: what is being checked must not also be what is trusted.
 */
#include "kernel/hold.h"

#include <errno.h>

#include "arch/paging.h"
#include "kernel/task/task.h"
#include "mm/frame.h"

/* Frames to work on before others have their turn: about a millisecond. */
#define TURN_FRAMES 256

/* A frame of run addresses. */
struct page {
	struct page *next;
	uint64_t count;
	pfn_t run[(FRAME_SIZE - 16) / sizeof(pfn_t)];
};

_Static_assert(sizeof(struct page) == FRAME_SIZE, "fills its frame");

struct hold {
	unsigned id; /* 0: not used */
	unsigned order;
	uint64_t runs;
	struct page *pages; /* the last one first */
	bool busy;
	uint64_t rewritten; /* times, all of it */
	uint64_t written;   /* frames since then, from the first on */
	/* Where the next one is; only while it is busy. */
	struct page *page;
	uint64_t run; /* in the page */
	pfn_t frame;  /* in the run */
};

static struct hold holds[HOLDS_MAX];
static unsigned last_id;

static struct hold *find_hold(unsigned id)
{
	for (size_t i = 0; i < HOLDS_MAX; i++)
		if (holds[i].id == id)
			return &holds[i];
	return NULL;
}

/* Others run in between, so that a gigabyte does not hold up the console. */
static void take_turns(uint64_t frames)
{
	static uint64_t since_turn;

	since_turn += frames;
	if (since_turn >= TURN_FRAMES) {
		since_turn = 0;
		task_yield();
	}
}

/* ---- The pattern ---- */

/* No two frames, holds, times or words share it, but by chance. */
static uint64_t pattern_start(pfn_t pfn, unsigned id, uint64_t time)
{
	return ((pfn << 16 | id) * UINT64_C(0x9e3779b97f4a7c15) +
		time * UINT64_C(0xc2b2ae3d27d4eb4e)) |
	       1;
}

#define PATTERN_STEP UINT64_C(0xd1342543de82ef95)

static void fill_frame(pfn_t pfn, unsigned id, uint64_t time)
{
	uint64_t *word = phys_to_virt(pfn_to_paddr(pfn));
	uint64_t value = pattern_start(pfn, id, time);

	for (size_t i = 0; i < FRAME_SIZE / sizeof(*word); i++, value += PATTERN_STEP)
		word[i] = value;
}

static bool verify_frame(pfn_t pfn, unsigned id, uint64_t time)
{
	const uint64_t *word = phys_to_virt(pfn_to_paddr(pfn));
	uint64_t value = pattern_start(pfn, id, time);

	for (size_t i = 0; i < FRAME_SIZE / sizeof(*word); i++, value += PATTERN_STEP)
		if (word[i] != value)
			return false;
	return true;
}

/* ---- Giving back ---- */

/* What is in the last page, and the page. */
static void free_page(struct hold *hold)
{
	struct page *page = hold->pages;

	for (uint64_t i = 0; i < page->count; i++) {
		frame_free(page->run[i], UINT64_C(1) << hold->order, OWNER_HELD);
		take_turns(1);
	}
	hold->pages = page->next;
	frame_free(paddr_to_pfn(virt_to_phys(page)), 1, OWNER_KERNEL);
}

/* All of it, unverified: what was never handed out as held need not be waited for. */
static void give_back(struct hold *hold)
{
	while (hold->pages)
		free_page(hold);
	*hold = (struct hold){ 0 };
}

/* ---- Taking ---- */

/* Notes a run in the hold's list. */
static int add_run(struct hold *hold, pfn_t run)
{
	struct page *page = hold->pages;
	pfn_t pfn;

	if (!page || page->count == ARRAY_SIZE(page->run)) {
		if (frame_alloc(0, OWNER_KERNEL, &pfn))
			return -ENOMEM;
		page = phys_to_virt(pfn_to_paddr(pfn));
		page->next = hold->pages;
		page->count = 0;
		hold->pages = page;
	}
	page->run[page->count++] = run;
	hold->runs++;
	return 0;
}

static int take_run(struct hold *hold, hold_stop *stop)
{
	uint64_t frames = UINT64_C(1) << hold->order;
	pfn_t run;

	if (frame_alloc(hold->order, OWNER_HELD, &run))
		return -ENOMEM;
	if (add_run(hold, run)) {
		frame_free(run, frames, OWNER_HELD);
		return -ENOMEM;
	}
	for (uint64_t i = 0; i < frames; i++) {
		if (stop())
			return -EINTR;
		/* So long a run comes as it is: see frame_alloc(). */
		if (hold->order > BLOCK_ORDER)
			frame_fill_run(run + i, 1);
		fill_frame(run + i, hold->id, 0);
		take_turns(1);
	}
	return 0;
}

int hold_take(uint64_t runs, unsigned order, hold_stop *stop, unsigned *id)
{
	struct hold *hold = find_hold(0);
	int err = 0;

	if (!hold)
		return -EAGAIN;
	*hold = (struct hold){ .id = ++last_id, .order = order };
	while (hold->runs < runs && !err)
		err = take_run(hold, stop);
	*id = hold->id;
	if (err)
		give_back(hold);
	return err;
}

/* ---- Rewriting ---- */

int hold_make_busy(unsigned id)
{
	struct hold *hold = id ? find_hold(id) : NULL;

	if (!hold)
		return -ENOENT;
	hold->page = hold->pages;
	hold->busy = true;
	return 0;
}

/* To the next frame, in the order of hold_release(). */
static void advance(struct hold *hold)
{
	hold->written++;
	if (++hold->frame < UINT64_C(1) << hold->order)
		return;
	hold->frame = 0;
	if (++hold->run < hold->page->count)
		return;
	hold->run = 0;
	hold->page = hold->page->next;
	if (hold->page)
		return;
	hold->page = hold->pages;
	hold->rewritten++;
	hold->written = 0;
}

bool hold_rewrite_some(void)
{
	bool found = false;

	for (size_t i = 0; i < HOLDS_MAX; i++) {
		struct hold *hold = &holds[i];

		if (!hold->busy)
			continue;
		found = true;
		for (unsigned n = 0; n < TURN_FRAMES; n++) {
			fill_frame(hold->page->run[hold->run] + hold->frame, hold->id,
				   hold->rewritten + 1);
			advance(hold);
		}
		task_yield();
	}
	return found;
}

/* ---- Releasing ---- */

/* A release on its way. */
struct release {
	hold_stop *stop; /* or NULL */
	bool stopped;
	uint64_t written; /* frames that have been rewritten once more, from here on */
	uint64_t broken;
	pfn_t first_broken;
};

static bool go_on(struct release *release)
{
	if (!release->stopped && release->stop && release->stop())
		release->stopped = true;
	return !release->stopped;
}

/* Verifies a run, as far as nobody stops it. */
static void verify_run(const struct hold *hold, pfn_t run, struct release *release)
{
	uint64_t frames = UINT64_C(1) << hold->order;

	for (pfn_t pfn = run; pfn < run + frames && go_on(release); pfn++) {
		take_turns(1);
		if (verify_frame(pfn, hold->id, hold->rewritten + (pfn - run < release->written)))
			continue;
		release->broken++;
		release->first_broken = min_u64(release->first_broken, pfn);
	}
	release->written -= min_u64(release->written, frames);
}

static int end_release(const struct release *release, uint64_t *broken, pfn_t *first_broken)
{
	*broken = release->broken;
	*first_broken = release->first_broken;
	return release->stopped ? -EINTR : 0;
}

int hold_release(unsigned id, hold_stop *stop, uint64_t *broken, pfn_t *first_broken)
{
	struct release release = { .stop = stop, .first_broken = PFN_NONE };
	struct hold *hold = id ? find_hold(id) : NULL;

	*broken = 0;
	*first_broken = PFN_NONE;
	if (!hold)
		return -ENOENT;
	hold->busy = false;
	release.written = hold->written;
	while (hold->pages) {
		const struct page *page = hold->pages;

		for (uint64_t i = 0; i < page->count; i++)
			verify_run(hold, page->run[i], &release);
		free_page(hold);
	}
	*hold = (struct hold){ 0 };
	return end_release(&release, broken, first_broken);
}

/* The first one stays, the second goes, and so on. */
static void release_half_page(struct hold *hold, struct page *page, struct release *release)
{
	uint64_t kept = 0;

	for (uint64_t i = 0; i < page->count; i++) {
		if (i % 2 == 0) {
			page->run[kept++] = page->run[i];
			continue;
		}
		verify_run(hold, page->run[i], release);
		frame_free(page->run[i], UINT64_C(1) << hold->order, OWNER_HELD);
		take_turns(1);
		hold->runs--;
	}
	page->count = kept;
}

int hold_release_half(unsigned id, hold_stop *stop, uint64_t *broken, pfn_t *first_broken)
{
	struct release release = { .stop = stop, .first_broken = PFN_NONE };
	struct hold *hold = id ? find_hold(id) : NULL;

	*broken = 0;
	*first_broken = PFN_NONE;
	if (!hold)
		return -ENOENT;
	if (hold->busy)
		return -EBUSY;
	for (struct page *page = hold->pages; page; page = page->next)
		release_half_page(hold, page, &release);
	return end_release(&release, broken, first_broken);
}

bool hold_next(unsigned id, struct hold_info *info)
{
	const struct hold *next = NULL;

	for (size_t i = 0; i < HOLDS_MAX; i++)
		if (holds[i].id > id && (!next || holds[i].id < next->id))
			next = &holds[i];
	if (!next)
		return false;
	*info = (struct hold_info){ .id = next->id,
				    .order = next->order,
				    .runs = next->runs,
				    .busy = next->busy,
				    .rewritten = next->rewritten };
	return true;
}
