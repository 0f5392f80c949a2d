/* SPDX-License-Identifier: BSD-2-Clause */
/* The serial line's events, for kernel/lib/events.h. All are recorded in its interrupt. */
#ifndef DRIVERS_SERIAL_SERIAL_EVENTS_H
#define DRIVERS_SERIAL_SERIAL_EVENTS_H

#include "kernel/lib/events.h"

#define SERIAL_EVENTS(EVENT) \
	EVENT(SERIAL_EVENT_OVERRUN, "overrun", "received", "") /* bytes so far */ \
	EVENT(SERIAL_EVENT_BREAK, "break", "received", "") \
	EVENT(SERIAL_EVENT_LINE_ERROR, "line-error", "received", "")

EVENTS_DECLARE(serial, SERIAL_EVENTS)

#endif
