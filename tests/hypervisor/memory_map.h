/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_map.c: the memory map as the firmware tells it by PVH (Xen's public/arch-x86/hvm/
 * start_info.h), and what of it the guest is told: not the hypervisor's own memory, and
 * not the spare RAM. It is input.
 */
#ifndef TESTS_HYPERVISOR_MEMORY_MAP_H
#define TESTS_HYPERVISOR_MEMORY_MAP_H

#include <stdbool.h>
#include <stdint.h>

#define MEMORY_MAP_MAX 64

enum memory_type {
	MEMORY_RAM = 1,
	MEMORY_RESERVED = 2,
};

/* struct hvm_memmap_table_entry. */
struct memory_range {
	uint64_t address, size; /* bytes */
	uint32_t type;
	uint32_t reserved;
};

_Static_assert(sizeof(struct memory_range) == 24, "start_info.h");

struct memory_map {
	struct memory_range range[MEMORY_MAP_MAX];
	uint32_t count;
};

/* Takes a map over. Returns false if there is none, it is too long, or a range has no end. */
bool memory_map_read(struct memory_map *map, const struct memory_range *from, uint32_t count);

/* Gives the end of the highest RAM, in bytes; 0: there is none. */
uint64_t memory_map_top(const struct memory_map *map);

/*
 * Finds the highest place for `size` bytes, a multiple of `align`, in RAM that ends at
 * `limit` or before. Returns its address; 0: there is none.
 */
uint64_t memory_map_place(const struct memory_map *map, uint64_t size, uint64_t align,
			  uint64_t limit);

/*
 * Makes a piece of RAM, which must lie within one range, reserved, or with type 0 nothing at
 * all. Returns false if it lies elsewhere, or the map would be too long.
 */
bool memory_map_take(struct memory_map *map, uint64_t address, uint64_t size, uint32_t type);

/* Tells whether all of these bytes are RAM. */
bool memory_map_is_ram(const struct memory_map *map, uint64_t address, uint64_t size);

/* Counts the whole frames of RAM. */
uint64_t memory_map_frames(const struct memory_map *map);

#endif
