/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xen_check: asks Xen for what no driver should ask for, and compares each answer with that of
 * the Xen that the balloon was written for. Errors are rare among them: Xen does what it can of
 * a list and counts that, and an answer that has become another one is what a driver stumbles
 * over.
 *
 * All frames are its own: two blocks that lie together. In the end they are all there again, and
 * hold what is written into them; a frame that does not come back belongs to the host for good.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arch/phys_map.h"
#include "drivers/xen/xen.h"
#include "kernel/lib/command.h"
#include "kernel/task/task.h"
#include "mm/frame.h"

/* Frames between two turns of others. */
#define TURN 64

#define RUN_ORDER (BLOCK_ORDER + 1)
#define RUN_FRAMES ((size_t)1 << RUN_ORDER)
#define SINGLE 0
#define HUGE_ORDER 30

/* Where no frame of the guest's is: registers of the local APIC, and beyond all RAM. */
#define APIC_PFN ((pfn_t)0xfee00)
#define FAR_PFN ((pfn_t)1 << 40)

/* No domain, and no number of an operation. */
#define NO_DOMID 0x7fee
#define NO_MEMORY_OP 60

#define LIST 8
#define BAD_PLACE 4

static struct {
	pfn_t first; /* of the run */
	bool given[RUN_FRAMES];
	bool replaced[RUN_FRAMES]; /* populated: it holds what somebody has left in it */
	long paid_twice;	   /* frames that Xen counts and that are nowhere */
} check;

/* ---- Asking ---- */

static void note_frame(pfn_t pfn, bool gives)
{
	size_t at = pfn - check.first;

	if (at >= RUN_FRAMES)
		return;
	if (!gives && !check.given[at])
		check.paid_twice++;
	check.given[at] = gives;
	check.replaced[at] = check.replaced[at] || !gives;
}

/* Notes what Xen has done, as far as it is about the run. */
static void note(const pfn_t *extents, size_t done, unsigned order, bool gives)
{
	for (size_t i = 0; i < done; i++)
		for (pfn_t k = 0; k < (pfn_t)1 << order; k++)
			note_frame(extents[i] + k, gives);
}

static long ask(enum xen_memory_command command, const pfn_t *extents, size_t count, unsigned order)
{
	long done = xen_change_reservation(command, extents, count, order);

	if (done > 0)
		note(extents, min_u64((uint64_t)done, count), order,
		     command == XEN_MEMORY_DECREASE_RESERVATION);
	return done;
}

static long give(pfn_t pfn, unsigned order)
{
	return ask(XEN_MEMORY_DECREASE_RESERVATION, &pfn, 1, order);
}

static long populate(pfn_t pfn, unsigned order)
{
	return ask(XEN_MEMORY_POPULATE_PHYSMAP, &pfn, 1, order);
}

/* ---- The requests, each after those before ---- */

static long give_a_frame(void)
{
	return give(check.first + BAD_PLACE, SINGLE);
}

static long give_a_list(void)
{
	pfn_t list[LIST];

	for (size_t i = 0; i < LIST; i++)
		list[i] = check.first + i;
	return ask(XEN_MEMORY_DECREASE_RESERVATION, list, LIST, SINGLE);
}

static long populate_that_list(void)
{
	pfn_t list[BAD_PLACE + 1];

	for (size_t i = 0; i < ARRAY_SIZE(list); i++)
		list[i] = check.first + i;
	return ask(XEN_MEMORY_POPULATE_PHYSMAP, list, ARRAY_SIZE(list), SINGLE);
}

static long give_nothing(void)
{
	return ask(XEN_MEMORY_DECREASE_RESERVATION, &check.first, 0, SINGLE);
}

static long give_registers(void)
{
	return give(APIC_PFN, SINGLE);
}

static long give_far(void)
{
	return give(FAR_PFN, SINGLE);
}

/* Above what any domain may ask for; the first one may for 1 GiB, and loses it. */
static long give_four_tib(void)
{
	return give(check.first, HUGE_ORDER);
}

/* What xen_change_reservation() would not ask. */
static long give_as(uint64_t extents, uint16_t domid)
{
	struct xen_memory_reservation request = { .extents = extents, .count = 1, .domid = domid };

	return xen_hypercall(XEN_MEMORY_OP, XEN_MEMORY_DECREASE_RESERVATION, (uintptr_t)&request,
			     0);
}

static long give_of_nobody(void)
{
	return give_as((uintptr_t)&check.first, NO_DOMID);
}

/* Page 0 is not mapped. */
static long give_unreadable_list(void)
{
	return give_as(0, XEN_DOMID_SELF);
}

static long ask_unknown_operation(void)
{
	return xen_hypercall(XEN_MEMORY_OP, NO_MEMORY_OP, (uintptr_t)&check, 0);
}

static long give_a_block(void)
{
	return give(check.first, BLOCK_ORDER);
}

static long populate_that_block(void)
{
	return populate(check.first, BLOCK_ORDER);
}

static long give_an_unaligned_block(void)
{
	return give(check.first + 1, BLOCK_ORDER);
}

static long give_its_last_frame(void)
{
	return give(check.first + BLOCK_FRAMES, SINGLE);
}

/* There is room for it under the domain's limit: a block was given. */
static long populate_a_frame_that_is_there(void)
{
	return populate(check.first, SINGLE);
}

