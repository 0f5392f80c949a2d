/* SPDX-License-Identifier: BSD-2-Clause */
/* Page tables for host tests; see sim_paging.h. */
#include "tests/sim/sim_paging.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "arch/paging.h"

static struct {
	uint64_t vaddr;
	pfn_t pfn;
} pages[SIM_PAGING_PAGES];

static size_t count;
static size_t left; /* pages that can still be mapped */
static size_t upwards;

void sim_paging_reset(void)
{
	count = 0;
	left = SIZE_MAX;
	upwards = 0;
}

void sim_paging_fail_after(size_t more)
{
	left = more;
}

size_t sim_paging_mapped(void)
{
	return count;
}

size_t sim_paging_upwards(void)
{
	return upwards;
}

/* The index of a page, or `count`. */
static size_t find(uint64_t vaddr)
{
	size_t i = 0;

	while (i < count && pages[i].vaddr != vaddr)
		i++;
	return i;
}

int paging_map_page(uint64_t vaddr, pfn_t pfn)
{
	if (vaddr % FRAME_SIZE != 0 || paging_is_mapped(vaddr) || count == SIM_PAGING_PAGES) {
		fprintf(stderr, "sim_paging: page %#llx cannot be mapped\n",
			(unsigned long long)vaddr);
		abort();
	}
	if (left == 0)
		return -ENOMEM;
	left--;
	pages[count].vaddr = vaddr;
	pages[count++].pfn = pfn;
	return 0;
}

pfn_t paging_unmap_page(uint64_t vaddr)
{
	size_t i = find(vaddr);
	pfn_t pfn;

	if (i == count)
		return PFN_NONE;
	pfn = pages[i].pfn;
	pages[i] = pages[--count];
	upwards += paging_is_mapped(vaddr + FRAME_SIZE);
	return pfn;
}

bool paging_is_mapped(uint64_t vaddr)
{
	return find(align_down(vaddr, FRAME_SIZE)) < count;
}
