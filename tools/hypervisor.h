/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hypervisor.c: the control block of the hypervisor that runs inside QEMU
 * (tests/hypervisor/control.h), seen from the host: the guest's memory is a file (QEMU's
 * memory-backend-file or -memfd with share=on), of which the block is mapped here. What lies in
 * it is input.
 */
#ifndef TOOLS_HYPERVISOR_H
#define TOOLS_HYPERVISOR_H

#include <stdint.h>

#include "tests/hypervisor/control.h"

struct hypervisor;

/* What was found that cannot be used. */
struct hypervisor_found {
	uint32_t owner;	  /* with -EPERM */
	uint32_t version; /* with -EPROTO, as is the next */
	uint32_t page_size;
};

/*
 * Looks for the block in a guest's memory, and maps it. Nothing is read of a file that is another
 * user's. *out is the caller's by hypervisor_close(); *found, unless it is NULL, says more of an
 * error. -ENOENT: there is no block, or not yet; -ENXIO: no such file; -EPERM: the file is another
 * user's; -EINVAL: it is no file, or too small for a guest; -EPROTO: the block is one of another
 * version; or what the system calls say.
 */
int hypervisor_open(const char *path, struct hypervisor **out, struct hypervisor_found *found);

/* Unmaps and frees; NULL is allowed. */
void hypervisor_close(struct hypervisor *hypervisor);

/*
 * Gives the part for all personalities; it changes at any time, and lives until
 * hypervisor_close().
 */
volatile struct hv_control_common *hypervisor_common(struct hypervisor *hypervisor);

/* Gives a personality's page, in the shape that its header has; likewise. */
volatile void *hypervisor_page(struct hypervisor *hypervisor, enum hv_control_page page);

#endif
