/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sorts out the firmware's memory map. Its entries are in no order: a sweep over
 * the addresses asks all of them, at every boundary, what begins there. That is
 * quadratic in at most 256 entries, and needs no memory: this runs on the boot
 * stack, before there is an allocator.
 */
#include "mm/memmap.h"

#include <assert.h>
#include <errno.h>

/*
 * Byte addresses here are inclusive at both ends, so that an entry may end
 * with the last byte of the address space.
 */
struct bytes {
	uint64_t first;
	uint64_t last;
};

/* Stores the bytes of an entry; returns false if it has none, or wraps around. */
static bool entry_bytes(const struct boot_memory *entry, struct bytes *bytes)
{
	if (entry->size == 0)
		return false;
	bytes->first = entry->start;
	bytes->last = entry->start + (entry->size - 1);
	return bytes->last >= bytes->first;
}

/*
 * Whether the byte `at` is RAM. Stores the last byte for which the answer is the
 * same: the one before the next entry begins, or ends.
 */
static bool is_ram(const struct boot_memory *entries, size_t count, uint64_t at, uint64_t *last)
{
	bool ram = false;
	bool other = false;
	struct bytes b;

	*last = UINT64_MAX;
	for (size_t i = 0; i < count; i++) {
		if (!entry_bytes(&entries[i], &b) || b.last < at)
			continue;
		if (b.first > at) {
			*last = min_u64(*last, b.first - 1);
			continue;
		}
		*last = min_u64(*last, b.last);
		if (entries[i].type == BOOT_MEMORY_RAM)
			ram = true;
		else
			other = true;
	}
	return ram && !other;
}

static size_t smallest_range(const struct memmap *map)
{
	size_t smallest = 0;

	/* Of equals, the highest: old devices need low memory. */
	for (size_t i = 1; i < map->count; i++)
		if (map->range[i].end - map->range[i].start <=
		    map->range[smallest].end - map->range[smallest].start)
			smallest = i;
	return smallest;
}

static void drop_range(struct memmap *map, size_t index)
{
	uint64_t frames = map->range[index].end - map->range[index].start;

	map->frames -= frames;
	map->dropped += frames;
	map->count--;
	for (size_t i = index; i < map->count; i++)
		map->range[i] = map->range[i + 1];
}

/*
 * Appends a range, which lies above all others, unless it is empty. A full map
 * first loses its smallest range, or the new one if that is no larger.
 */
static void append_range(struct memmap *map, pfn_t start, pfn_t end)
{
	if (start >= end)
		return;
	assert(map->count == 0 || map->range[map->count - 1].end < start);
	if (map->count == MEM_RANGES_MAX) {
		size_t smallest = smallest_range(map);

		if (end - start <= map->range[smallest].end - map->range[smallest].start) {
			map->dropped += end - start;
			return;
		}
		drop_range(map, smallest);
	}
	map->range[map->count++] = (struct mem_range){ start, end };
	map->frames += end - start;
}

/* Appends the whole frames of a stretch of RAM, as far as the processor reaches. */
static void append_ram(struct memmap *map, const struct bytes *ram, pfn_t limit)
{
	pfn_t start = paddr_to_pfn(ram->first) + (ram->first % FRAME_SIZE != 0);
	pfn_t end = paddr_to_pfn(ram->last) + (ram->last % FRAME_SIZE == FRAME_SIZE - 1);

	if (end > limit && end > start) {
		map->dropped += end - max_u64(start, limit);
		end = limit;
	}
	append_range(map, start, end);
}

void memmap_build(const struct boot_memory *entries, size_t count, unsigned physical_bits,
		  struct memmap *map)
{
	pfn_t limit = paddr_to_pfn(physical_bits < 64 ? (uint64_t)1 << physical_bits : UINT64_MAX);
	struct bytes ram = { 0, 0 };
	struct bytes part = { 0, 0 };
	bool in_ram = false;

	*map = (struct memmap){ 0 };
	do {
		bool part_is_ram = is_ram(entries, count, part.first, &part.last);

		/* Ranges that touch become one, which ends where there is no RAM. */
		if (part_is_ram && !in_ram)
			ram.first = part.first;
		if (part_is_ram)
			ram.last = part.last;
		else if (in_ram)
			append_ram(map, &ram, limit);
		in_ram = part_is_ram;
		part.first = part.last + 1;
	} while (part.first != 0);
	if (in_ram)
		append_ram(map, &ram, limit);
}

void memmap_remove(struct memmap *map, pfn_t start, pfn_t end)
{
	struct memmap old = *map;

	if (start >= end)
		return;
	*map = (struct memmap){ .dropped = old.dropped };
	for (size_t i = 0; i < old.count; i++) {
		const struct mem_range *r = &old.range[i];

		append_range(map, r->start, min_u64(r->end, start));
		append_range(map, max_u64(r->start, end), r->end);
	}
}

int memmap_find(const struct memmap *map, pfn_t from, uint64_t frames, pfn_t *start)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct mem_range *r = &map->range[i];
		pfn_t at = max_u64(r->start, from);

		if (at < r->end && r->end - at >= frames) {
			*start = at;
			return 0;
		}
	}
	return -ENOMEM;
}
