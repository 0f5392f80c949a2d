/* SPDX-License-Identifier: BSD-2-Clause */
/* The personalities by name; see personalities.h. */
#include "tests/hypervisor/personalities.h"

#include <stddef.h>
#include <string.h>

/* The machine as it is: no leaf, no port, no call. For tests of the hypervisor itself. */
static const struct personality no_personality = { .name = "plain" };

static const struct personality *const personalities[] = {
	&no_personality,
	&hyperv_personality,
};

const struct personality *personality_find(const char *name)
{
	for (size_t i = 0; i < sizeof(personalities) / sizeof(personalities[0]); i++)
		if (strcmp(personalities[i]->name, name) == 0)
			return personalities[i];
	return NULL;
}
