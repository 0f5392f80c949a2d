/* SPDX-License-Identifier: BSD-2-Clause */
/* own_map.c: the hypervisor's own page tables; layout.h has the picture. */
#ifndef TESTS_HYPERVISOR_OWN_MAP_H
#define TESTS_HYPERVISOR_OWN_MAP_H

#include <stdint.h>

/* Counts the pages that own_map_make() takes from the pool. */
uint64_t own_map_pages(uint64_t image_size, uint64_t top);

/*
 * Makes tables that show the image, `image_size` bytes at the physical address `image`, at
 * `place`, both multiples of 2 MiB, and physical memory up to `top` at PHYS_MAP. Returns CR3.
 */
uint64_t own_map_make(uint64_t place, uint64_t image, uint64_t image_size, uint64_t top);

#endif
