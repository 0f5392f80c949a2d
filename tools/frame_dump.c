/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the frame map and the balloon's state in a dump, checks what leads to
 * them, and reads the counters: see frame_dump.h.
 */
#include "tools/frame_dump.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/dump_root.h"
#include "tools/frame_dump_internal.h"

/* More than the 52 bits of a physical address reach. */
#define BLOCKS_MAX ((uint64_t)1 << (52 - BLOCK_SHIFT))
#define SPANS_MAX 1024

int frame_dump_read(const struct frame_dump_reader *dump, uint64_t array, uint64_t first,
		    size_t size, size_t count, void *to, const char *what,
		    char error[CORE_ERROR_MAX])
{
	assert(size > 0 && what);
	return dump_read(dump->core, array, first, size, count, to, what, error);
}

/* ---- The map ---- */

static int check_layout(const struct frame_dump *layout, char error[CORE_ERROR_MAX])
{
	if (layout->frame_shift != FRAME_SHIFT || layout->block_order != BLOCK_ORDER)
		return dump_fail(error, -EINVAL,
				 "damaged: frames of 2^%" PRIu32 " bytes, blocks of 2^%" PRIu32
				 " frames",
				 layout->frame_shift, layout->block_order);
	if (layout->owner_count > DUMP_OWNERS_MAX || layout->owner_free >= layout->owner_count ||
	    layout->owner_absent >= layout->owner_count ||
	    layout->owner_free == layout->owner_absent)
		return dump_fail(error, -EINVAL,
				 "damaged: %" PRIu32 " owners, free is number %" PRIu32
				 ", absent %" PRIu32,
				 layout->owner_count, layout->owner_free, layout->owner_absent);
	if (layout->owner_mixed < layout->owner_count || layout->order_none <= BLOCK_ORDER)
		return dump_fail(error, -EINVAL,
				 "damaged: %" PRIu32 " stands for mixed owners, %" PRIu32
				 " for no order",
				 layout->owner_mixed, layout->order_none);
	if (layout->section_blocks == 0)
		return dump_fail(error, -EINVAL, "damaged: sections without blocks");
	return 0;
}

static int read_names(struct frame_dump_reader *dump, char error[CORE_ERROR_MAX])
{
	uint32_t count = dump->layout.owner_count;
	int err = frame_dump_read(dump, dump->layout.names, 0, FRAME_DUMP_NAME, count, dump->names,
				  "the table of owners", error);

	for (uint32_t o = 0; o < count && !err; o++)
		if (!dump->names[o][0] || !dump_is_name(dump->names[o], FRAME_DUMP_NAME))
			err = dump_fail(error, -EINVAL,
					"damaged: owner %" PRIu32 " has no sane name", o);
	return err;
}

/* A field of struct frame_map. */
static int read_field(const struct frame_dump_reader *dump, uint64_t offset, uint64_t *to,
		      char error[CORE_ERROR_MAX])
{
	return frame_dump_read(dump, dump->layout.map, offset, 1, sizeof(*to), to, "the frame map",
			       error);
}

static int read_fields(struct frame_dump_reader *dump, char error[CORE_ERROR_MAX])
{
	const struct frame_dump *layout = &dump->layout;
	const struct {
		uint32_t offset;
		uint64_t *to;
	} fields[] = {
		{ layout->blocks, &dump->blocks },
		{ layout->span_count, &dump->span_count },
		{ layout->known, &dump->known },
		{ layout->block, &dump->block },
		{ layout->free, &dump->free },
		{ layout->owner, &dump->owner },
		{ layout->managed, &dump->managed },
		{ layout->boot, &dump->boot },
		{ layout->sections, &dump->sections },
		{ layout->section_count, &dump->section_count },
		{ layout->region_free, &dump->region_free },
	};
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(fields) && !err; i++)
		err = read_field(dump, fields[i].offset, fields[i].to, error);
	return err;
}

