/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * subject.c: a guest of the hypervisor for tests: an Aerostat, or the Linux that
 * tests/witness/fetch.sh has made, whose own driver shall bear witness of the host that is played.
 * Both are driven by the same plan; whatever is not as it must be fails the test.
 *
 * BUILD (where the images are; "build" without it) and QEMU are in the environment.
 */
#ifndef TESTS_WITNESS_SUBJECT_H
#define TESTS_WITNESS_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/hypervisor.h"
#include "tools/vm.h"

#define SUBJECT_FILE_LINES 48

struct subject {
	bool is_linux;
	struct vm *vm;
	struct hypervisor *hypervisor;
	volatile struct hv_control_common *common;
};

/* Starts one on a personality, and waits for its prompt. By subject_stop(). */
struct subject subject_start(bool is_linux, const char *personality);

/* Fails the test if the guest has made a mistake that the host has seen. */
void subject_stop(struct subject *subject);

/* Types a line; returns what is printed, by free(). */
char *subject_ask(struct subject *subject, const char *line);

/* Lets the host look at once. */
void subject_ring(struct subject *subject);

/* A look at something that takes its time: until when, and what is waited for. */
struct patience {
	const struct subject *subject;
	int64_t deadline;
	const char *what;
};

/* Begins a wait for so long as a busy machine may need. */
struct patience patience_begin(const struct subject *subject, const char *what);

/* Sleeps a little, and fails the test when the time is over. */
void patience_wait(const struct patience *patience);

/* Waits until a figure of the host's is from `least` to `most`. `what` is in the complaint. */
void subject_await(struct subject *subject, const volatile uint64_t *figure, uint64_t least,
		   uint64_t most, const char *what);

/* Waits until a smaller one is `value`. */
void subject_await_step(struct subject *subject, const volatile uint32_t *figure, uint32_t value,
			const char *what);

/* A guest file: lines of a name and figures. All zero: none. */
struct guest_file {
	char *text; /* by guest_file_free() */
	size_t count;
	const char *name[SUBJECT_FILE_LINES], *value[SUBJECT_FILE_LINES];
};

/* Reads it: Aerostat's command, or Linux's file in /sys/kernel/debug. */
struct guest_file subject_read(struct subject *subject, const char *command, const char *path);
void guest_file_free(struct guest_file *file);

/* Gives the figure in the first line of a name; the one in parentheses, of failures. */
uint64_t guest_file_figure(const struct guest_file *file, const char *name);
uint64_t guest_file_failed(const struct guest_file *file, const char *name);

/* Fails the test unless both have the same names in the same order. */
void guest_file_compare_names(const struct guest_file *one, const struct guest_file *other);

/* A plan on a personality. */
struct plan {
	const char *personality;
	size_t steps;
	/* Takes a guest through them, and stores its file after each, by guest_file_free(). */
	void (*go_through)(struct subject *subject, struct guest_file *files);
};

extern const struct plan vmware_plan, hyperv_plan;

#endif
