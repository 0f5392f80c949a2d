/* SPDX-License-Identifier: BSD-2-Clause */
/* panic() for host tests of what must end in one. */
#ifndef TESTS_SIM_SIM_PANIC_H
#define TESTS_SIM_SIM_PANIC_H

#include <setjmp.h>

/* Where panic() goes on: if (!setjmp(sim_panic_return)) { ... fail(); } */
extern jmp_buf sim_panic_return;

/* What it said last. */
extern char sim_panic_words[120];

#endif