/* Arrays of such fields, whose elements are `stride` bytes apart. */
static int read_arrays(struct frame_dump_reader *dump, char error[CORE_ERROR_MAX])
{
	const struct frame_dump *layout = &dump->layout;
	uint32_t owners = layout->owner_count;
	const struct {
		uint32_t offset, stride;
		size_t count;
		uint64_t *to;
	} arrays[] = {
		{ layout->owned, layout->set_stride, owners, dump->owned },
		{ layout->by_order, layout->set_stride, ARRAY_SIZE(dump->by_order),
		  dump->by_order },
		{ layout->count, sizeof(uint64_t), owners, dump->count },
		{ layout->free_by_order, sizeof(uint64_t), ARRAY_SIZE(dump->free_by_order),
		  dump->free_by_order },
	};
	int err = 0;

	for (size_t a = 0; a < ARRAY_SIZE(arrays); a++)
		for (size_t i = 0; i < arrays[a].count && !err; i++)
			err = read_field(dump, arrays[a].offset + (uint64_t)i * arrays[a].stride,
					 arrays[a].to + i, error);
	return err;
}

static int read_map(struct frame_dump_reader *dump, char error[CORE_ERROR_MAX])
{
	int err = read_fields(dump, error);

	if (!err)
		err = read_arrays(dump, error);
	if (!err && dump->blocks == 0)
		err = dump_fail(error, -EINVAL, "of a guest that had not set up its memory yet");
	if (!err && dump->blocks > BLOCKS_MAX)
		err = dump_fail(error, -EINVAL, "damaged: %" PRIu64 " blocks of 2 MiB",
				dump->blocks);
	return err;
}

/* The blocks that came later are those of the sections. */
static int check_sections(const struct frame_dump_reader *dump, char error[CORE_ERROR_MAX])
{
	uint64_t later = dump->blocks - dump->boot, size = dump->layout.section_blocks;

	if (dump->boot > dump->blocks)
		return dump_fail(error, -EINVAL,
				 "damaged: %" PRIu64 " blocks, of which %" PRIu64
				 " were there at boot",
				 dump->blocks, dump->boot);
	if (dump->section_count != later / size + (later % size != 0))
		return dump_fail(error, -EINVAL,
				 "damaged: %" PRIu64 " sections for %" PRIu64 " blocks",
				 dump->section_count, later);
	return 0;
}

/* Spans ascend, do not overlap, and number all the blocks without a gap. */
static int check_spans(const struct frame_dump_reader *dump, char error[CORE_ERROR_MAX])
{
	uint64_t blocks = 0;
	pfn_t end = 0;

	for (size_t i = 0; i < dump->span_count; i++) {
		const struct frame_dump_span *span = &dump->span[i];

		if (span->start < end || span->start % BLOCK_FRAMES != 0 || span->first != blocks ||
		    span->blocks == 0 || span->blocks > dump->blocks - blocks ||
		    span->start > BLOCKS_MAX * BLOCK_FRAMES)
			return dump_fail(error, -EINVAL,
					 "damaged: span %zu of memory, frame %#" PRIx64
					 ", block %" PRIu64 ", %" PRIu64 " blocks",
					 i, span->start, span->first, span->blocks);
		blocks += span->blocks;
		end = span->start + span->blocks * BLOCK_FRAMES;
	}
	if (blocks != dump->blocks)
		return dump_fail(error, -EINVAL,
				 "damaged: spans of %" PRIu64 " blocks, the map has %" PRIu64,
				 blocks, dump->blocks);
	return 0;
}

static int read_spans(struct frame_dump_reader *dump, char error[CORE_ERROR_MAX])
{
	int err;

	if (dump->span_count > dump->layout.span_max || dump->span_count > SPANS_MAX)
		return dump_fail(error, -EINVAL, "damaged: %" PRIu64 " spans of memory",
				 dump->span_count);
	dump->span = calloc((size_t)dump->span_count + 1, sizeof(*dump->span));
	if (!dump->span)
		return dump_fail(error, -ENOMEM, "out of memory");
	err = frame_dump_read(dump, dump->layout.map, dump->layout.spans, 1,
			      (size_t)dump->span_count * sizeof(*dump->span), dump->span,
			      "the frame map", error);
	return err ? err : check_spans(dump, error);
}

