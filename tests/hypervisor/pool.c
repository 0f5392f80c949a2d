/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages of the hypervisor's own memory; see pool.h. */
#include "tests/hypervisor/pool.h"

#include <string.h>

#include "tests/hypervisor/die.h"
#include "tests/hypervisor/layout.h"

/* A page that came back: the next one is named at its beginning. */
struct given {
	struct given *next;
};

static uint64_t next, end; /* of what was never taken; physical */
static struct given *given;

void pool_init(uint64_t address, uint64_t size)
{
	next = address;
	end = address + size;
	given = NULL;
}

void *pool_take(uint64_t pages)
{
	void *page = given;

	if (pages == 1 && given) {
		given = given->next;
	} else {
		if (pages > (end - next) / FRAME_SIZE)
			die("its own memory is used up: too many of the guest's blocks are split, "
			    "or too much was touched beyond its RAM");
		page = phys_to_hv(next);
		next += pages * FRAME_SIZE;
	}
	return memset(page, 0, pages * FRAME_SIZE);
}

void pool_give(void *page)
{
	struct given *back = page;

	back->next = given;
	given = back;
}
