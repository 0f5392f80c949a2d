/* SPDX-License-Identifier: BSD-2-Clause */
/* What cannot run inside the hypervisor for tests; see inside.h. */
#include "tests/integration/inside.h"

#include <string.h>

#include "tests/integration/harness.h"

static const struct outsider {
	const char *test, *reason;
} outsiders[] = {
	{ "", "" },
};

const char *inside_reason(const char *test, const struct guest_options *guest)
{
	if (guest->firmware && strcmp(guest->firmware, "uefi") == 0)
		return "it starts by UEFI";
	if (guest->hypervisor)
		return "it brings a hypervisor of its own";
	for (size_t i = 0; i < sizeof(outsiders) / sizeof(outsiders[0]); i++)
		if (strcmp(outsiders[i].test, test) == 0)
			return outsiders[i].reason;
	return NULL;
}
