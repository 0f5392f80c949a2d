/* SPDX-License-Identifier: BSD-2-Clause */
/* A few frames for host tests; see sim_frame.h. */
#include "tests/sim/sim_frame.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "arch/paging.h"

static enum owner owners[SIM_FRAME_COUNT];
static uint8_t *memory;
static bool failing;
static size_t failing_after; /* this many allocations; 0: never */

void sim_frame_reset(void)
{
	if (!memory) {
		/* MAP_32BIT: below 2 GiB, where also the sanitizers leave room. */
		memory = mmap(NULL, SIM_FRAME_COUNT * FRAME_SIZE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
		if (memory == MAP_FAILED) {
			perror("sim_frame: mmap");
			abort();
		}
	}
	for (size_t i = 0; i < SIM_FRAME_COUNT; i++)
		owners[i] = OWNER_FREE;
	failing = false;
	failing_after = 0;
}

void sim_frame_fail(bool fail)
{
	failing = fail;
}

void sim_frame_fail_after(size_t count)
{
	failing_after = count;
}

size_t sim_frame_in_use(void)
{
	size_t n = 0;

	for (size_t i = 0; i < SIM_FRAME_COUNT; i++)
		n += owners[i] != OWNER_FREE;
	return n;
}

static bool all_owned_by(size_t first, size_t count, enum owner owner)
{
	for (size_t i = first; i < first + count; i++)
		if (owners[i] != owner)
			return false;
	return true;
}

static void set_owner(size_t first, size_t count, enum owner owner)
{
	for (size_t i = first; i < first + count; i++)
		owners[i] = owner;
}

int frame_alloc(unsigned order, enum owner owner, pfn_t *pfn)
{
	size_t count = (size_t)1 << order;

	for (size_t i = 0; !failing && i + count <= SIM_FRAME_COUNT; i += count) {
		if (!all_owned_by(i, count, OWNER_FREE))
			continue;
		set_owner(i, count, owner);
		failing = failing_after > 0 && --failing_after == 0;
		memset(memory + i * FRAME_SIZE, SIM_FRAME_JUNK, count * FRAME_SIZE);
		*pfn = paddr_to_pfn(virt_to_phys(memory)) + i;
		return 0;
	}
	return -ENOMEM;
}

/* There is no poisoner. */
void frame_fill_run(pfn_t pfn, size_t count)
{
	(void)pfn, (void)count;
}

enum owner frame_owner(pfn_t pfn)
{
	pfn_t first = paddr_to_pfn(virt_to_phys(memory));

	return pfn - first < SIM_FRAME_COUNT ? owners[pfn - first] : OWNER_ABSENT;
}

int frame_free(pfn_t pfn, size_t count, enum owner owner)
{
	pfn_t first = paddr_to_pfn(virt_to_phys(memory));

	if (pfn < first || pfn - first + count > SIM_FRAME_COUNT)
		return -EINVAL;
	if (!all_owned_by(pfn - first, count, owner))
		return -EPERM;
	set_owner(pfn - first, count, OWNER_FREE);
	return 0;
}
