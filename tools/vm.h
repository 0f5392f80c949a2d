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
 * Errors: 0 or a negative errno. A wait that fails says on stderr what was
 * waited for, the last serial output, QEMU's stderr and its status:
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
#include <stdio.h>
#include <sys/types.h>

#define VM_PROMPT "aerostat> " /* at the start of a line */
#define VM_CONSOLE_ID "con"    /* chardev of the serial line */
#define VM_TIMEOUT_MS 60000    /* TCG on a loaded machine */
#define VM_OUTPUT_MAX (16 * 1024 * 1024)
#define VM_POLL_MS 20 /* between two looks at QEMU */

struct qmp;
struct vm;

/*
 * Starts QEMU: `argv` ends with NULL, argv[0] is the program (searched in PATH).
 * `name` is for messages. `log_path`, if not NULL, is written anew. Returns when
 * QMP answers; with -S the guest has not run yet. One that aborts before that is
 * started once more. *out is the caller's by vm_stop().
 * -EMFILE: too many run; -E2BIG: too many arguments; -ENOMEM; or what
 * the system calls and qmp_connect() say.
 */
int vm_start(const char *name, const char *const argv[], const char *log_path, struct vm **out);

/*
 * Kills what is left of QEMU, removes the folder, frees; NULL is allowed. A QEMU that
 * hangs in the kernel is waited for half a minute, then complained of and left.
 */
void vm_stop(struct vm *vm);

/* Gives the QMP connection, which is the VM's own and lives until vm_stop(). */
struct qmp *vm_qmp(struct vm *vm);

/* Gives QEMU's process number. */
pid_t vm_pid(const struct vm *vm);

/*
 * Waits until the guest has said `text` since the last match; the next wait looks
 * only at what comes after it. With `before` the caller gets, by free(), what
 * came before it, without carriage returns and NULs. -ETIMEDOUT, -ECONNRESET,
 * -EMSGSIZE, -ENOMEM.
 */
int vm_expect(struct vm *vm, const char *text, int timeout_ms, char **before);

/*
 * Waits for the prompt at the start of a line; otherwise as vm_expect() does, and
 * with its errors: -ETIMEDOUT, -ECONNRESET, -EMSGSIZE, -ENOMEM.
 */
int vm_expect_prompt(struct vm *vm, int timeout_ms, char **before);

/* Tells whether `text` has come since the last match; never waits. */
bool vm_has_said(struct vm *vm, const char *text);

/* Drops what the guest has said until now. */
void vm_forget(struct vm *vm);

/*
 * Sends bytes to the guest's serial line, as they are. -ETIMEDOUT: the guest takes
 * no more; -ECONNRESET.
 */
int vm_send(struct vm *vm, const void *bytes, size_t len);

/*
 * Types `line` at the prompt and waits for the next prompt, both in `timeout_ms`. With `output` the
 * caller gets, by free(), the lines between. Anything that the guest said unasked
 * before is dropped. -ETIMEDOUT, -ECONNRESET, -EMSGSIZE, -ENOMEM.
 */
int vm_command(struct vm *vm, const char *line, int timeout_ms, char **output);

/* Sends a serial Break; errors are those of qmp_execute(), -ENODEV among them. */
int vm_send_break(struct vm *vm);

/*
 * Waits until query-balloon gives `bytes_left`, asking every VM_POLL_MS. -ETIMEDOUT, also
 * of a QEMU that does not answer, or what qmp_query_balloon() gives.
 */
int vm_wait_balloon(struct vm *vm, int64_t bytes_left, int timeout_ms);

/*
 * Waits for QEMU's end; *status is its exit status, or 128 + the signal that
 * killed it. -ETIMEDOUT.
 */
int vm_wait_exit(struct vm *vm, int timeout_ms, int *status);

/* Tells on stderr how things stand, under the headline `what`. */
void vm_report(struct vm *vm, const char *what);

/*
 * Prints what a guest or QEMU said: lines and tabs as they are, nothing that could
 * upset a terminal.
 */
void vm_print(FILE *out, const char *text, size_t len);

#endif
