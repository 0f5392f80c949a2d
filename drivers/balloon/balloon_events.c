/* SPDX-License-Identifier: BSD-2-Clause */
/* The rings of the balloons' events: below all files that record one. */
#include "drivers/balloon/balloon_events.h"

EVENTS_DEFINE(balloon, BALLOON_EVENTS);
EVENTS_DEFINE_ANOTHER(balloon, 2);
