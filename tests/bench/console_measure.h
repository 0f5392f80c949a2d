/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * console_measure.c: how long a guest's console takes to answer while the guest works,
 * each work in a guest of its own kind of memory.
 */
#ifndef TESTS_BENCH_CONSOLE_MEASURE_H
#define TESTS_BENCH_CONSOLE_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/bench/samples.h"

/* What QEMU takes the guest's RAM from. */
enum console_backing { ANONYMOUS, SHARED, HUGETLB, CONSOLE_BACKINGS };

/* What is asked, and answered. */
enum console_probe {
	COMMAND,   /* `uptime`, until the next prompt */
	INTERRUPT, /* Ctrl-C, until the next prompt: while a command runs, or none */
	TARGET,	   /* 1 MiB more or less for the balloon, until QEMU knows that it is done */
	CONSOLE_PROBES,
};

/* What the guest does meanwhile. */
enum console_work {
	IDLE,
	INFLATE_PORTABLE,
	INFLATE_WHOLE_BLOCK,
	INFLATE_RANGE_FIRST,
	DEFLATE,
	DEFLATE_POISON,
	REPORT,
	HINT,
	AUDIT,
	HOLD,
	CONSOLE_WORKS,
};

/* Set by the program's options. */
struct console_options {
	const char *qemu, *machine, *aerostat;
	uint64_t populated; /* bytes of RAM, the lowest, that are there before the guest starts */
	double seconds;	    /* at most, of a work under each probe */
};
extern struct console_options console_options;

/*
 * One guest's size and backing, and the answer times in ms; and how much of the processors
 * QEMU had meanwhile: where that is much less, others had them, and the guest is not to blame.
 */
struct console_place {
	char memory[16];
	uint64_t bytes;
	enum console_backing backing;
	struct samples ms[CONSOLE_WORKS][CONSOLE_PROBES];
	struct samples processor_ms[CONSOLE_WORKS][CONSOLE_PROBES];
};

/* Give the name of a backing, a work, a probe: one word. */
const char *console_backing_key(enum console_backing backing);
const char *console_work_key(enum console_work work);
const char *console_probe_key(enum console_probe probe);

/* Counts the bytes of 2 MiB pages that are set aside and free. */
uint64_t console_huge_pages_free(void);

/* Measures all works of a place. Errors end the program with a message. */
void console_measure(struct console_place *place);

#endif
