/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is in the way of memory that is to leave. Blocks that are one owner's take a step
 * each; of those that are several's only some are counted, as nobody shall wait for it.
 */
#include <inttypes.h>
#include <stdio.h>

#include "drivers/mem/dimm_internal.h"
#include "mm/frame.h"

/* So many blocks are counted frame by frame. */
#define MIXED_MAX 128

struct users {
	uint64_t frames[OWNER_COUNT];
	unsigned mixed; /* blocks that were counted frame by frame */
	bool more;	/* and some that were not */
};

static void count_mixed(pfn_t pfn, struct users *users)
{
	if (users->mixed == MIXED_MAX) {
		users->more = true;
		return;
	}
	users->mixed++;
	for (unsigned i = 0; i < BLOCK_FRAMES; i++)
		users->frames[frame_owner(pfn + i)]++;
}

/* Counts a block, or some that are one owner's; returns how many. */
static size_t count_blocks(pfn_t pfn, size_t max, struct users *users)
{
	const struct frame_region_part block = { .start = pfn, .blocks = 1, .unit = 1 };
	enum owner owner = frame_owner(pfn);
	size_t n = 0;

	if (owner == OWNER_ABSENT || frame_region_removable(&block) > 0)
		return 1;
	if (owner_is_allocated(owner))
		n = frame_count_blocks(pfn, max, owner);
	if (n == 0) {
		count_mixed(pfn, users);
		return 1;
	}
	users->frames[owner] += n * BLOCK_FRAMES;
	return n;
}

static void write_list(const struct users *users, char text[DIMM_USERS_MAX])
{
	size_t length = 0;

	text[0] = '\0';
	for (unsigned o = OWNER_FREE + 1; o < OWNER_COUNT && length < DIMM_USERS_MAX; o++) {
		uint64_t frames = users->frames[o];
		const char *before = length > 0 ? ", " : users->more ? "at least " : "";
		const char *what = length > 0 ? "" : frames == 1 ? " frame" : " frames";

		if (frames == 0)
			continue;
		length += (size_t)snprintf(text + length, DIMM_USERS_MAX - length,
					   "%s%" PRIu64 "%s of %s", before, frames, what,
					   owner_name((enum owner)o));
	}
}

bool dimm_list_users(const struct frame_region_part *part, char text[DIMM_USERS_MAX])
{
	pfn_t end = frame_region_part_end(part), pfn = part->start;
	struct users users = { 0 };

	while (pfn < end)
		pfn += BLOCK_FRAMES *
		       count_blocks(pfn, (size_t)((end - pfn) / BLOCK_FRAMES), &users);
	users.frames[OWNER_BALLOON] = 0;
	users.frames[OWNER_BALLOON_2] = 0;
	users.frames[OWNER_UNPLUGGED] = 0;
	write_list(&users, text);
	return text[0] != '\0';
}
