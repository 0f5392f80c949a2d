/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory map; see memory_map.h. */
#include "tests/hypervisor/memory_map.h"

#include <stddef.h>
#include <string.h>

#define FRAME_BYTES 4096

static uint64_t end_of(const struct memory_range *range)
{
	return range->address + range->size;
}

bool memory_map_read(struct memory_map *map, const struct memory_range *from, uint32_t count)
{
	if (count == 0 || count > MEMORY_MAP_MAX)
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (from[i].size > UINT64_MAX - from[i].address)
			return false;
	memcpy(map->range, from, count * sizeof(*from));
	map->count = count;
	return true;
}

uint64_t memory_map_top(const struct memory_map *map)
{
	uint64_t top = 0;

	for (uint32_t i = 0; i < map->count; i++)
		if (map->range[i].type == MEMORY_RAM && end_of(&map->range[i]) > top)
			top = end_of(&map->range[i]);
	return top;
}

uint64_t memory_map_place(const struct memory_map *map, uint64_t size, uint64_t align,
			  uint64_t limit)
{
	uint64_t best = 0;

	for (uint32_t i = 0; i < map->count; i++) {
		const struct memory_range *range = &map->range[i];
		uint64_t end = end_of(range) < limit ? end_of(range) : limit;
		uint64_t place;

		if (range->type != MEMORY_RAM || end < size)
			continue;
		place = (end - size) / align * align;
		if (place >= range->address && place > best)
			best = place;
	}
	return best;
}

/* The range of RAM in which all of it lies; NULL: there is none. */
static const struct memory_range *find(const struct memory_map *map, uint64_t address,
				       uint64_t size)
{
	for (uint32_t i = 0; i < map->count; i++) {
		const struct memory_range *range = &map->range[i];

		if (range->type == MEMORY_RAM && address >= range->address && size <= range->size &&
		    address - range->address <= range->size - size)
			return range;
	}
	return NULL;
}

bool memory_map_take(struct memory_map *map, uint64_t address, uint64_t size, uint32_t type)
{
	const struct memory_range *found = find(map, address, size);
	struct memory_range whole, pieces[3];
	uint32_t index, count = 0;

	if (!found)
		return false;
	whole = *found;
	index = (uint32_t)(found - map->range);
	if (address > whole.address)
		pieces[count++] = (struct memory_range){ whole.address, address - whole.address,
							 MEMORY_RAM, 0 };
	if (type != 0)
		pieces[count++] = (struct memory_range){ address, size, type, 0 };
	if (address + size < end_of(&whole))
		pieces[count++] = (struct memory_range){ address + size,
							 end_of(&whole) - address - size,
							 MEMORY_RAM, 0 };
	if (map->count - 1 + count > MEMORY_MAP_MAX)
		return false;
	memmove(&map->range[index + count], &map->range[index + 1],
		(map->count - index - 1) * sizeof(whole));
	memcpy(&map->range[index], pieces, count * sizeof(whole));
	map->count += count - 1;
	return true;
}

bool memory_map_is_ram(const struct memory_map *map, uint64_t address, uint64_t size)
{
	const struct memory_range *range;

	while ((range = find(map, address, 1))) {
		uint64_t there = end_of(range) - address;

		if (size <= there)
			return true;
		address += there;
		size -= there;
	}
	return false;
}

uint64_t memory_map_frames(const struct memory_map *map)
{
	uint64_t frames = 0;

	for (uint32_t i = 0; i < map->count; i++) {
		const struct memory_range *range = &map->range[i];
		uint64_t first = (range->address + FRAME_BYTES - 1) / FRAME_BYTES;

		if (range->type == MEMORY_RAM && end_of(range) / FRAME_BYTES > first)
			frames += end_of(range) / FRAME_BYTES - first;
	}
	return frames;
}