/* Whether an owner can be that of a balloon, and is so once: it would be counted twice. */
static bool is_balloons(const struct frame_dump_reader *dump, uint32_t owner)
{
	const struct balloon_dump *balloon = &dump->balloon;
	unsigned times = 0;

	for (uint32_t i = 0; i < balloon->balloon_count; i++) {
		times += balloon->owner_balloon[i] == owner;
		times += balloon->owner_leaving[i] == owner;
	}
	return times == 1 && owner < dump->layout.owner_count && owner != dump->layout.owner_free &&
	       owner != dump->layout.owner_absent && owner != balloon->owner_in_flight;
}

static int check_balloon(const struct frame_dump_reader *dump, char error[CORE_ERROR_MAX])
{
	const struct balloon_dump *balloon = &dump->balloon;
	uint32_t owners = dump->layout.owner_count;

	if (balloon->balloon_count > BALLOON_DUMP_BALLOONS)
		return dump_fail(error, -EINVAL, "damaged: %" PRIu32 " balloons",
				 balloon->balloon_count);
	if (balloon->owner_in_flight >= owners)
		return dump_fail(error, -EINVAL,
				 "damaged: owner %" PRIu32 " of %" PRIu32 " is in-flight",
				 balloon->owner_in_flight, owners);
	for (uint32_t i = 0; i < balloon->balloon_count; i++)
		if (!is_balloons(dump, balloon->owner_balloon[i]) ||
		    !is_balloons(dump, balloon->owner_leaving[i]))
			return dump_fail(error, -EINVAL,
					 "damaged: a balloon is owner %" PRIu32 ", %" PRIu32
					 " of %" PRIu32,
					 balloon->owner_balloon[i], balloon->owner_leaving[i],
					 owners);
	return 0;
}

/* It is printed, into JSON too: nothing else than what a version is made of. */
static int check_release(const char release[DUMP_RELEASE_MAX], char error[CORE_ERROR_MAX])
{
	static const char fit[] = "0123456789.+~-abcdefghijklmnopqrstuvwxyz";
	size_t length = strnlen(release, DUMP_RELEASE_MAX);

	if (length > 0 && length < DUMP_RELEASE_MAX && strspn(release, fit) == length)
		return 0;
	return dump_fail(error, -EINVAL, "damaged: its version is no version");
}

static int read_paging(struct frame_dump_reader *dump, char error[CORE_ERROR_MAX])
{
	const struct {
		uint32_t offset;
		uint64_t *level;
	} levels[] = {
		{ dump->vm.cached, &dump->paging.cached },
		{ dump->vm.dirty, &dump->paging.dirty },
		{ dump->vm.anonymous, &dump->paging.anonymous },
		{ dump->vm.swapped, &dump->paging.swapped },
		{ dump->vm.swap_total, &dump->paging.swap_total },
		{ dump->vm.reserve, &dump->paging.reserve },
	};
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(levels) && !err; i++)
		err = frame_dump_read(dump, dump->vm.events, levels[i].offset, 1,
				      sizeof(*levels[i].level), levels[i].level,
				      "the books on memory pressure", error);
	if (err)
		return err;
	if (dump->paging.dirty > dump->paging.cached)
		return dump_fail(error, -EINVAL, "damaged: more pages are dirty than cached");
	if (dump->paging.swapped > dump->paging.swap_total)
		return dump_fail(error, -EINVAL, "damaged: more is swapped than there is swap");
	return 0;
}

