/* SPDX-License-Identifier: BSD-2-Clause */
/* A frame allocator in garbage: see frame_fixture.h. */
#include "tests/unit/mm/frame_fixture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/irq.h"
#include "mm/ledger.h"

static struct memmap map;
static void *metadata;

void fixture_start(const struct mem_range *ranges, size_t count)
{
	size_t bytes;

	free(metadata);
	metadata = NULL;
	memset(&map, 0, sizeof(map));
	for (size_t i = 0; i < count; i++) {
		map.range[map.count++] = ranges[i];
		map.frames += ranges[i].end - ranges[i].start;
	}
	bytes = frame_init_bytes(&map);
	assert_int_equal(posix_memalign(&metadata, 64, bytes > 0 ? bytes : 1), 0);
	memset(metadata, 0xa5, bytes);
	frame_init(&map, metadata);
	frame_set_reclaimer(NULL);
}

void fixture_start_one(pfn_t start, pfn_t end)
{
	const struct mem_range range = { start, end };

	fixture_start(&range, 1);
}

void fixture_expect_managed(uint64_t frames)
{
	map.frames = frames;
}

const struct memmap *fixture_map(void)
{
	return &map;
}

int fixture_stop(void **state)
{
	(void)state;
	free(metadata);
	metadata = NULL;
	return 0;
}

static void assert_verdict(bool ok, const char *verdict)
{
	char expect[LEDGER_VERDICT_MAX];

	snprintf(expect, sizeof(expect), "ok (%" PRIu64 " frames)", map.frames);
	assert_string_equal(verdict, expect);
	assert_true(ok);
}

void fixture_assert_sums(void)
{
	char verdict[LEDGER_VERDICT_MAX];
	uint64_t free_frames = 0;
	bool ok = ledger_check(verdict);

	assert_verdict(ok, verdict);
	assert_int_equal(ledger_managed(), map.frames);
	for (unsigned order = 0; order <= BLOCK_ORDER; order++)
		free_frames += frame_free_by_order(order);
	assert_int_equal(free_frames, ledger_count(OWNER_FREE));
	assert_int_equal(frame_free_by_order(BLOCK_ORDER + 1), 0);
	assert_int_equal(frame_free_blocks() * BLOCK_FRAMES, frame_free_by_order(BLOCK_ORDER));
	assert_int_equal(fake_irqs_off, 0);
}

void fixture_assert_books(void)
{
	char verdict[LEDGER_VERDICT_MAX];
	bool ok = ledger_audit(verdict);

	assert_verdict(ok, verdict);
	fixture_assert_sums();
}

struct picture {
	uint64_t count[OWNER_COUNT];
	uint64_t by_order[BLOCK_ORDER + 1];
	size_t frames;
	uint8_t owner[];
};

/* The whole blocks around a range: the holes belong to the picture. */
static pfn_t picture_start(size_t range)
{
	return align_down(map.range[range].start, BLOCK_FRAMES);
}

static pfn_t picture_end(size_t range)
{
	return align_up(map.range[range].end, BLOCK_FRAMES);
}

struct picture *fixture_picture(void)
{
	struct picture *p;
	size_t frames = 0;

	for (size_t i = 0; i < map.count; i++)
		frames += (size_t)(picture_end(i) - picture_start(i));
	p = calloc(1, sizeof(*p) + frames);
	assert_non_null(p);
	for (unsigned o = 0; o < OWNER_COUNT; o++)
		p->count[o] = ledger_count((enum owner)o);
	for (unsigned o = 0; o <= BLOCK_ORDER; o++)
		p->by_order[o] = frame_free_by_order(o);
	for (size_t i = 0; i < map.count; i++)
		for (pfn_t pfn = picture_start(i); pfn < picture_end(i); pfn++)
			p->owner[p->frames++] = (uint8_t)frame_owner(pfn);
	return p;
}

void fixture_assert_same(struct picture *before)
{
	struct picture *now = fixture_picture();

	assert_int_equal(now->frames, before->frames);
	assert_memory_equal(now, before, sizeof(*now) + now->frames);
	free(now);
	free(before);
}

void fixture_assert_refused(int err, int expect, uint64_t refused)
{
	assert_int_equal(err, expect);
	assert_int_equal(ledger_refused(), refused + 1);
}

void fixture_assert_owner(pfn_t pfn, size_t count, enum owner owner)
{
	for (size_t i = 0; i < count; i++)
		assert_int_equal(frame_owner(pfn + i), owner);
}

static bool run_is_free(pfn_t pfn, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (frame_owner(pfn + i) != OWNER_FREE)
			return false;
	return true;
}

int fixture_largest_run(pfn_t block)
{
	for (int order = (int)BLOCK_ORDER; order >= 0; order--) {
		size_t count = (size_t)1 << order;

		for (size_t at = 0; at < BLOCK_FRAMES; at += count)
			if (run_is_free(block + at, count))
				return order;
	}
	return -1;
}

pfn_t fixture_alloc(unsigned order, enum owner owner)
{
	pfn_t pfn = PFN_UNTOUCHED;

	assert_int_equal(frame_alloc(order, owner, &pfn), 0);
	return pfn;
}

void fixture_reserve(pfn_t pfn, size_t count, enum owner owner)
{
	assert_int_equal(frame_reserve(pfn, count, owner), 0);
}

void fixture_free(pfn_t pfn, size_t count, enum owner owner)
{
	assert_int_equal(frame_free(pfn, count, owner), 0);
}
