/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slots of the swap disk, a page each. Which are free is known in memory only: what lies
 * there is of no use after this guest's end. Slot 0 is not used: Linux's header lies there,
 * by which the disk was found, and it stays.
 */
#include <assert.h>
#include <errno.h>

#include "arch/phys_map.h"
#include "kernel/vm/vm_internal.h"
#include "mm/bitset.h"
#include "mm/frame.h"

#define SLOT_FIRST 1
#define SLOTS_MAX (UINT64_C(1) << 32)

struct block_disk *vm_swap_disk;

static struct {
	struct bitset free;
	pfn_t frames; /* of the set: 2^order; with free.size > 0 */
	unsigned order;
	size_t next; /* where the next run is looked for: neighbours in time are neighbours */
} swap;

int vm_swap_on(struct block_disk *disk, uint64_t pages)
{
	uint64_t slots = min_u64(pages, SLOTS_MAX);
	uint64_t bytes = bitset_words(slots) * sizeof(uint64_t);
	unsigned order = frame_order_for(align_up(bytes, FRAME_SIZE) / FRAME_SIZE);
	pfn_t pfn;

	assert(!vm_swap_disk);
	if (slots <= SLOT_FIRST)
		return -EINVAL;
	if (frame_alloc(order, OWNER_PAGE_RECORDS, &pfn))
		return -ENOMEM;
	swap.frames = pfn;
	swap.order = order;
	bitset_init(&swap.free, slots, phys_to_virt(pfn_to_paddr(pfn)));
	bitset_add_range(&swap.free, SLOT_FIRST, slots);
	swap.next = SLOT_FIRST;
	vm_events.swap_total = slots - SLOT_FIRST;
	vm_events.swapped = 0;
	vm_swap_disk = disk;
	return 0;
}

bool vm_swap_forget(void)
{
	assert(!vm_swap_disk);
	if (swap.free.size == 0)
		return true;
	if (vm_events.swapped > 0)
		return false;
	frame_free(swap.frames, (size_t)1 << swap.order, OWNER_PAGE_RECORDS);
	swap.free.size = 0;
	vm_events.swap_total = 0;
	return true;
}

unsigned vm_swap_take(unsigned count, uint64_t *slot)
{
	size_t first = bitset_next(&swap.free, swap.next);
	unsigned n = 0;

	if (first == BITSET_NONE)
		first = bitset_first(&swap.free);
	if (first == BITSET_NONE)
		return 0;
	while (n < count && first + n < swap.free.size && bitset_test(&swap.free, first + n)) {
		bitset_remove(&swap.free, first + n);
		n++;
	}
	swap.next = first + n < swap.free.size ? first + n : SLOT_FIRST;
	vm_events.swapped += n;
	*slot = first;
	return n;
}

void vm_swap_give(uint64_t slot, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		assert(!bitset_test(&swap.free, slot + i));
		bitset_add(&swap.free, slot + i);
	}
	/* What was taken last and not needed: or the next pages would not be neighbours. */
	if (slot + count == swap.next)
		swap.next = slot;
	assert(vm_events.swapped >= count);
	vm_events.swapped -= count;
}

void vm_swap_spoil(uint64_t slot, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		assert(!bitset_test(&swap.free, slot + i));
	assert(vm_events.swapped >= count && vm_events.swap_total >= count);
	vm_events.swapped -= count;
	vm_events.swap_total -= count;
}
