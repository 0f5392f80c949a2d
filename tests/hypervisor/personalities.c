/* SPDX-License-Identifier: BSD-2-Clause */
/* The personalities by name; see personalities.h. */
#include "tests/hypervisor/personalities.h"

#include <stddef.h>
#include <string.h>

static const struct personality *const personalities[] = {
	&plain_personality,
	&vmware_personality,
	&xen_personality,
	&hyperv_personality,
};

const struct personality *personality_find(const char *name)
{
	for (size_t i = 0; i < sizeof(personalities) / sizeof(personalities[0]); i++)
		if (strcmp(personalities[i]->name, name) == 0)
			return personalities[i];
	return NULL;
}
