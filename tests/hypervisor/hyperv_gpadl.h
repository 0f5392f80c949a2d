/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hyperv_gpadl.c: lists of frames that the guest has told the VMBus of, each for one channel, in a
 * header and as many bodies as it takes. For hyperv_vmbus.c alone.
 */
#ifndef TESTS_HYPERVISOR_HYPERV_GPADL_H
#define TESTS_HYPERVISOR_HYPERV_GPADL_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/hyperv/vmbus_abi.h"

/*
 * A list begins, or goes on. `bytes` is what was posted of the message. Returns whether it is
 * complete; a list with a mistake in it is none.
 */
bool gpadl_begin(const struct vmbus_gpadl_header *message, uint32_t bytes);
bool gpadl_go_on(const struct vmbus_gpadl_body *message, uint32_t bytes, uint32_t *relid);

/* A complete list of a channel's; NULL: there is none of this number. `*count` > 0. */
const uint64_t *gpadl_frames(uint32_t relid, uint32_t gpadl, uint32_t *count);

/* Forgets a list, those of a channel, or all. Returns whether there was one. */
bool gpadl_forget(uint32_t gpadl);
void gpadl_forget_of(uint32_t relid);
void gpadl_forget_all(void);

#endif
