/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/soak/soak.h"
void move_run(const char *name, struct tally *tally)
{
	(void)name;
	(void)tally;
}
