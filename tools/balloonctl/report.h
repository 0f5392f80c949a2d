/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.c: a guest's state and statistics as JSON and as lines, the same in
 * every command that shows them.
 */
#ifndef TOOLS_BALLOONCTL_REPORT_H
#define TOOLS_BALLOONCTL_REPORT_H

#include "tools/balloonctl/poller.h"

struct json_object;

#define REPORT_SITUATION 128

/*
 * Makes {"guest": name, "ram":, "left":, "taken":, "base":, "dimms":, "grown":, "requested":,
 * "memory-devices": [{"id":, "block":, "region":, "requested":, "plugged":, "driver":}...],
 * "memory-devices-unlisted":, "balloon":, "paused":, "panicked":, "target": {"left":, "taken":},
 * "driver":, "complaint":, "features": [...], "offered": [...]}; members that are not known are
 * absent. The caller's by json_object_put(), as are the others.
 */
struct json_object *report_state(const struct guest *guest, const struct guest_state *state);

/*
 * Makes what report_state() makes, without features, of a guest that the look found, and of a
 * busy one that was seen before; else only "guest". Adds "error", if the look failed, and
 * "condition", a word for `condition`.
 */
struct json_object *report_condition(const char *name, const struct sample *sample,
				     enum condition condition);

/*
 * Makes report_condition() with all else that a look has found: "age" (seconds at `now`, by
 * deadline_now()), report_add_stats(), whose age is that at `now`, report_add_situation(), and
 * "host": {"memory":, "cpu-seconds":}. Only members that are known.
 */
struct json_object *report_look(const char *name, const struct sample *sample,
				enum condition condition, int64_t now);

/*
 * Adds "statistics" (QMP's names; only what was sent), "statistics-age" (in
 * seconds; if there ever were any) and "polling-interval".
 */
void report_add_stats(struct json_object *all, const struct guest_stats *stats);

/* Adds "situation": {"is":, "cause":, "sureness":}, unless it is unknown; stalls have a cause. */
void report_add_situation(struct json_object *all, const struct situation *situation);

/* Writes the situation in words and, if it is known, how sure that is: "thrashing ... (sure)". */
void report_write_situation(const struct situation *situation, char *text, size_t size);

/* Prints it on one line of stdout; consumes `all`. */
void report_print_json(struct json_object *all);

/*
 * Prints "RAM  1.000 GiB" and, of a guest with DIMMs or virtio-mem devices, what it is made of:
 * a line each for base, DIMMs, what has grown, and each device.
 */
void report_print_memory(const struct guest_state *state);

/* Prints "Grown  1.000 GiB plugged  2.000 GiB requested", without the line's end. */
void report_print_grown(uint64_t plugged, uint64_t requested);

/*
 * Prints what came of a new target as one line of JSON: report_state() with "status" and
 * "outcome", a word for it. `waited`: the command has waited for the guest.
 */
void report_print_outcome(const struct guest *guest, const struct guest_state *state, int status,
			  bool waited);

/* Prints "Target  768.0 MiB left  256.0 MiB taken", and a line with Actual. */
void report_print_amounts(const struct guest_state *state);

/* Prints a headline with the age, and a line for each statistic. */
void report_print_stats(const struct guest_stats *stats);

#endif
