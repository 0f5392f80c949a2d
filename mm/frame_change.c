/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs of frames: checked as a whole, then changed block by block. */
#include "mm/frame_change.h"

#include <assert.h>
#include <errno.h>

#include "mm/frame_map.h"

/* Changes that were refused. */
static uint64_t refused;

/* Counts the frames from the first on that are `owner`'s, comparing eight at a time. */
static unsigned count_owned(const uint8_t *owners, unsigned count, enum owner owner)
{
	const uint64_t eight = (uint64_t)owner * 0x0101010101010101;
	unsigned n = 0;
	uint64_t word;

	for (; n + sizeof(word) <= count; n += sizeof(word)) {
		__builtin_memcpy(&word, owners + n, sizeof(word));
		if (word != eight)
			break;
	}
	while (n < count && owners[n] == owner)
		n++;
	return n;
}

/* Returns 0 if all the frames are `owner`'s, or why the change is refused. */
static int check_in_block(size_t number, unsigned first, unsigned count, enum owner owner)
{
	const struct frame_record *record = frame_map_record(number);
	const uint8_t *owners;
	unsigned n;

	if (!bitset_test(&frame_map.known, number))
		return owner == OWNER_FREE ? 0 : -EPERM;
	if (record->owner == OWNER_ABSENT)
		return -EINVAL;
	if (record->owner != OWNER_MIXED)
		return record->owner == owner ? 0 : -EPERM;
	owners = frame_map_owner_bytes(number) + first;
	n = count_owned(owners, count, owner);
	if (n == count)
		return 0;
	return owners[n] == OWNER_ABSENT ? -EINVAL : -EPERM;
}

/* The part of a run that lies in its first block. */
struct piece {
	size_t number; /* of the block */
	unsigned first;
	unsigned count;
};

/* Cuts off the first piece; returns false if there is no such block. */
static bool first_piece(pfn_t pfn, size_t count, struct piece *piece)
{
	unsigned first = (unsigned)(pfn % BLOCK_FRAMES);

	piece->first = first;
	piece->count = (unsigned)min_u64(count, BLOCK_FRAMES - first);
	return frame_map_find(pfn, &piece->number);
}

/* Checks every frame of a run; same errors as frame_change_run(). */
static int check_run(pfn_t pfn, size_t count, enum owner owner)
{
	struct piece piece;
	int err = 0;

	if (count == 0 || pfn + count < pfn)
		return -EINVAL;
	for (; count > 0 && !err; pfn += piece.count, count -= piece.count) {
		if (!first_piece(pfn, count, &piece))
			return -EINVAL;
		err = check_in_block(piece.number, piece.first, piece.count, owner);
	}
	return err;
}

/* Checks and changes a run within one block, which most runs are. */
static int change_in_block(pfn_t pfn, unsigned count, enum owner from, enum owner to)
{
	unsigned first = (unsigned)(pfn % BLOCK_FRAMES);
	size_t number;
	int err;

	if (!frame_map_find(pfn, &number))
		return -EINVAL;
	err = check_in_block(number, first, count, from);
	if (!err)
		frame_map_change(number, first, count, from, to);
	return err;
}

/* Checks, then changes, a run over any number of blocks. */
static int change_in_blocks(pfn_t pfn, size_t count, enum owner from, enum owner to)
{
	struct piece piece;
	int err = check_run(pfn, count, from);

	for (; !err && count > 0; pfn += piece.count, count -= piece.count) {
		bool found = first_piece(pfn, count, &piece);

		assert(found);
		frame_map_change(piece.number, piece.first, piece.count, from, to);
	}
	return err;
}

int frame_change_run(pfn_t pfn, size_t count, enum owner from, enum owner to)
{
	int err;

	if (count > 0 && count <= BLOCK_FRAMES - pfn % BLOCK_FRAMES)
		err = change_in_block(pfn, (unsigned)count, from, to);
	else
		err = change_in_blocks(pfn, count, from, to);
	if (err)
		refused++;
	return err;
}

uint64_t frame_change_refused(void)
{
	return refused;
}

void frame_change_forget(void)
{
	refused = 0;
}
