/* SPDX-License-Identifier: BSD-2-Clause */
/* The table; see hyperv_lies.h. */
#include "tests/unit/drivers/balloon/port/hyperv_lies.h"

#include <string.h>

#define ALL_KINDS (HYPERV_BIT(HYPERV_KINDS) - 1)

#define AT_START HYPERV_STEP_BIT(HYPERV_STEP_START)
#define AT_TAKE HYPERV_STEP_BIT(HYPERV_STEP_TAKE)
#define AT_GIVE HYPERV_STEP_BIT(HYPERV_STEP_GIVE)
#define AT_ADD HYPERV_STEP_BIT(HYPERV_STEP_ADD)

static struct hyperv_lie *lie(void)
{
	return &hyperv_control()->lie;
}

/* ---- Messages: a variant a kind ---- */

static void is_silent(unsigned variant)
{
	lie()->silent = HYPERV_BIT(variant);
}

static void is_silent_at_all(unsigned variant)
{
	(void)variant;
	lie()->silent = ALL_KINDS;
}

static void refuses(unsigned variant)
{
	lie()->refused = HYPERV_BIT(variant);
}

static void says_it_twice(unsigned variant)
{
	lie()->twice = HYPERV_BIT(variant);
}

static void says_what_nobody_knows(unsigned variant)
{
	lie()->unknown = HYPERV_BIT(variant);
}

static void speaks_of_others(unsigned variant)
{
	lie()->foreign = HYPERV_BIT(variant);
}

static const uint32_t cuts[] = { 0, 4, 8, 12, 15, 16, 20 };

static void cuts_short(unsigned variant)
{
	lie()->cut = HYPERV_BIT(variant / ARRAY_SIZE(cuts));
	lie()->cut_bytes = cuts[variant % ARRAY_SIZE(cuts)];
}

static const uint32_t sizes[] = { 0, 1, 7, 8, 9, 15, 17, 4096, 65535 };

static void lies_about_sizes(unsigned variant)
{
	lie()->sized = ALL_KINDS;
	lie()->size_value = sizes[variant];
}

/* ---- Channels ---- */

static void withdraws_at(unsigned variant)
{
	lie()->rescind_at = (uint32_t)hyperv_control()->seen.said + variant + 1;
}

static void tears_down_at(unsigned variant)
{
	lie()->torn_down_at = (uint32_t)hyperv_control()->seen.said + variant + 1;
}

/* ---- Rings ---- */

static const uint32_t values[] = {
	0,    1,     4,	    7,	   8,	  16,	      24,	  4095,
	4096, 28664, 28672, 28680, 65535, 0x7fffffff, 0xfffffff8, UINT32_MAX,
};

static void breaks_the_ring(unsigned variant)
{
	lie()->ring_value = values[variant % ARRAY_SIZE(values)];
	lie()->ring = 1u << variant / ARRAY_SIZE(values);
}

static void never_reads(unsigned variant)
{
	(void)variant;
	lie()->unread = 1;
}

/* ---- Interrupts and hypercalls ---- */

static void never_interrupts(unsigned variant)
{
	(void)variant;
	lie()->no_interrupts = 1;
}

static void storms(unsigned variant)
{
	(void)variant;
	lie()->storm = 1000;
}

static void hears_no_eom(unsigned variant)
{
	(void)variant;
	lie()->no_eom = 1;
}

static void takes_no_messages(unsigned variant)
{
	static const uint32_t statuses[] = { 2, 3, 5, 6, 0x12, 0xffff };

	lie()->post_status = statuses[variant];
}

static void is_busy_for_ever(unsigned variant)
{
	(void)variant;
	lie()->post_busy = 1;
}

static void takes_no_signals(unsigned variant)
{
	static const uint32_t statuses[] = { 2, 0x12, 0x13 };

	lie()->signal_status = statuses[variant];
}

static void takes_no_hints(unsigned variant)
{
	(void)variant;
	lie()->hint_status = 6;
}

/* ---- Dynamic memory ---- */

static void gives_back_wrong_ranges(unsigned variant)
{
	lie()->ranges = 1u << variant;
}

static void says_that_more_ranges_follow(unsigned variant)
{
	(void)variant;
	lie()->ranges = HYPERV_RANGE_MORE;
}

static void does_not_wait(unsigned variant)
{
	(void)variant;
	lie()->impatient = 1;
}

static void asks_for(unsigned variant)
{
	static const uint32_t pages[] = { 0, 1, 100000, 0x7fffffff, UINT32_MAX };

	lie()->balloon_pages = pages[variant];
	lie()->balloon_count = 4;
}

