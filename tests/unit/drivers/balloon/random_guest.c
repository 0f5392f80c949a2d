/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest holds; see random_guest.h. */
#include "tests/unit/drivers/balloon/random_guest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/phys_map.h"
#include "tests/sim/sim_ram.h"
#include "tests/unit/drivers/balloon/random_hosts.h"

struct holding {
	pfn_t pfn;
	unsigned order;
	uint64_t mark;
};

static struct holding holdings[SIM_RAM_FRAMES];
static size_t holding_count;
static uint64_t last_mark;

static uint64_t *word_of(pfn_t pfn, size_t where)
{
	return (uint64_t *)phys_to_virt(pfn_to_paddr(pfn)) + where;
}

void hold_nothing(void)
{
	holding_count = 0;
}

void hold(pfn_t pfn, unsigned order)
{
	struct holding *h = &holdings[holding_count++];

	*h = (struct holding){ pfn, order, ++last_mark };
	for (pfn_t i = pfn; i < pfn + (UINT64_C(1) << order); i++) {
		*word_of(i, 0) = h->mark ^ i;
		*word_of(i, FRAME_SIZE / 8 - 1) = h->mark + i;
	}
}

static void let_go(size_t index)
{
	struct holding h = holdings[index];

	for (pfn_t i = h.pfn; i < h.pfn + (UINT64_C(1) << h.order); i++) {
		assert_int_equal(*word_of(i, 0), h.mark ^ i);
		assert_int_equal(*word_of(i, FRAME_SIZE / 8 - 1), h.mark + i);
	}
	assert_int_equal(frame_free(h.pfn, (size_t)1 << h.order, OWNER_HELD), 0);
	holdings[index] = holdings[--holding_count];
}

void free_some(void)
{
	for (uint64_t n = below(holding_count + 1); n > 0; n--)
		let_go((size_t)below(holding_count));
}

void free_all(void)
{
	while (holding_count > 0)
		let_go(holding_count - 1);
}