static int read_dump(struct frame_dump_reader *dump, char error[CORE_ERROR_MAX])
{
	struct dump_root root;
	int err = dump_read_root(dump->core, &root, error);

	if (!err)
		err = check_release(root.release, error);
	if (!err)
		memcpy(dump->release, root.release, sizeof(dump->release));
	if (!err)
		err = dump_read_part(dump->core, "frame map", root.frames, FRAME_DUMP_VERSION,
				     &dump->layout, sizeof(dump->layout), error);
	if (!err)
		err = dump_read_part(dump->core, "balloon", root.balloon, BALLOON_DUMP_VERSION,
				     &dump->balloon, sizeof(dump->balloon), error);
	if (!err)
		err = dump_read_part(dump->core, "memory pressure", root.vm, VM_DUMP_VERSION,
				     &dump->vm, sizeof(dump->vm), error);
	if (!err)
		err = read_paging(dump, error);
	if (!err)
		err = check_layout(&dump->layout, error);
	if (!err)
		err = read_names(dump, error);
	if (!err)
		err = read_map(dump, error);
	if (!err)
		err = read_spans(dump, error);
	if (!err)
		err = check_sections(dump, error);
	return err ? err : check_balloon(dump, error);
}

int frame_dump_open(const struct core *core, struct frame_dump_reader **out,
		    char error[CORE_ERROR_MAX])
{
	struct frame_dump_reader *dump = calloc(1, sizeof(*dump));
	int err;

	if (!dump)
		return dump_fail(error, -ENOMEM, "out of memory");
	dump->core = core;
	err = read_dump(dump, error);
	if (err)
		frame_dump_close(dump);
	else
		*out = dump;
	return err;
}

void frame_dump_close(struct frame_dump_reader *dump)
{
	if (!dump)
		return;
	free(dump->span);
	free(dump);
}

/* ---- The figures ---- */

static int read_state(const struct frame_dump_reader *dump, size_t number, uint32_t offset,
		      void *to, size_t size, char error[CORE_ERROR_MAX])
{
	uint64_t from = number * (uint64_t)dump->balloon.balloon_size + offset;

	return frame_dump_read(dump, dump->balloon.balloons, from, 1, size, to,
			       "the balloon's state", error);
}

/* A balloon as the guest's memory has it. */
struct dumped {
	bool present;
	bool deflate_on_oom;
	struct mem_balloon figures;
};

static int read_balloon(const struct frame_dump_reader *dump, size_t number, struct dumped *one,
			char error[CORE_ERROR_MAX])
{
	const struct balloon_dump *layout = &dump->balloon;
	struct mem_balloon *f = &one->figures;
	uint8_t present = 0, mode = 0;
	int err = read_state(dump, number, layout->present, &present, 1, error);

	if (!err)
		err = read_state(dump, number, layout->deflate_on_oom, &mode, 1, error);
	if (!err)
		err = read_state(dump, number, layout->target, &f->target, sizeof(f->target),
				 error);
	if (!err)
		err = read_state(dump, number, layout->actual, &f->actual, sizeof(f->actual),
				 error);
	if (!err && present)
		err = read_state(dump, number, layout->name, f->name, sizeof(f->name), error);
	if (!err && present && (!*f->name || !dump_is_name(f->name, sizeof(f->name))))
		err = dump_fail(error, -EINVAL, "damaged: a balloon has no sane name");
	one->present = present != 0;
	one->deflate_on_oom = mode != 0;
	return err;
}

/*
 * The shortfall is what the guest would say at rest: it counts frames on their way
 * exactly, for two seconds after memory ran out no frame as spare, and while a source
 * gives back none from there on, of which a dump does not know; nor to which of two
 * balloons frames are on their way: the first that lacks some.
 */
static void find_shortfall(const struct frame_dump_reader *dump, size_t number, uint64_t spare,
			   uint64_t *in_flight, struct mem_balloon *f)
{
	const struct balloon_dump *layout = &dump->balloon;
	uint64_t given = dump->count[layout->owner_balloon[number]] +
			 dump->count[layout->owner_leaving[number]];
	uint64_t coming = f->target > given ? min_u64(f->target - given, *in_flight) : 0;

	*in_flight -= coming;
	f->shortfall = balloon_shortfall(f->target, given + coming, spare);
}

