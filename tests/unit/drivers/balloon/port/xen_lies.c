/* SPDX-License-Identifier: BSD-2-Clause */
/* The table; see xen_lies.h. */
#include "tests/unit/drivers/balloon/port/xen_lies.h"

#include <limits.h>
#include <string.h>

#include "arch/xen.h"

#define STORE_LIES (SIM_XENSTORE_LIES - 1)
#define NODE "memory/target"

static const bool ways[] = { false, true }; /* to give, to populate */

/* ---- Counts ---- */

static long count_one_less(bool populates, uint64_t asked, long done)
{
	(void)populates, (void)asked;
	return done > 0 ? done - 1 : 0;
}

static long count_half(bool populates, uint64_t asked, long done)
{
	(void)populates, (void)asked;
	return done / 2;
}

static long count_none(bool populates, uint64_t asked, long done)
{
	(void)populates, (void)asked, (void)done;
	return 0;
}

static long count_one_more(bool populates, uint64_t asked, long done)
{
	(void)populates, (void)done;
	return (long)asked + 1;
}

static long count_all(bool populates, uint64_t asked, long done)
{
	(void)populates, (void)done;
	return (long)asked;
}

static long count_any(bool populates, uint64_t asked, long done)
{
	static uint32_t seed;

	(void)populates, (void)done;
	seed = seed * 1664525u + 1013904223u;
	return (long)(seed >> 8) % ((long)asked + 6) - 3;
}

static unsigned extreme;

static long count_extreme(bool populates, uint64_t asked, long done)
{
	static const long all[] = { LONG_MAX, LONG_MIN, -1,    -XEN_ENOSYS,
				    -22,      1L << 32, -4096, (1L << 32) + 1 };

	(void)populates, (void)asked, (void)done;
	return all[extreme % ARRAY_SIZE(all)];
}

static void less_than_it_did(unsigned variant)
{
	static long (*const all[])(bool, uint64_t, long) = { count_one_less, count_half,
							     count_none };

	sim_xen.faults.tell = all[variant];
}

static void more_than_asked(unsigned variant)
{
	(void)variant;
	sim_xen.faults.tell = count_one_more;
}

static void extremes(unsigned variant)
{
	extreme = variant;
	sim_xen.faults.tell = count_extreme;
}

static void any_count(unsigned variant)
{
	(void)variant;
	sim_xen.faults.tell = count_any;
}

static void says_all_does_nothing(unsigned variant)
{
	(void)variant;
	sim_xen.faults.tell = count_all;
	for (size_t i = 0; i < 2; i++)
		sim_xen.faults.extents_most[i] = 0;
}

static void an_error_and_nothing_done(unsigned variant)
{
	static const long errors[] = { -1, -12, -22, -XEN_ENOSYS };

	for (size_t i = 0; i < 2; i++)
		sim_xen.faults.error[i] = errors[variant];
}

static void no_memory_operations(unsigned variant)
{
	(void)variant;
	for (size_t i = 0; i < 2; i++)
		sim_xen.faults.no_memory_op[i] = true;
}

/* ---- What it refuses, and loses ---- */

static void stops_after(unsigned variant)
{
	static const uint64_t counts[] = { 0, 1, 2, 3, 511 };

	for (size_t i = 0; i < 2; i++)
		sim_xen.faults.extents_most[i] = counts[variant];
}

static void refuses_every(unsigned variant)
{
	static const unsigned every[] = { 2, 3, 7, 64, 512 };

	for (size_t i = 0; i < 2; i++)
		sim_xen.faults.refuse_every[i] = every[variant];
}

static void never_moves_one(unsigned variant)
{
	static const uint64_t frames[] = { 0, 5, 511, 512, 700, 1023, 2999 };

	for (size_t i = 0; i < 2; i++)
		sim_xen.faults.stubborn[i] = sim_xen.first + frames[variant];
}

static void refuses_blocks(unsigned variant)
{
	sim_xen.faults.no_blocks[ways[variant]] = true;
}

static void has_no_memory(unsigned variant)
{
	sim_xen.host_free = variant * 300;
}

static void does_not_say_what_is_there(unsigned variant)
{
	sim_xen.faults.no_mem_type = true;
	stops_after(variant);
}

static void loses_frames(unsigned variant)
{
	sim_xen.faults.lost_from = sim_xen.first + variant * 500;
	sim_xen.faults.lost_to = sim_xen.faults.lost_from + 700;
}

/* ---- Targets ---- */

static const char *const bad_targets[] = {
	"",
	" ",
	"-1",
	"-24576",
	"+4096",
	"0",
	"0000",
	"0x1000",
	"4096k",
	"4096 ",
	"4096\n",
	"1e4",
	"24577",
	"24576000000",
	"18446744073709551615",
	"18446744073709551616",
	"99999999999999999999999999999999999999999999999999999999999999999999999999999999",
	"00000000000000000000000000000000000000000000000000000000000000000000000000004096",
	/* A target, if it is cut where the copy of it is. */
	"00000000000000000000000000000000000000000000000000000000000409600",
	"\x01\x02\xff",
	"\xd9\xa4\xd9\xa0",
	"%s%n",
	"4096 4096",
	".",
	"no",
};

