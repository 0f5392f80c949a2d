/* SPDX-License-Identifier: BSD-2-Clause */
/* Two drivers that record events, for tests of what prints them in the guest and on the host. */
#ifndef TESTS_UNIT_KERNEL_HEN_EVENTS_H
#define TESTS_UNIT_KERNEL_HEN_EVENTS_H

#include "kernel/lib/events.h"

#define HEN_EVENTS(EVENT) \
	EVENT(HEN_EGG, "egg", "count", "#colour") \
	EVENT(HEN_FOX, "fox-seen", "", "")
#define FOX_EVENTS(EVENT) EVENT(FOX_SLEPT, "slept", "hours", "")

EVENTS_DECLARE(hen, HEN_EVENTS)
EVENTS_DECLARE(fox, FOX_EVENTS)

#endif
