/* SPDX-License-Identifier: BSD-2-Clause */
/* The owners' names, from the one table in owner.h. */
#include "mm/owner.h"

#include "kernel/lib/types.h"

#define OWNER_NAME(constant, name) [constant] = name,

static const char *const names[OWNER_COUNT] = { OWNER_TABLE(OWNER_NAME) };

const char *owner_name(enum owner owner)
{
	return (unsigned)owner < OWNER_COUNT ? names[owner] : "?";
}