static void bad_target(unsigned variant)
{
	xen_world_write(bad_targets[variant], false);
}

static void target_with_a_nul(unsigned variant)
{
	(void)variant;
	sim_xenstore_set_bytes(&xen_world.store, NODE, "40\00096", 5);
}

static void target_of_4_kib(unsigned variant)
{
	char text[XENSTORE_PAYLOAD_MAX];

	memset(text, variant ? '\0' : '4', sizeof(text));
	sim_xenstore_set_bytes(&xen_world.store, NODE, text, sizeof(text));
}

static void no_target(unsigned variant)
{
	(void)variant;
	if (sim_xenstore_find(&xen_world.store, NODE))
		sim_xenstore_remove(&xen_world.store, NODE);
}

static void secret_target(unsigned variant)
{
	struct sim_xenstore_node *node = sim_xenstore_find(&xen_world.store, NODE);

	(void)variant;
	if (node)
		node->secret = true;
	sim_xenstore_fire_all(&xen_world.store);
}

static void a_thousand_targets(unsigned variant)
{
	for (uint64_t i = 0; i < 1000; i++)
		xen_world_want(i * 2654435761u % 5000);
	if (variant)
		xen_world_want(0);
}

static void a_thousand_bad_targets(unsigned variant)
{
	(void)variant;
	for (unsigned i = 0; i < 1000; i++)
		bad_target(i % ARRAY_SIZE(bad_targets));
}

static unsigned moves; /* that are left */

static void move_target(uint64_t frames)
{
	if (frames % 97 != 0 || moves == 0)
		return;
	moves--;
	xen_world_want(frames * 7919 % 5000);
}

static void write_nonsense(uint64_t frames)
{
	if (frames % 97 == 0)
		bad_target((unsigned)(frames / 97 % ARRAY_SIZE(bad_targets)));
}

static void target_that_moves_in_mid_batch(unsigned variant)
{
	moves = 100;
	xen_world.on_frame = variant ? write_nonsense : move_target;
}

static void other_static_max(unsigned variant)
{
	static const char *const texts[] = { "1", "49152", "no", "" };

	sim_xenstore_set(&xen_world.store, "memory/static-max", texts[variant]);
}

static void bad_static_max(unsigned variant)
{
	static const char *const texts[] = { "",
					     "0",
					     "-1",
					     "x",
					     "18446744073709551615",
					     "4503599627370496000",
					     "18446744073709551616",
					     "24576 " };

	sim_xenstore_set(&xen_world.store, "memory/static-max", texts[variant]);
}

/* ---- The store ---- */

static void store_lies(unsigned variant)
{
	xen_world.any_target = true;
	xen_world.store.lie = (enum sim_xenstore_lie)(1 + variant % STORE_LIES);
	xen_world.store.honest = (unsigned)xen_world.store.answers + variant / STORE_LIES;
	sim_xenstore_fire_all(&xen_world.store);
}

static void store_stops_anywhere(unsigned variant)
{
	xen_world.store.bytes_left = variant * 7;
	sim_xenstore_fire_all(&xen_world.store);
}

static void store_reads_nothing(unsigned variant)
{
	(void)variant;
	xen_world.store.lie = SIM_XENSTORE_DEAF;
	sim_xenstore_fire_all(&xen_world.store);
}

static void messages_of_nonsense(unsigned variant)
{
	static const char text[] = "memory/target\0memory/target\0more";

	xen_world.any_target = true;
	for (uint32_t id = 0; id < 200; id++)
		sim_xenstore_say(&xen_world.store, variant, id, text, (id * 7) % sizeof(text));
}

static void counts_of_nonsense(unsigned variant)
{
	volatile uint32_t *const counts[] = { &xen_world.store.page->request_cons,
					      &xen_world.store.page->response_prod,
					      &xen_world.store.page->request_prod,
					      &xen_world.store.page->response_cons };

	xen_world.any_target = true;
	*counts[variant % 4] = variant < 4 ? UINT32_MAX - variant : *counts[variant % 4] + 2000;
}

static void no_events(unsigned variant)
{
	(void)variant;
	xen_world.no_events = true;
}

static void late_events(unsigned variant)
{
	static const uint64_t pauses[] = { NS_PER_MS, 100 * NS_PER_MS, 900 * NS_PER_MS };

	xen_world.pause_ns = pauses[variant];
	xen_world.slow = true;
}