static void adds_what_is_no_memory(unsigned variant)
{
	static const struct {
		uint64_t first, frames;
	} wrong[] = {
		{ 0, 512 },
		{ HYPERV_WORLD_FIRST, 1024 },
		{ HYPERV_WORLD_FIRST, 511 },
		{ HYPERV_WORLD_FIRST + HYPERV_WORLD_FRAMES - 512, 1024 },
		{ HYPERV_WORLD_FIRST + HYPERV_WORLD_FRAMES + 1, 512 },
		{ HYPERV_WORLD_FIRST + HYPERV_WORLD_FRAMES, 0 },
		{ (UINT64_C(1) << 40) - 512, 1024 },
		{ (UINT64_C(1) << 40) - 1, (1u << 24) - 1 },
	};

	lie()->hot_add_first = wrong[variant].first;
	lie()->hot_add_frames = wrong[variant].frames;
	lie()->hot_add_count = 2;
}

/* ---- What a test pushes: bytes that nobody made up ---- */

static void push(bool packet, const void *bytes, size_t length)
{
	struct hyperv_push *pushed = &hyperv_control()->push;

	memcpy(pushed->bytes, bytes, length);
	pushed->packet = packet;
	pushed->length = (uint32_t)length;
	pushed->number++;
}

static void says_at_random(unsigned variant)
{
	uint32_t seed = variant * 2654435761u + 1;
	uint8_t bytes[240];

	for (size_t i = 0; i < sizeof(bytes); i++) {
		seed = seed * 1664525u + 1013904223u;
		bytes[i] = (uint8_t)(seed >> 24);
	}
	/* A type that there is, in most cases. */
	memset(bytes, 0, 8);
	bytes[0] = (uint8_t)(variant % 23);
	push(variant % 2, bytes, 8 + seed % (sizeof(bytes) - 8));
}

static void unloads_unasked(unsigned variant)
{
	static const uint8_t types[] = { VMBUS_UNLOAD_RESPONSE, VMBUS_ALL_OFFERS };
	uint8_t bytes[8] = { types[variant] };

	push(false, bytes, sizeof(bytes));
}

#define VMBUS_KINDS HYPERV_DM
#define ANSWERS_BREAK AT_START

const struct hyperv_lie_row hyperv_lies[] = {
	{ "silent about one thing", is_silent, HYPERV_PUSHED, 0, false, false, false },
	{ "silent at all", is_silent_at_all, 1, AT_START, false, false, false },
	{ "refuses", refuses, HYPERV_PUSHED, 0, false, false, false },
	{ "says it twice", says_it_twice, HYPERV_PUSHED, 0, false, true, false },
	{ "says what nobody knows", says_what_nobody_knows, HYPERV_PUSHED, 0, false, true, false },
	{ "speaks of others", speaks_of_others, HYPERV_PUSHED, 0, false, true, false },
	{ "cuts short", cuts_short, HYPERV_PUSHED *ARRAY_SIZE(cuts), 0, false, true, false },
	{ "lies about sizes", lies_about_sizes, ARRAY_SIZE(sizes), 0, false, true, false },
	{ "withdraws the channel", withdraws_at, 30, 0, false, false, true },
	{ "tears down memory in use", tears_down_at, 30, 0, false, true, false },
	{ "breaks the ring", breaks_the_ring, 8 * ARRAY_SIZE(values), 0, false, true, false },
	{ "never reads", never_reads, 1, 0, false, false, false },
	{ "never interrupts", never_interrupts, 1, 0, true, false, false },
	{ "storms", storms, 1, 0, true, false, false },
	{ "hears no EOM", hears_no_eom, 1, 0, false, false, false },
	{ "takes no messages", takes_no_messages, 6, 0, false, false, false },
	{ "is busy for ever", is_busy_for_ever, 1, AT_START, false, false, false },
	{ "takes no signals", takes_no_signals, 3, AT_START, false, true, false },
	{ "takes no hints", takes_no_hints, 1, 0, true, false, false },
	{ "gives back wrong ranges", gives_back_wrong_ranges, 7, AT_TAKE, false, true, false },
	{ "says that more ranges follow", says_that_more_ranges_follow, 1, 0, true, true, false },
	{ "does not wait", does_not_wait, 1, 0, true, false, false },
	{ "asks for any number", asks_for, 5, 0, true, false, false },
	{ "adds what is no memory", adds_what_is_no_memory, 8, 0, true, false, false },
	{ "says anything", says_at_random, 200, 0, false, true, false },
	{ "answers what nobody asked", unloads_unasked, 2, 0, true, false, false },
};

const size_t hyperv_lie_count = ARRAY_SIZE(hyperv_lies);
