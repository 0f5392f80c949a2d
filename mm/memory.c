/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The order matters: page tables come first, from the frames right after the
 * image, because the frame map may lie where the boot tables do not reach.
 * Then come the map and the allocator, which is told who owns what.
 */
#include "mm/memory.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>

#include "arch/paging.h"
#include "kernel/lib/panic.h"
#include "mm/frame.h"

static struct memmap ram;

/* Frames after the image, handed out one by one until the allocator works. */
static struct {
	pfn_t next;
	pfn_t end;
} early;

/* Frames of the file that the loader brought; `frames` is 0 without one. */
static struct {
	pfn_t first;
	size_t frames;
	size_t bytes; /* as the loader says, whether it could be kept or not */
} module;

static paddr_t early_alloc(void)
{
	return early.next < early.end ? pfn_to_paddr(early.next++) : 0;
}

static paddr_t late_alloc(void)
{
	pfn_t pfn;

	return frame_alloc(0, OWNER_PAGE_TABLES, &pfn) ? 0 : pfn_to_paddr(pfn);
}

static void late_free(paddr_t table)
{
	if (frame_free(paddr_to_pfn(table), 1, OWNER_PAGE_TABLES))
		panic("memory: %#" PRIx64 " was no page table; look for a wild write", table);
}

/* Takes the rest of the range that the image lies in. -EINVAL: it lies in none. */
static int early_init(pfn_t image, pfn_t image_end)
{
	for (size_t i = 0; i < ram.count; i++) {
		if (ram.range[i].start <= image && ram.range[i].end >= image_end) {
			early.next = image_end;
			early.end = ram.range[i].end;
			return 0;
		}
	}
	return -EINVAL;
}

/* Maps all RAM, and loads the tables. -ENOMEM. */
static int map_everything(void)
{
	int err = paging_begin(early_alloc);

	for (size_t i = 0; i < ram.count && !err; i++)
		err = paging_map_ram(pfn_to_paddr(ram.range[i].start),
				     pfn_to_paddr(ram.range[i].end));
	return err ? err : paging_load();
}

/* Enters frames that are in use; nothing can have taken them yet. */
static void reserve(pfn_t start, pfn_t end, enum owner owner)
{
	if (end > start && frame_reserve(start, (size_t)(end - start), owner))
		panic("memory: frames %#" PRIx64 " to %#" PRIx64
		      " are not free for %s; is the memory map sane?",
		      start, end, owner_name(owner));
}

/*
 * Keeps the loader's file, unless it lies where tables have come, over the image, outside of RAM,
 * or on no page: that is the loader's mistake, and the machine runs without its file.
 */
static void reserve_module(const struct boot_info *boot)
{
	uint64_t size = boot->module_size;
	pfn_t first = paddr_to_pfn(boot->module);
	size_t frames;

	module.frames = 0;
	module.bytes = size;
	if (size == 0 || boot->module % FRAME_SIZE != 0)
		return;
	frames = paddr_to_pfn(align_up(size, FRAME_SIZE)); /* 0 if that wraps, which is refused */
	if (frame_reserve(first, frames, OWNER_KERNEL))
		return;
	module.first = first;
	module.frames = frames;
}

int memory_init(const struct boot_info *boot, paddr_t image_start, paddr_t image_end,
		unsigned physical_bits)
{
	pfn_t image = paddr_to_pfn(image_start);
	pfn_t image_last = paddr_to_pfn(align_up(image_end, FRAME_SIZE));
	uint64_t map_frames;
	pfn_t map;
	int err;

	assert(image_start < image_end);
	memmap_build(boot->memory, boot->memory_count, physical_bits, &ram);
	/* Page 0 is not mapped, and PFN 0 not handed out. */
	memmap_remove(&ram, 0, 1);
	if (pfn_to_paddr(ram.frames) < MEMORY_MIN)
		return -ENOMEM;
	err = early_init(image, image_last);
	if (!err)
		err = map_everything();
	if (err)
		return err;
	map_frames = paddr_to_pfn(align_up(frame_init_bytes(&ram), FRAME_SIZE));
	err = memmap_find(&ram, early.next, map_frames, &map);
	if (err)
		return err;
	assert(early.next >= image_last && early.next <= map);
	frame_init(&ram, phys_to_virt(pfn_to_paddr(map)));
	reserve(image, image_last, OWNER_KERNEL);
	reserve(image_last, early.next, OWNER_PAGE_TABLES);
	reserve(map, map + map_frames, OWNER_FRAME_MAP);
	reserve_module(boot);
	paging_set_allocator(late_alloc, late_free);
	return 0;
}

const void *memory_module(size_t *size)
{
	*size = module.bytes;
	return module.frames > 0 ? phys_to_virt(pfn_to_paddr(module.first)) : NULL;
}

const struct memmap *memory_map(void)
{
	return &ram;
}
