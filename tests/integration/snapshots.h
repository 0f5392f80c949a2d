/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * snapshots.c: a place for the monitor's savevm and loadvm in a guest that has no disk.
 * It fails the running test when something is not as it must be.
 */
#ifndef TESTS_INTEGRATION_SNAPSHOTS_H
#define TESTS_INTEGRATION_SNAPSHOTS_H

struct vm;

/*
 * Makes an image, and gives it to the machine; its file has no name and goes with QEMU. QEMU
 * itself makes it, so that no other program is needed, and the guest does not see it.
 */
void snapshots_add(struct vm *vm);

#endif
