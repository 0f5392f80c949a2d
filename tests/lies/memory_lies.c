/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Not lies of the device, but as hard on the driver: allocations fail, any and any
 * number of them. The linker puts the functions below in front of the allocator's
 * (--wrap), for all callers but the allocator itself.
 */
#include <errno.h>

#include "mm/frame.h"
#include "tests/lies/lies.h"

#define SET_UP (1u << STEP_START | 1u << STEP_RECOVER)
#define IN_USE (((1u << STEP_COUNT) - 1) & ~SET_UP)

static struct {
	bool armed, for_ever;
	unsigned left; /* calls before the one that fails */
} failure;

int __real_frame_alloc(unsigned order, enum owner owner, pfn_t *pfn);
size_t __real_frame_alloc_bulk_within(size_t count, pfn_t from, pfn_t limit, enum owner owner,
				      pfn_t *pfns);
int __real_frame_alloc_blocks_within(size_t max, pfn_t from, pfn_t limit, enum owner owner,
				     pfn_t *pfn, size_t *blocks);
int __real_frame_alloc_unreported(size_t max, enum owner owner, pfn_t *pfn, size_t *blocks);

int __wrap_frame_alloc(unsigned order, enum owner owner, pfn_t *pfn);
size_t __wrap_frame_alloc_bulk_within(size_t count, pfn_t from, pfn_t limit, enum owner owner,
				      pfn_t *pfns);
int __wrap_frame_alloc_blocks_within(size_t max, pfn_t from, pfn_t limit, enum owner owner,
				     pfn_t *pfn, size_t *blocks);
int __wrap_frame_alloc_unreported(size_t max, enum owner owner, pfn_t *pfn, size_t *blocks);

static bool fails(void)
{
	if (!failure.armed)
		return false;
	if (failure.left > 0) {
		failure.left--;
		return false;
	}
	world_had_nth = true;
	failure.armed = failure.for_ever;
	return true;
}

int __wrap_frame_alloc(unsigned order, enum owner owner, pfn_t *pfn)
{
	return fails() ? -ENOMEM : __real_frame_alloc(order, owner, pfn);
}

size_t __wrap_frame_alloc_bulk_within(size_t count, pfn_t from, pfn_t limit, enum owner owner,
				      pfn_t *pfns)
{
	return fails() ? 0 : __real_frame_alloc_bulk_within(count, from, limit, owner, pfns);
}

int __wrap_frame_alloc_blocks_within(size_t max, pfn_t from, pfn_t limit, enum owner owner,
				     pfn_t *pfn, size_t *blocks)
{
	return fails() ? -ENOMEM
		       : __real_frame_alloc_blocks_within(max, from, limit, owner, pfn, blocks);
}

int __wrap_frame_alloc_unreported(size_t max, enum owner owner, pfn_t *pfn, size_t *blocks)
{
	return fails() ? -ENOMEM : __real_frame_alloc_unreported(max, owner, pfn, blocks);
}

void memory_is_back(void)
{
	failure.armed = false;
}

static void fail_from_now_on(bool for_ever)
{
	failure = (typeof(failure)){ .armed = true, .for_ever = for_ever, .left = world_nth };
}

static void one_allocation_fails(struct sim_balloon *sim)
{
	(void)sim;
	fail_from_now_on(false);
}

static void all_allocations_fail(struct sim_balloon *sim)
{
	(void)sim;
	fail_from_now_on(true);
}

/* clang-format off */
const struct lie memory_lies[] = {
	{ "the n-th allocation of the set-up fails",		one_allocation_fails,
	  .each = true, .only = SET_UP },
	{ "all allocations fail from the n-th of the set-up",	all_allocations_fail,
	  .each = true, .only = SET_UP },
	{ "the n-th allocation in use fails",			one_allocation_fails,
	  .each = true, .only = IN_USE, .must_go_on = true },
	{ "all allocations fail from the n-th in use",		all_allocations_fail,
	  .each = true, .only = IN_USE, .must_go_on = true },
};
/* clang-format on */
const size_t memory_lie_count = ARRAY_SIZE(memory_lies);
