/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * latency.c: how soon the driver was, by the guest's own black box (`events -j`;
 * drivers/xen/xen_stamps.h). It is printed, and never judged: the processor is an emulator's.
 */
#ifndef TESTS_XEN_LATENCY_H
#define TESTS_XEN_LATENCY_H

#include <stdint.h>

struct json_object;

/* Returns the time of the last event, in ns; 0: there is none. */
uint64_t latency_end(struct json_object *events);

/*
 * Notes the targets after `from_ns`: for each, how long it took from the interrupt that told of it
 * to the first call for memory. Fails the running test if there is none.
 */
void latency_note(struct json_object *events, uint64_t from_ns);

/* Prints the median and the longest of what was noted, and forgets it. */
void latency_print(void);

/*
 * Prints how long it took a domain from the store's first answer to a balloon that is full, and in
 * how many calls. Fails the running test if one of the two is not recorded.
 */
void latency_print_start(struct json_object *events, uint64_t calls);

#endif
