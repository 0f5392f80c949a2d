/* SPDX-License-Identifier: BSD-2-Clause */
/* What dimm.c asks: where memory may be, and who is in it. */
#ifndef DRIVERS_MEM_DIMM_INTERNAL_H
#define DRIVERS_MEM_DIMM_INTERNAL_H

#include "drivers/acpi/acpi_memory.h"
#include "mm/frame_region.h"

/* ---- dimm_place.c ---- */

/* Announces the ranges where memory of slots may come, if the firmware names any. Once. */
void dimm_announce_windows(void);

/*
 * Plugs what is in a slot, whole blocks of it, and stores where they are. Returns why it
 * cannot be used, a clause for people, or NULL: it is free memory now.
 */
const char *dimm_plug(const struct acpi_memory_slot *slot, pfn_t *start, size_t *blocks);

/* ---- dimm_users.c ---- */

/* Room for a list of users. */
#define DIMM_USERS_MAX 120

/*
 * Writes who has frames in a part, "12 frames of held, 3 of heap", but for the balloon, which
 * moves out, and for what is on its way out. Returns false if nobody else has any.
 */
bool dimm_list_users(const struct frame_region_part *part, char text[DIMM_USERS_MAX]);

#endif
