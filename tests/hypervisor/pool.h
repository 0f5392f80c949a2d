/* SPDX-License-Identifier: BSD-2-Clause */
/* pool.c: pages of the hypervisor's own memory. */
#ifndef TESTS_HYPERVISOR_POOL_H
#define TESTS_HYPERVISOR_POOL_H

#include <stddef.h>
#include <stdint.h>

/* Pages are taken from here on: a physical address, a multiple of a page, and bytes. */
void pool_init(uint64_t address, uint64_t size);

/*
 * Gives so many pages that lie beside each other, full of zeros, as seen by phys_to_hv().
 * Without any left the hypervisor dies. Those of a single page go back by pool_give().
 */
void *pool_take(uint64_t pages);
void pool_give(void *page);

#endif
