/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vm.c: one QEMU with an Aerostat guest, driven from a host program.
 *
 * QEMU is started from an argument vector, never through a shell, and gets a
 * serial line and a QMP socket of its own (so the vector must have neither).
 * It dies with this process, however that ends; its temporary folder goes
 * too, SIGKILL of this process excepted. All serial traffic to us is in the
 * log file. One process must not use this from two threads.
 *
 * Errors: 0 or a negative errno. Whoever waits in vain finds on stderr what
 * was waited for, the last serial output, QEMU's stderr and its status:
 *	-ETIMEDOUT	not within the deadline
 *	-ECONNRESET	QEMU is gone, or has closed the serial line
 *	-EMSGSIZE	the guest said more than VM_OUTPUT_MAX bytes
 * QMP errors come through as qmp.h has them.
 */
#ifndef TOOLS_VM_H
#define TOOLS_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define VM_PROMPT "aerostat> " /* at the start of a line */
#define VM_CONSOLE_ID "con"    /* chardev of the serial line */
#define VM_TIMEOUT_MS 60000    /* TCG on a loaded machine */
#define VM_OUTPUT_MAX (16 * 1024 * 1024)

struct qmp;
struct vm;

/*
 * Start QEMU: @argv ends with NULL, argv[0] is the program (searched in
 * PATH). @name is for messages. @log_path, if not NULL, is written anew.
 * Returns when QMP answers; with -S the guest has not run yet.
 */
int vm_start(const char *name, const char *const argv[], const char *log_path, struct vm **out);

/* Kill what is left of QEMU, remove the folder, free; NULL is allowed. */
void vm_stop(struct vm *vm);

/* The QMP connection; the VM's own, alive until vm_stop(). */
struct qmp *vm_qmp(struct vm *vm);

/* The path of the QMP socket, for other programs once ours is closed. */
const char *vm_qmp_path(const struct vm *vm);

pid_t vm_pid(const struct vm *vm);

/*
 * Wait until the guest has said @text since the last match, and stop behind
 * it. With @before the caller gets (free()s) what came before it; carriage
 * returns and NULs are left out.
 */
int vm_expect(struct vm *vm, const char *text, int timeout_ms, char **before);

/* The same for the prompt at the start of a line. */
int vm_expect_prompt(struct vm *vm, int timeout_ms, char **before);

/* Whether @text has come since the last match; never waits. */
bool vm_has_said(struct vm *vm, const char *text);

/* Forget what the guest has said until now. */
void vm_forget(struct vm *vm);

/* Bytes to the guest's serial line, as they are. */
int vm_send(struct vm *vm, const void *bytes, size_t len);

/*
 * Type @line at the prompt and wait for the next prompt. With @output the
 * caller gets (free()s) the lines between. What the guest said unasked
 * before is dropped.
 */
int vm_command(struct vm *vm, const char *line, int timeout_ms, char **output);

/* A serial Break. */
int vm_send_break(struct vm *vm);

/* Wait until query-balloon gives @bytes_left; asks every 20 ms. */
int vm_wait_balloon(struct vm *vm, int64_t bytes_left, int timeout_ms);

/*
 * Wait for QEMU's end. *@status is its exit status, or 128 + the signal that
 * killed it.
 */
int vm_wait_exit(struct vm *vm, int timeout_ms, int *status);

/* Tell on stderr how things stand, under the headline @what. */
void vm_report(struct vm *vm, const char *what);

#endif
