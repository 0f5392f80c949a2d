/* SPDX-License-Identifier: BSD-2-Clause */
/* hyperv_channel.c: the channels of the VMBus. What is posted about them is of its least size. */
#ifndef TESTS_HYPERVISOR_HYPERV_CHANNEL_H
#define TESTS_HYPERVISOR_HYPERV_CHANNEL_H

#include "tests/hypervisor/hyperv_host.h"

/* The guest begins: there are none. */
void channel_start(void);

/* The connection ends, and the channels with it. */
void channel_forget_all(void);

/* Offers those that there are; a guest before 2.4 is signalled in the old manner. */
void channel_request_offers(bool for_old_guest);

/* What the guest posts. `bytes`: how much of the message it posted. */
void channel_gpadl_header(const struct vmbus_gpadl_header *message, uint32_t bytes);
void channel_gpadl_body(const struct vmbus_gpadl_body *message, uint32_t bytes);
void channel_gpadl_teardown(const struct vmbus_gpadl_teardown *message);
void channel_open(const struct vmbus_open *message);
void channel_close(const struct vmbus_relid *message);
void channel_release(const struct vmbus_relid *message);

#endif
