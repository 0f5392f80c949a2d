/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The balloon on Xen: what the toolstack wants, and the port; see xen_balloon.h. The store's task
 * keeps memory/target up to date, so the balloon's reads it without a wait. What is written
 * there is input: if it is no target, the last good one stays.
 *
 * Frames that Xen has come back by populate_physmap alone, whatever becomes of the port: no end of
 * it makes them ours.
 */
#include "drivers/balloon/port/xen_balloon.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon_port.h"
#include "drivers/balloon/port/xen_balloon_pages.h"
#include "drivers/xen/xen.h"
#include "drivers/xen/xen_stamps.h"
#include "drivers/xen/xenstore.h"
#include "kernel/lib/log.h"
#include "kernel/lib/parse.h"

/* A physical address has 52 bits. */
#define MAX_KIB_MAX ((UINT64_C(1) << 52) / KIB)

/* What can be wrong with a target. */
enum wrong {
	WRONG_NOTHING,
	WRONG_GONE,
	WRONG_NO_NUMBER,
	WRONG_ZERO,
	WRONG_ABOVE_MAX,
	WRONGS,
};

static const char *const wrong_sentences[WRONGS] = {
	[WRONG_GONE] = "is gone",
	[WRONG_NO_NUMBER] = "is no number",
	[WRONG_ZERO] = "is nothing",
	[WRONG_ABOVE_MAX] = "is above memory/static-max",
};

static struct wait_queue news;	      /* the balloon's task */
static struct wait_queue first_waits; /* for the first target */

static struct xenstore_node target_node = { .path = "memory/target", .waiters = &news };

static struct {
	bool attached;
	bool by_hand;	     /* there is no store */
	uint64_t max_kib;    /* memory/static-max */
	uint64_t target_kib; /* the last good target */
	uint64_t changes;    /* of the node, as far as they were obeyed */
	bool changed;	     /* by hand, and the balloon's task does not know */
	bool reached;	     /* the first target is, or cannot be */
	uint64_t said_ns[WRONGS];
} xen;

/* How many frames the balloon is to have. */
static uint64_t level(void)
{
	return (xen.max_kib - xen.target_kib) / FRAME_KIB;
}

/* ---- What the toolstack wants ---- */

/* Decimal, and nothing else: the store has no other numbers. */
static bool read_number(const char *text, size_t length, uint64_t *number)
{
	return length > 0 && strspn(text, "0123456789") == length && parse_u64(text, number) == 0;
}

static enum wrong read_node(uint64_t *kib)
{
	if (!target_node.exists)
		return WRONG_GONE;
	if (target_node.cut || !read_number(target_node.value, target_node.length, kib))
		return WRONG_NO_NUMBER;
	if (*kib == 0)
		return WRONG_ZERO;
	return *kib > xen.max_kib ? WRONG_ABOVE_MAX : WRONG_NOTHING;
}

static void complain(enum wrong wrong)
{
	if (!log_is_due(&xen.said_ns[wrong], clock_ns()))
		return;
	/* The value last: shown byte by byte it may fill the line. */
	log_warn("balloon: memory/target %s; the target stays %" PRIu64 " KiB%s%s%s",
		 wrong_sentences[wrong], xen.target_kib, target_node.exists ? ": \"" : "",
		 target_node.value, target_node.exists ? "\"" : "");
}

static void obey_node(void)
{
	uint64_t kib = 0;
	enum wrong wrong = read_node(&kib);

	xen.changes = target_node.changes;
	if (wrong != WRONG_NOTHING) {
		complain(wrong);
		return;
	}
	xen.target_kib = kib;
	xen_stamp_target(kib);
}

static bool has_news(void)
{
	return xen.by_hand ? xen.changed : target_node.changes != xen.changes;
}

/* The first target is reached, or all that can be done for it is. */
static void end_first_target(void)
{
	if (xen.reached)
		return;
	xen.reached = true;
	task_wake(&first_waits);
}

static enum balloon_fault read_target(uint64_t given, uint64_t *target)
{
	if (has_news()) {
		xen_balloon_pages_begin_target();
		if (!xen.by_hand)
			obey_node();
	}
	xen.changed = false;
	*target = level();
	if (given == *target)
		end_first_target();
	return BALLOON_OK;
}

static void short_of(uint64_t frames)
{
	assert(frames > 0);
	if (!xen.reached)
		log_warn("balloon: the floor keeps it %" PRIu64 " KiB short of the first target: "
			 "Xen ends a guest that uses more than it has",
			 frames * FRAME_KIB);
	end_first_target();
}

/* ---- The port ---- */

static int start(void)
{
	int err = xen_balloon_pages_start();

	if (err)
		log_info("balloon: this Xen has no memory operations, and so no balloon");
	return err;
}

