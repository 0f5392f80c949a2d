/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio's events, of all devices, for kernel/lib/events.h. `type` is the
 * device's, 5 for a balloon (virtio 1.3, 5).
 */
#ifndef DRIVERS_VIRTIO_VIRTIO_EVENTS_H
#define DRIVERS_VIRTIO_VIRTIO_EVENTS_H

#include "kernel/lib/events.h"

#define VIRTIO_EVENTS(EVENT) \
	EVENT(VIRTIO_EVENT_STARTED, "started", "type", "#features") /* DRIVER_OK */ \
	EVENT(VIRTIO_EVENT_RESET, "reset", "type", "us")	    /* how long it took */ \
	EVENT(VIRTIO_EVENT_REFUSED, "refused", "type", "errno")	    /* it cannot be used */ \
	EVENT(VIRTIO_EVENT_BROKEN, "broken", "type", "")	    /* it broke a rule */ \
	EVENT(VIRTIO_EVENT_GONE, "gone", "type", "")		    /* it was pulled out */

EVENTS_DECLARE(virtio, VIRTIO_EVENTS)

#endif