static void events_by_thousands(unsigned variant)
{
	(void)variant;
	xen_world.store.events_first = 40;
	xen_world.pause_ns = 20 * NS_PER_MS;
	for (unsigned i = 0; i < 5000; i++)
		sim_xenstore_fire_all(&xen_world.store);
}

static void fire_at_each_frame(uint64_t frames)
{
	(void)frames;
	sim_xenstore_fire_all(&xen_world.store);
}

static void events_in_mid_call(unsigned variant)
{
	(void)variant;
	xen_world.on_frame = fire_at_each_frame;
}

static void one_byte_at_a_time(unsigned variant)
{
	(void)variant;
	xen_world.store.piece = 1;
}

/* clang-format off */
const struct xen_lie xen_lies[] = {
	{ "it counts less than it did",			less_than_it_did, .variants = 3,
	  .in_call = true, .must_go_on = true, .each_domain = true },
	{ "it counts one more than it was asked for",	more_than_asked,
	  .in_call = true, .must_break = true, .each_domain = true },
	{ "its count is below zero, or as high as can be", extremes, .variants = 8,
	  .in_call = true, .must_break = true, .each_domain = true },
	{ "its count is any",				any_count,
	  .in_call = true, .blind = true, .each_domain = true },
	{ "it counts all, and does nothing",		says_all_does_nothing,
	  .blind = true, .must_go_on = true, .each_domain = true },
	{ "it says an error, and does nothing",		an_error_and_nothing_done, .variants = 4,
	  .must_break = true, .each_domain = true },
	{ "its memory operations are gone",		no_memory_operations,
	  .must_break = true, .each_domain = true },
	{ "it ends each list after so many",		stops_after, .variants = 5,
	  .in_call = true, .must_go_on = true, .each_domain = true },
	{ "it refuses now and then",			refuses_every, .variants = 5,
	  .in_call = true, .must_go_on = true, .each_domain = true },
	{ "there is a frame that it never moves",	never_moves_one, .variants = 7,
	  .in_call = true, .must_go_on = true, .each_domain = true },
	{ "it refuses blocks",				refuses_blocks, .variants = 2,
	  .in_call = true, .must_go_on = true, .each_domain = true },
	{ "it has no memory, or little",		has_no_memory, .variants = 4,
	  .in_call = true, .must_go_on = true, .each_domain = true },
	{ "it does not say what is there",		does_not_say_what_is_there, .variants = 5,
	  .in_call = true, .blind = true, .must_go_on = true, .each_domain = true },
	{ "frames are said to move, and do not",	loses_frames, .variants = 6,
	  .in_call = true, .blind = true, .must_go_on = true, .each_domain = true },

	{ "the target is no number, or none that can be", bad_target,
	  .variants = ARRAY_SIZE(bad_targets), .in_call = true, .must_go_on = true },
	{ "the target has a NUL in it",			target_with_a_nul, .must_go_on = true },
	{ "the target has 4 KiB",			target_of_4_kib, .variants = 2,
	  .must_go_on = true },
	{ "the target is gone",				no_target,
	  .in_call = true, .must_go_on = true },
	{ "the target may not be read",			secret_target,
	  .in_call = true, .must_go_on = true },
	{ "a thousand targets come at once",		a_thousand_targets, .variants = 2,
	  .in_call = true, .must_go_on = true },
	{ "a thousand targets of nonsense come at once", a_thousand_bad_targets,
	  .in_call = true, .must_go_on = true },
	{ "the target moves in mid-batch",		target_that_moves_in_mid_batch,
	  .variants = 2, .must_go_on = true },
	{ "memory/static-max changes",			other_static_max, .variants = 4,
	  .only = XEN_AFTER_START, .must_go_on = true },
	{ "memory/static-max is nonsense",		bad_static_max, .variants = 8,
	  .only = 1u << XEN_STEP_START, .must_go_on = true },

	{ "the store lies, now or a little later",	store_lies, .variants = 3 * STORE_LIES,
	  .in_call = true },
	{ "the store stops anywhere, and goes on later", store_stops_anywhere, .variants = 40,
	  .must_go_on = true },
	{ "the store reads nothing for a while",	store_reads_nothing, .in_call = true,
	  .must_go_on = true },
	{ "the store sends messages of nonsense",	messages_of_nonsense, .variants = 24 },
	{ "the store's counts are nonsense",		counts_of_nonsense, .variants = 8,
	  .in_call = true },
	{ "the domain is never interrupted",		no_events, .must_go_on = true },
	{ "events and answers come late",		late_events, .variants = 3,
	  .must_go_on = true },
	{ "events come by thousands",			events_by_thousands,
	  .in_call = true, .must_go_on = true },
	{ "events come at each frame that moves",	events_in_mid_call, .must_go_on = true },
	{ "the store moves a byte at a time",		one_byte_at_a_time, .must_go_on = true },
};
/* clang-format on */
const size_t xen_lie_count = ARRAY_SIZE(xen_lies);
