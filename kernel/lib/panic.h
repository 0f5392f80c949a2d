/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of the road: only where going on would corrupt memory. What a
 * device, the firmware, the host or a person says never leads here; a failing
 * assert() does. A panic prints the reason, a backtrace and its last words,
 * leaves an epitaph (epitaph.h), and stops the machine. A second panic on the
 * way stops it at once.
 */
#ifndef KERNEL_LIB_PANIC_H
#define KERNEL_LIB_PANIC_H

#include <stddef.h>
#include <stdint.h>

/* Status with which `exit`-capable hosts see a panic or an exception. */
#define PANIC_STATUS 101

/* The parts of a panic that depend on the machine. */
struct panic_hooks {
	/* Turns interrupts off; text is on its way when the console's hook returns. */
	void (*begin)(void);

	/* Stores at most `max` return addresses, from frame pointer `frame` on; how many. */
	size_t (*backtrace)(const void *frame, uint64_t *address, size_t max);

	/* Returns the function that an address lies in, and the offset in it; or NULL. */
	const char *(*symbol)(uint64_t address, uint64_t *offset);

	/* Prints what else helps to understand it. May itself panic. */
	void (*last_words)(void);

	/* Stops the machine, with a status if it has a way to show one. */
	void (*halt)(uint8_t status);
};

/* Keeps `hooks`, which all are there. A panic before stops in an endless loop. */
void panic_set_hooks(const struct panic_hooks *hooks);

/*
 * The parts of a panic, for exceptions, which have more to print between them.
 * The first prints the message; the second is given the frame pointer of what
 * was interrupted (NULL: none), for the backtrace, and the address `at` where
 * it happened.
 */
void panic_begin(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void panic_end(const void *frame, uint64_t at);

/* Does all of it, for a reason that the message tells. */
_Noreturn void panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
