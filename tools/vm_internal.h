/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared by the two files of a VM: vm_start.c starts QEMU and cleans up after
 * it, vm.c does what lies between. Only these files include it.
 */
#ifndef TOOLS_VM_INTERNAL_H
#define TOOLS_VM_INTERNAL_H

#include <stdio.h>

#include "tools/vm.h"

struct vm {
	char name[64];
	char dir[64]; /* mode 0700, made by mkdtemp */
	char qmp_path[96];
	pid_t pid; /* 0: never started or reaped */
	bool exited;
	int status; /* valid when exited */
	int serial;
	int errors; /* QEMU's stdout and stderr, a file */
	FILE *log;
	struct qmp *qmp;
	char *out; /* all that the guest has said */
	size_t len, size;
	size_t pos; /* end of the last match */
};

/* Takes note if QEMU has ended. */
void vm_look_for_exit(struct vm *vm);

/* Reports on stderr, as vm_report() does, under the headline; returns `err`. */
__attribute__((format(printf, 3, 4))) int vm_fail(struct vm *vm, int err, const char *format, ...);

#endif
