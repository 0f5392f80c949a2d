/* SPDX-License-Identifier: BSD-2-Clause */
/* The textbook's buddy allocator: see buddy.h. */
#include "tests/bench/buddy.h"

static struct buddy_node *node_of(const struct buddy *buddy, pfn_t pfn)
{
	return (void *)(buddy->ram + pfn_to_paddr(pfn));
}

static pfn_t pfn_of(const struct buddy *buddy, const struct buddy_node *node)
{
	return paddr_to_pfn((paddr_t)((const uint8_t *)node - buddy->ram));
}

static void push(struct buddy *buddy, pfn_t pfn, unsigned order)
{
	struct buddy_node *list = &buddy->list[order];
	struct buddy_node *node = node_of(buddy, pfn);

	node->next = list->next;
	node->prev = list;
	list->next->prev = node;
	list->next = node;
	buddy->head[pfn] = (uint8_t)(order + 1);
	buddy->count[order]++;
}

static void unlink_run(struct buddy *buddy, pfn_t pfn, unsigned order)
{
	struct buddy_node *node = node_of(buddy, pfn);

	node->prev->next = node->next;
	node->next->prev = node->prev;
	buddy->head[pfn] = 0;
	buddy->count[order]--;
}

void buddy_init(struct buddy *buddy, void *ram, size_t frames, uint8_t *head)
{
	size_t step = (size_t)1 << BUDDY_ORDER_MAX;

	*buddy = (struct buddy){ .ram = ram, .frames = frames, .head = head };
	for (unsigned o = 0; o <= BUDDY_ORDER_MAX; o++)
		buddy->list[o] = (struct buddy_node){ &buddy->list[o], &buddy->list[o] };
	/* From above, so that the lowest comes first. */
	for (size_t at = frames; at >= step; at -= step)
		push(buddy, at - step, BUDDY_ORDER_MAX);
}

pfn_t buddy_alloc(struct buddy *buddy, unsigned order)
{
	unsigned o = order;
	pfn_t pfn;

	while (o <= BUDDY_ORDER_MAX && buddy->count[o] == 0)
		o++;
	if (o > BUDDY_ORDER_MAX)
		return PFN_NONE;
	pfn = pfn_of(buddy, buddy->list[o].next);
	unlink_run(buddy, pfn, o);
	while (o > order) {
		o--;
		push(buddy, pfn + ((pfn_t)1 << o), o);
	}
	return pfn;
}

void buddy_free(struct buddy *buddy, pfn_t pfn, unsigned order)
{
	while (order < BUDDY_ORDER_MAX) {
		pfn_t other = pfn ^ (pfn_t)1 << order;

		if (buddy->head[other] != order + 1)
			break;
		unlink_run(buddy, other, order);
		pfn &= ~((pfn_t)1 << order);
		order++;
	}
	push(buddy, pfn, order);
}
