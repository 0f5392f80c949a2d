/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's memory in QEMU: see qemu_memory.h for the contract. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "tests/bench/qemu_memory.h"

__attribute__((noreturn)) static void die(const char *what)
{
	fprintf(stderr, "QEMU's memory: %s\n", what);
	exit(1);
}

uint64_t qemu_memory_find(struct qmp *qmp, uint64_t address)
{
	unsigned long long found;
	char line[48], *text, *is;

	snprintf(line, sizeof(line), "gpa2hva 0x%llx", (unsigned long long)address);
	if (qmp_human(qmp, line, &text))
		die(qmp_error(qmp));
	is = strstr(text, " is ");
	if (!is || sscanf(is, " is %llx", &found) != 1)
		die(text);
	free(text);
	return found;
}

uint16_t qemu_memory_read16(pid_t pid, uint64_t from)
{
	uint16_t value;
	struct iovec local = { .iov_base = &value, .iov_len = sizeof(value) };
	struct iovec remote = { .iov_base = (void *)(uintptr_t)from, .iov_len = sizeof(value) };

	if (process_vm_readv(pid, &local, 1, &remote, 1, 0) != sizeof(value))
		die(strerror(errno));
	return value;
}