static const struct odd_request {
	const char *asked;
	long (*ask)(void);
	long expected;
} odd_requests[] = {
	{ "give a frame", give_a_frame, 1 },
	{ "give it again", give_a_frame, 0 },
	{ "give a list of 8, of which the fifth is given", give_a_list, BAD_PLACE },
	{ "populate those five", populate_that_list, BAD_PLACE + 1 },
	{ "give a list of none", give_nothing, 0 },
	{ "give the local APIC's registers", give_registers, 0 },
	{ "give frame 2^40", give_far, 0 },
	{ "give 4 TiB in one extent", give_four_tib, 0 },
	{ "give for a domain that is not there", give_of_nobody, 0 },
	{ "give a list at address 0", give_unreadable_list, 0 },
	{ "ask for an unknown operation", ask_unknown_operation, -XEN_ENOSYS },
	{ "give a block", give_a_block, 1 },
	{ "populate that block", populate_that_block, 1 },
	{ "give a block that is not aligned", give_an_unaligned_block, 1 },
	{ "give a frame of it", give_its_last_frame, 0 },
	{ "populate a frame that is there", populate_a_frame_that_is_there, 1 },
};

/* ---- What the frames hold ---- */

#define WORDS (FRAME_SIZE / sizeof(uint64_t))
#define SALT_BEFORE (UINT64_C(0xb4) << 56)
#define SALT_AFTER (UINT64_C(0xaf) << 56)

static uint64_t *words_of(size_t frame)
{
	return phys_to_virt(pfn_to_paddr(check.first + frame));
}

/* No two words of the run are alike, and none is 0. */
static uint64_t pattern(size_t frame, size_t word, uint64_t salt)
{
	return salt | (frame * WORDS + word);
}

static void fill(size_t frame, uint64_t salt)
{
	for (size_t w = 0; w < WORDS; w++)
		words_of(frame)[w] = pattern(frame, w, salt);
}

static bool holds(size_t frame, uint64_t salt)
{
	for (size_t w = 0; w < WORDS; w++)
		if (words_of(frame)[w] != pattern(frame, w, salt))
			return false;
	return true;
}

/* Counts frames that Xen never had and that hold something else; in the others is anything. */
static size_t count_changed(void)
{
	size_t changed = 0;

	for (size_t i = 0; i < RUN_FRAMES; i++)
		if (!check.replaced[i] && !check.given[i] && !holds(i, SALT_BEFORE))
			changed++;
	return changed;
}

/* Writes to all of them first: a frame that two addresses lead to holds the later one's. */
static size_t count_useless(void)
{
	size_t useless = 0;

	for (size_t i = 0; i < RUN_FRAMES; i++)
		if (!check.given[i])
			fill(i, SALT_AFTER);
	for (size_t i = 0; i < RUN_FRAMES; i++)
		if (!check.given[i] && !holds(i, SALT_AFTER))
			useless++;
	return useless;
}

/* ---- The end ---- */

/* Has all frames of the run back, as far as they come; returns how many do not. */
static size_t populate_all(void)
{
	size_t missing = 0;

	for (size_t i = 0; i < RUN_FRAMES; i++) {
		if (check.given[i] && populate(check.first + i, SINGLE) != 1)
			missing++;
		if (i % TURN == 0)
			task_yield();
	}
	return missing;
}

/* Frees the run. What the host keeps is nobody's any more. */
static size_t free_run(void)
{
	size_t refused = 0;

	for (size_t i = 0; i < RUN_FRAMES; i++)
		if (check.given[i])
			refused += frame_change_owner(check.first + i, 1, OWNER_HELD,
						      OWNER_UNPLUGGED) != 0;
		else
			refused += frame_free(check.first + i, 1, OWNER_HELD) != 0;
	return refused;
}

/* Prints a line of the table; returns whether the answer is another one. */
static bool print_answer(const char *asked, long answer, long expected)
{
	printf("%-48s %6ld %8ld%s\n", asked, answer, expected,
	       answer == expected ? "" : "  another answer");
	return answer != expected;
}

static unsigned ask_all(void)
{
	unsigned different = 0;

	printf("%-48s %6s %8s\n", "Asked", "Answer", "Expected");
	for (size_t i = 0; i < ARRAY_SIZE(odd_requests); i++)
		different += print_answer(odd_requests[i].asked, odd_requests[i].ask(),
					  odd_requests[i].expected);
	return different;
}

static unsigned look_afterwards(long frames_before)
{
	unsigned different = print_answer("frames that do not come back", (long)populate_all(), 0);

	different += print_answer("other frames that have changed", (long)count_changed(), 0);
	different += print_answer("frames that do not hold what is written", (long)count_useless(),
				  0);
	different += print_answer("frames that Xen counts more than before",
				  xen_current_frames() - frames_before, check.paid_twice);
	return different +
	       print_answer("frames that the ledger does not take", (long)free_run(), 0);
}

static int check_all(void)
{
	unsigned different;
	long before;

	memset(&check, 0, sizeof(check));
	if (frame_alloc(RUN_ORDER, OWNER_HELD, &check.first)) {
		printf("xen_check: 4 MiB of memory that lie together are needed, and not free\n");
		return -ENOMEM;
	}
	for (size_t i = 0; i < RUN_FRAMES; i++)
		fill(i, SALT_BEFORE);
	before = xen_current_frames();
	different = ask_all();
	different += look_afterwards(before);
	if (different > 0)
		printf("xen_check: %u answers are not those of the Xen that is known\n", different);
	return different > 0 ? -EIO : 0;
}

static int cmd_xen_check(int argc, char **argv)
{
	(void)argv;
	if (argc != 1)
		return -EINVAL;
	if (!xen_is_there()) {
		printf("xen_check: this is no domain of Xen's\n");
		return -ENODEV;
	}
	return check_all();
}
COMMAND("xen_check", "", "ask Xen for what no driver should, and compare",
	"With 4 MiB of free memory, which are free again afterwards. Xen counts a frame\n"
	"more for this domain then: one was populated twice.",
	cmd_xen_check);
