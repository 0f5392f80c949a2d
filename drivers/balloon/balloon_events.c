/* SPDX-License-Identifier: BSD-2-Clause */
/* The ring of the balloon's events: below all files that record one. */
#include "drivers/balloon/balloon_events.h"

EVENTS_DEFINE(balloon, BALLOON_EVENTS);
