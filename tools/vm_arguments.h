/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vm_arguments.c: QEMU's command line as tools/run.sh makes it, so that what
 * people run is what is tested. What is asked for is in the environment: MACHINE,
 * MEM, GROW, BALLOON and the others that `tools/run.sh --help` names.
 */
#ifndef TOOLS_VM_ARGUMENTS_H
#define TOOLS_VM_ARGUMENTS_H

#include <stddef.h>

/*
 * Fills `args`, which has room for `max` with the NULL at its end: what was filled
 * is the caller's by vm_free_arguments(), also on failure. To be called from the
 * project's root. -E2BIG: there are more; -EIO: run.sh fails, and has said why; or
 * what popen(3) gives.
 */
int vm_read_arguments(char *args[], size_t max);

/* Frees what vm_read_arguments() filled. */
void vm_free_arguments(char *args[]);

#endif
