/* SPDX-License-Identifier: BSD-2-Clause */
/* The ring of these events: below all files that record one. */
#include "drivers/mem/mem_events.h"

EVENTS_DEFINE(mem, MEM_EVENTS);
