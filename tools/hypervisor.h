/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hypervisor.c: the control block of the hypervisor that runs inside QEMU
 * (tests/hypervisor/control.h), seen from the host: the guest's memory is a file (QEMU's
 * memory-backend-file with share=on), which is mapped here. What lies in it is input.
 */
#ifndef TOOLS_HYPERVISOR_H
#define TOOLS_HYPERVISOR_H

#include <stdint.h>

#include "tests/hypervisor/control.h"

struct hypervisor;

/*
 * Maps a guest's memory and looks for the block. *out is the caller's by hypervisor_close().
 * -ENOENT: there is no block, or not yet; -EPERM: the file is another user's; -EINVAL: it is no
 * file, or too small for a guest; -EPROTO: the block is one of another version; or what the system
 * calls say.
 */
int hypervisor_open(const char *path, struct hypervisor **out);

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
