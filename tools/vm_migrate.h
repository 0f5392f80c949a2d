/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vm_migrate.c: moves a VM into another QEMU or a file, by QMP's commands. Both
 * sides are VMs of vm.h. Errors are those of qmp.h and
 *	-EREMOTEIO	the migration has failed, or QEMU refuses the command
 *	-ETIMEDOUT	not within the deadline
 * and each is told on stderr as vm.h says.
 */
#ifndef TOOLS_VM_MIGRATE_H
#define TOOLS_VM_MIGRATE_H

#include <stdbool.h>
#include <stdint.h>

struct vm;

/* Begins a migration to the URI `where`, and does not wait. -EREMOTEIO, -ETIMEDOUT. */
int vm_migrate_begin(struct vm *vm, const char *where);

/*
 * Lets a VM that was started with "-incoming defer" wait for a state from the URI
 * `where`; once this returns, a migration to it can begin. -EREMOTEIO, -ETIMEDOUT.
 */
int vm_migrate_incoming(struct vm *vm, const char *where);

/* Limits what migrations send, in bytes a second. -EREMOTEIO, -ETIMEDOUT. */
int vm_migrate_limit(struct vm *vm, int64_t bytes_a_second);

/* Limits for how long a migration stops the guest at its end, in ms. -EREMOTEIO, -ETIMEDOUT. */
int vm_migrate_limit_pause(struct vm *vm, int ms);

/*
 * Waits until query-migrate gives the status `wanted`, on either side. -EREMOTEIO:
 * it has failed or ended in another way; -ETIMEDOUT; or what qmp.h has.
 */
int vm_migrate_wait(struct vm *vm, const char *wanted, int timeout_ms);

#endif