static void terms(enum balloon_strategy strategy, struct balloon_terms *terms)
{
	terms->pfn_limit = PFN_NONE;
	xen_balloon_pages_terms(strategy, terms);
}

/* All is answered, and what Xen has it keeps. */
static int reset(void)
{
	end_first_target();
	return -EBUSY;
}

static int give_up(const char **why)
{
	const char *earlier;

	if (xen_balloon_pages_fault(&earlier) != BALLOON_OK)
		*why = earlier;
	log_warn("balloon: Xen is not asked any more: %s; `balloon retry` tries it once more",
		 *why);
	return reset();
}

static enum balloon_fault take_finished(void)
{
	const char *why;

	return xen_balloon_pages_fault(&why);
}

static void print_direction(const char *name, bool back)
{
	struct xen_balloon_counts counts;

	xen_balloon_pages_counts(back, &counts);
	printf("%s: %" PRIu64 " blocks and %" PRIu64 " frames in %" PRIu64
	       " calls; the longest took %" PRIu64 " us\n",
	       name, counts.blocks, counts.frames, counts.calls, counts.call_ns_max / NS_PER_US);
}

static void print_traffic(void)
{
	print_direction("Given to Xen", false);
	print_direction("Taken from Xen", true);
}

const struct balloon_port xen_balloon_port = {
	.name = "xen",
	.start = start,
	.terms = terms,
	.reset = reset,
	.give_up = give_up,
	.take_finished = take_finished,
	.read_target = read_target,
	.inflate = xen_balloon_pages_inflate,
	.deflate = xen_balloon_pages_deflate,
	.batch_blocks = xen_balloon_pages_blocks,
	.short_of = short_of,
	.has_news = has_news,
	.print_traffic = print_traffic,
};

/* ---- The start ---- */

static int read_max(void)
{
	char text[XENSTORE_NODE_MAX];
	size_t length = 0;
	int err = xenstore_read("memory/static-max", text, sizeof(text), &length);

	if (!err && read_number(text, length, &xen.max_kib) && xen.max_kib > 0 &&
	    xen.max_kib <= MAX_KIB_MAX)
		return 0;
	if (err == -ETIMEDOUT)
		return err;
	log_info("balloon: the store has no usable memory/static-max, and so Xen no balloon");
	return -ENODEV;
}

/* Once in a store's life. */
static bool is_followed(void)
{
	const struct xenstore_node *node = xenstore_nodes();

	while (node && node != &target_node)
		node = node->next;
	return node;
}

/* The balloon is empty, whoever had it before: so long as nothing better is known, it stays so. */
static int follow_target(void)
{
	int err = read_max();

	if (err)
		return err;
	xen.target_kib = xen.max_kib;
	if (!is_followed())
		err = xenstore_follow(&target_node);
	if (!err && target_node.exists)
		return 0;
	if (err == -ETIMEDOUT)
		return err;
	log_info("balloon: the store has no memory/target, and so Xen no balloon");
	return -ENODEV;
}

/* Without a store the domain has what it was started with, at most. */
static int begin_by_hand(void)
{
	long frames = xen_current_frames();

	if (frames <= 0) {
		log_info("balloon: Xen counts no frames, and so there is no balloon");
		return -ENODEV;
	}
	xen.max_kib = (uint64_t)frames * FRAME_KIB;
	xen.target_kib = xen.max_kib;
	return 0;
}

int xen_balloon_start(void)
{
	int err;

	xen.attached = false;
	if (!xen_is_there())
		return -ENODEV;
	xen.by_hand = xen_param(XEN_PARAM_STORE_PFN) == 0 || xen_param(XEN_PARAM_STORE_PORT) == 0;
	xen.changes = 0;
	xen.reached = false;
	err = xen.by_hand ? begin_by_hand() : follow_target();
	if (!err)
		err = balloon_attach(&xen_balloon_port, &news);
	xen.attached = !err;
	return err;
}

void xen_balloon_wait_for_first_target(void)
{
	if (xen.attached)
		task_await(&first_waits, &xen.reached, BALLOON_DEADLINE_NS);
}

int xen_balloon_set_target(uint64_t kib)
{
	if (!xen.attached)
		return -ENODEV;
	if (!xen.by_hand)
		return -EBUSY;
	if (kib == 0 || kib > xen.max_kib)
		return -ERANGE;
	xen.target_kib = kib;
	xen.changed = true;
	task_wake(&news);
	return 0;
}

bool xen_balloon_get_target(struct xen_balloon_target *target)
{
	target->max_kib = xen.max_kib;
	target->kib = xen.target_kib;
	return xen.attached;
}
