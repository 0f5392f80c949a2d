/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest grows and shrinks by several means: see grow_plan.h. */
#include <assert.h>

#include "tools/balloonctl/grow_plan.h"

#define PAGE 4096ull /* the balloon counts in these */

/* All that a plan is made of; amounts left are of the whole guest. */
struct ground {
	const struct guest_state *state;
	const struct guest_mem_device *device;
	bool in_all;
	uint64_t counted; /* base and DIMMs: what the balloon counts */
	uint64_t others;  /* plugged by other devices: stays */
};

static uint64_t round_up(uint64_t bytes, uint64_t unit)
{
	return (bytes + unit - 1) / unit * unit;
}

/* An amount left as the wish counts: in all, or the difference from now. */
static uint64_t as_wished(const struct ground *g, uint64_t left)
{
	uint64_t now = g->state->left;

	if (g->in_all)
		return left;
	return left > now ? left - now : now - left;
}

/* The balloon leaves the guest rather more than less, but no more than there is. */
static uint64_t balloon_leaves(const struct ground *g, uint64_t bytes)
{
	bytes = round_up(bytes, PAGE);
	return bytes < g->counted ? bytes : g->counted;
}

/* The least that can be left: a page of what the balloon counts, all of it without one. */
static uint64_t least_left(const struct ground *g)
{
	uint64_t page = g->counted < PAGE ? g->counted : PAGE;

	return g->others + (g->state->lacks_balloon ? g->counted : page);
}

/*
 * Blocks make less than was wished by `down`, and the next more. A difference that is taken
 * counts the other way than what is left.
 */
static enum grow_verdict no_multiple(const struct ground *g, const struct grow_wish *wish,
				     uint64_t left, uint64_t down, struct grow_near *near)
{
	uint64_t lower = left > down ? left - down : 0;
	uint64_t upper = left + g->device->block - down;
	uint64_t most = wish->shrinks ? g->state->left : g->counted + g->others + g->device->region;
	bool turns = wish->shrinks && !wish->in_all;

	if (lower >= least_left(g))
		*(turns ? &near->above : &near->below) = as_wished(g, lower);
	if (upper <= most)
		*(turns ? &near->below : &near->above) = as_wished(g, upper);
	return GROW_NO_MULTIPLE;
}

static enum grow_verdict plan_growth(const struct ground *g, const struct grow_wish *wish,
				     uint64_t left, struct grow_plan *plan, struct grow_near *near)
{
	uint64_t all_back = g->state->left + g->state->taken;
	uint64_t most = g->counted + g->others + g->device->region;

	if (left > most) {
		near->below = as_wished(g, most);
		return GROW_TOO_MUCH;
	}
	plan->requested = g->device->plugged;
	if (left <= all_back) {
		plan->bytes_left = balloon_leaves(g, left - g->state->grown);
		return GROW_PLANNED;
	}
	if ((left - all_back) % g->device->block)
		return no_multiple(g, wish, left, (left - all_back) % g->device->block, near);
	plan->requested += left - all_back;
	plan->bytes_left = g->counted;
	return GROW_PLANNED;
}

/*
 * Some blocks go, and others stay. A size in all is one that whole blocks make if the balloon
 * holds nothing; where it holds what is no whole block, a block more goes, and it gives
 * that back.
 */
static enum grow_verdict plan_blocks(const struct ground *g, const struct grow_wish *wish,
				     uint64_t left, struct grow_plan *plan, struct grow_near *near)
{
	uint64_t block = g->device->block;
	uint64_t goes = g->state->left - left;
	uint64_t odd = (wish->in_all ? g->state->ram - left : goes) % block;
	uint64_t blocks = round_up(goes, block);

	if (odd)
		return no_multiple(g, wish, left, block - odd, near);
	assert(blocks <= g->device->plugged && blocks - goes <= g->state->taken);
	plan->requested = g->device->plugged - blocks;
	plan->bytes_left = balloon_leaves(g, g->counted - g->state->taken + (blocks - goes));
	return GROW_PLANNED;
}

/* The balloon would have to take less than a page: a page is the next that it can take. */
static enum grow_verdict no_change(const struct ground *g, struct grow_near *near)
{
	uint64_t now = g->state->left - g->others;
	uint64_t next = (now - 1) / PAGE * PAGE;

	if (g->in_all) {
		near->above = g->state->left;
		near->below = next ? g->others + next : 0;
	} else {
		near->above = next ? now - next : 0;
	}
	return GROW_NO_CHANGE;
}

static enum grow_verdict plan_shrinking(const struct ground *g, const struct grow_wish *wish,
					uint64_t left, struct grow_plan *plan,
					struct grow_near *near)
{
	uint64_t least = least_left(g);

	if (left < least) {
		*(g->in_all ? &near->above
			    : &near->below) = least < g->state->left ? as_wished(g, least) : 0;
		return GROW_TOO_MUCH;
	}
	if (g->state->left - left < g->device->plugged)
		return plan_blocks(g, wish, left, plan, near);
	if (left < g->state->left &&
	    balloon_leaves(g, left - g->others) + g->others == g->state->left)
		return no_change(g, near);
	plan->requested = 0;
	plan->bytes_left = balloon_leaves(g, left - g->others);
	return GROW_PLANNED;
}

enum grow_verdict grow_plan(const struct guest_state *state, const struct guest_mem_device *device,
			    const struct grow_wish *wish, struct grow_plan *plan,
			    struct grow_near *near)
{
	struct ground g = {
		.state = state,
		.device = device,
		.in_all = wish->in_all,
		.counted = state->base + state->dimms,
		.others = state->grown - device->plugged,
	};
	uint64_t left = wish->bytes;

	assert(wish->bytes <= INT64_MAX && state->ram <= INT64_MAX);
	assert(g.others <= state->grown && device->plugged <= device->region);
	*near = (struct grow_near){ 0 };
	if (!wish->in_all && wish->shrinks)
		left = wish->bytes < state->left ? state->left - wish->bytes : 0;
	else if (!wish->in_all)
		left = state->left + wish->bytes;
	if (wish->shrinks ? left > state->left : left < state->left)
		return GROW_BACKWARDS;
	return wish->shrinks ? plan_shrinking(&g, wish, left, plan, near)
			     : plan_growth(&g, wish, left, plan, near);
}
