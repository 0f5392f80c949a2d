/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pressure_harness.c: guests under memory pressure. Every function fails the running test when
 * something is not as it must be; waits have a generous deadline, and say what they waited for.
 */
#ifndef TESTS_INTEGRATION_PRESSURE_HARNESS_H
#define TESTS_INTEGRATION_PRESSURE_HARNESS_H

#include "tests/integration/harness.h"

/*
 * Returns how often the situations are gone through: more with SLOW=1, PRESSURES times in the
 * soak.
 */
unsigned pressure_rounds(void);

/* Makes a file of zeros without a name: it goes with the test's process. Returns its descriptor. */
int pressure_make_file(uint64_t bytes);

/*
 * Adds QEMU's words for a disk that is this file, with that serial; `more` goes to the file's
 * node.
 */
void pressure_add_disk(char *extra, size_t size, const char *serial, int fd, const char *more);

/* Waits until a workload, "anon 4.0 MiB", has done so many of " touches" or " pages verified". */
void pressure_wait_workload(struct vm *vm, const char *workload, const char *what, uint64_t wanted);

/* Ends all workloads; then nothing is theirs, the ledger is whole, and no page was wrong. */
void pressure_stop_all(struct vm *vm);

/* Waits until `pressure` names a situation, and why tasks wait, if `cause` is not NULL. */
void pressure_wait_situation(struct vm *vm, const char *word, const char *cause);

#endif
