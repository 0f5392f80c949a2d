/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of the road: only where going on would corrupt memory. What a
 * device, the firmware, the host or a person says never leads here.
 */
#ifndef KERNEL_LIB_PANIC_H
#define KERNEL_LIB_PANIC_H

/* Status with which `exit`-capable hosts see a panic or an exception. */
#define PANIC_STATUS 101

/*
 * The parts of a panic, for exceptions: first switches everything off but the
 * console, then a backtrace from the frame pointer `frame` (NULL: the
 * caller's), show_mem, and the stop. A panic in a panic stops at once.
 */
void panic_begin(void);
_Noreturn void panic_end(const void *frame);

/* Prints the message, a backtrace and show_mem, and stops the machine. */
_Noreturn void panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