static void add_balloon(struct mem_figures *f, const struct mem_balloon *one)
{
	f->has_balloon = true;
	f->target += one->target;
	f->actual += one->actual;
	f->shortfall += one->shortfall;
	f->balloon[f->balloon_count++] = *one;
}

static int read_balloons(const struct frame_dump_reader *dump, struct mem_figures *f,
			 uint64_t *inflated_total, uint64_t *inflated_free,
			 char error[CORE_ERROR_MAX])
{
	const struct balloon_dump *layout = &dump->balloon;
	uint64_t free = dump->count[dump->layout.owner_free];
	uint64_t in_flight = dump->count[layout->owner_in_flight];
	int err = frame_dump_read(dump, layout->floor, 0, 1, sizeof(f->floor), &f->floor,
				  "the floor", error);

	for (size_t i = 0; !err && i < layout->balloon_count; i++) {
		struct dumped one = { 0 };
		uint64_t ballooned = dump->count[layout->owner_balloon[i]];

		err = read_balloon(dump, i, &one, error);
		*(one.deflate_on_oom ? inflated_free : inflated_total) += ballooned;
		find_shortfall(dump, i, free > f->floor ? free - f->floor : 0, &in_flight,
			       &one.figures);
		if (!err && one.present)
			add_balloon(f, &one.figures);
	}
	return err;
}

/* Pages that can be taken back, as far as there are any. */
static void tell_paging(const struct frame_dump_reader *dump, struct mem_figures *f)
{
	uint64_t reserve = dump->paging.reserve;

	f->cached = dump->paging.cached;
	f->dirty = dump->paging.dirty;
	f->anonymous = dump->paging.anonymous;
	f->swap_total = dump->paging.swap_total;
	f->swap_free = f->swap_total - dump->paging.swapped;
	f->has_paging = reserve > 0 || f->swap_total > 0 || f->cached > 0 || f->anonymous > 0;
	f->account.available = balloon_available(f->account.free, reserve, f->cached - f->dirty);
}

/* A second balloon's owners are left out where there is nothing of theirs: as the guest does. */
static bool is_left_out(const struct frame_dump_reader *dump, uint32_t owner)
{
	const struct balloon_dump *layout = &dump->balloon;

	for (uint32_t i = 1; i < layout->balloon_count; i++)
		if (owner == layout->owner_balloon[i] || owner == layout->owner_leaving[i])
			return dump->count[owner] == 0;
	return owner == dump->layout.owner_absent;
}

int frame_dump_figures(const struct frame_dump_reader *dump, struct mem_figures *f,
		       char error[CORE_ERROR_MAX])
{
	uint64_t inflated_total = 0, inflated_free = 0;
	int err;

	memset(f, 0, sizeof(*f));
	f->version = dump->release;
	err = read_balloons(dump, f, &inflated_total, &inflated_free, error);
	if (err)
		return err;
	f->account = balloon_account_of(dump->managed, dump->count[dump->layout.owner_free],
					inflated_total, inflated_free);
	tell_paging(dump, f);
	for (uint32_t o = 0; o < dump->layout.owner_count; o++) {
		if (is_left_out(dump, o))
			continue;
		assert(f->owner_count < MEM_OWNERS_MAX);
		f->owner[f->owner_count].name = dump->names[o];
		f->owner[f->owner_count++].frames = dump->count[o];
	}
	memcpy(f->free_by_order, dump->free_by_order, sizeof(f->free_by_order));
	return frame_dump_audit(dump, &f->ledger_ok, f->verdict, error);
}

void frame_dump_moved(const struct frame_dump_reader *before, const struct frame_dump_reader *after,
		      char text[FRAME_DUMP_MOVED])
{
	size_t length = 0;

	*text = '\0';
	for (uint32_t o = 0; o < before->layout.owner_count && length < FRAME_DUMP_MOVED; o++) {
		int64_t change = (int64_t)(after->count[o] - before->count[o]);

		if (change)
			length += (size_t)snprintf(text + length, FRAME_DUMP_MOVED - length,
						   "%s%s %+" PRId64, length ? ", " : "",
						   before->names[o], change);
	}
}
