/* SPDX-License-Identifier: BSD-2-Clause */
/* personalities.c: those that this hypervisor has, by name. */
#ifndef TESTS_HYPERVISOR_PERSONALITIES_H
#define TESTS_HYPERVISOR_PERSONALITIES_H

#include "tests/hypervisor/personality.h"

/* Finds one by its name; NULL: there is none. */
const struct personality *personality_find(const char *name);

#endif
