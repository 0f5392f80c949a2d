/* SPDX-License-Identifier: BSD-2-Clause */
/* xen_map.c: pages that the toolstack put into the domain, where no RAM is. */
#ifndef DRIVERS_XEN_XEN_MAP_H
#define DRIVERS_XEN_XEN_MAP_H

#include "kernel/lib/types.h"

/*
 * Maps a page, cached, as it is memory though no map of the machine says so, and stores where; for
 * good. After memory_init(). -EINVAL: no processor address is meant; -ENOMEM.
 */
int xen_map_page(pfn_t pfn, void **window);

#endif
