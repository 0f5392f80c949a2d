/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Aerostat's allocator, virtio and balloon in a kernel that is not Aerostat: an
 * example for docs/porting.md, and the proof that they need no more than that page
 * says. Ends with 0 if everything was as it must be.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/paging.h"
#include "drivers/balloon/balloon.h"
#include "drivers/balloon/port/virtio_balloon.h"
#include "drivers/virtio/virtio_mmio.h"
#include "mm/frame.h"
#include "mm/ledger.h"
#include "mm/memmap.h"
#include "tests/porting/foreign_kernel.h"
#include "tests/porting/toy_balloon.h"

#define FLOOR_FRAMES 256
#define TARGET (16 * MIB / FRAME_SIZE)
#define PATIENCE_NS (5 * NS_PER_S)

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	printf("porting: not so: %s\n", what);
	exit(1);
}

static void audit(void)
{
	char verdict[LEDGER_VERDICT_MAX];
	bool ok = ledger_audit(verdict);

	printf("ledger: %s; %llu free, %llu in the balloon\n", verdict,
	       (unsigned long long)ledger_count(OWNER_FREE),
	       (unsigned long long)ledger_count(OWNER_BALLOON));
	must(ok, "the ledger adds up");
}

/* The firmware's map, as this machine's would be: one range of RAM. */
static void start_memory(void)
{
	const struct boot_memory ram = { .start = POOL_PADDR,
					 .size = POOL_FRAMES * FRAME_SIZE,
					 .type = BOOT_MEMORY_RAM };
	static struct memmap map;
	void *books;

	memmap_build(&ram, 1, 40, &map);
	books = aligned_alloc(64, align_up(frame_init_bytes(&map), 64));
	must(books, "there is room for the frame map");
	frame_init(&map, books);
	must(ledger_managed() == POOL_FRAMES, "all of the pool is managed");
}

static void use_allocator(void)
{
	pfn_t one, block;

	must(frame_alloc(0, OWNER_KERNEL, &one) == 0, "a frame can be had");
	must(frame_alloc(BLOCK_ORDER, OWNER_KERNEL, &block) == 0, "a block can be had");
	memset(phys_to_virt(pfn_to_paddr(one)), 0x5a, FRAME_SIZE);
	memset(phys_to_virt(pfn_to_paddr(block)), 0x5a, BLOCK_SIZE);
	must(frame_free(one, 1, OWNER_KERNEL) == 0, "a frame can be freed");
	must(frame_free(one, 1, OWNER_KERNEL) == -EPERM, "it cannot be freed twice");
	must(frame_free(block, BLOCK_FRAMES, OWNER_KERNEL) == 0, "a block can be freed");
	must(ledger_count(OWNER_FREE) == POOL_FRAMES, "all is free again");
}

static void start_balloon(void)
{
	const struct virtio_mmio_place place = {
		.base = TOY_PADDR, .size = TOY_SIZE, .has_irq = true, .gsi = TOY_GSI
	};
	const struct balloon_config config = { .floor = FLOOR_FRAMES };

	toy_start();
	must(virtio_mmio_add(&place) == 0, "the device is found");
	balloon_init(&config);
	must(virtio_balloon_start() == 0, "the balloon starts");
}

/* Frames that the driver asks back are not the balloon's any more, and still the device's. */
static bool has_reached(uint64_t target)
{
	return toy_actual() == target && toy_frames() == target;
}

static void reach(uint64_t target)
{
	uint64_t deadline = clock_ns() + PATIENCE_NS;

	toy_set_target((uint32_t)target);
	while (!has_reached(target) && clock_ns() < deadline)
		task_sleep_until(clock_ns() + NS_PER_MS);
	must(toy_actual() == target, "the target is reached");
	must(toy_frames() == target, "the device has as many frames as the driver says");
	must(ledger_count(OWNER_BALLOON) == target, "and so has the ledger");
	audit();
}

/* Any frame of the device's among them would end the process. */
static void use_what_is_left(void)
{
	static pfn_t pfns[POOL_FRAMES];
	size_t count = frame_alloc_bulk(POOL_FRAMES, PFN_NONE, OWNER_HELD, pfns);

	must(count == ledger_count(OWNER_HELD) && count > 0, "what is left can be had");
	for (size_t i = 0; i < count; i++)
		memset(phys_to_virt(pfn_to_paddr(pfns[i])), 0xa5, FRAME_SIZE);
	must(frame_free_owned(OWNER_HELD, count) == count, "and freed");
}

int main(void)
{
	kernel_start();
	start_memory();
	audit();
	use_allocator();
	start_balloon();
	reach(TARGET);
	use_what_is_left();
	reach(TARGET / 2 + 1);
	reach(0);
	use_what_is_left();
	printf("porting: ok\n");
	return 0;
}
