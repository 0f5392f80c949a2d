/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest suffers from, in words: from two readings of its counters, and the time between.
 * The guest reads its own books (pressure.c), the host's balloonctl what QEMU says of any guest:
 * both judge by the same rules. Host programs include this file.
 *
 * The rules are those that were published with the balloon's tags 10 to 15, and a second
 * witness that they lack, as reclaim that looks effective is none if the pages come straight back.
 */
#ifndef KERNEL_SITUATION_H
#define KERNEL_SITUATION_H

#include <stdint.h>

/*
 * What is read: counts since boot, memory in bytes; only the last one is a level. From
 * READING_REFAULTS to READING_DISK_STALLS only Aerostat itself knows them.
 */
enum reading_value {
	READING_OOM_KILLS,
	READING_STALLS,
	READING_ASYNC_SCANS,
	READING_DIRECT_SCANS,
	READING_ASYNC_RECLAIMS,
	READING_DIRECT_RECLAIMS,
	READING_SWAP_IN,
	READING_SWAP_OUT,
	READING_MAJOR_FAULTS,
	READING_REFAULTS, /* pages that came back soon after they were reclaimed */
	READING_LIMIT_STALLS,
	READING_BALLOON_STALLS,
	READING_DISK_STALLS,
	READING_TOTAL, /* memory, as it is now */
	READING_VALUES,
};

/* X(value, statistic): those that a balloon tells its host, as virtio_balloon_names.h says. */
#define READING_STATS(X) \
	X(READING_OOM_KILLS, STAT_OOM_KILLS) \
	X(READING_STALLS, STAT_ALLOC_STALLS) \
	X(READING_ASYNC_SCANS, STAT_ASYNC_SCANS) \
	X(READING_DIRECT_SCANS, STAT_DIRECT_SCANS) \
	X(READING_ASYNC_RECLAIMS, STAT_ASYNC_RECLAIMS) \
	X(READING_DIRECT_RECLAIMS, STAT_DIRECT_RECLAIMS) \
	X(READING_SWAP_IN, STAT_SWAP_IN) \
	X(READING_SWAP_OUT, STAT_SWAP_OUT) \
	X(READING_MAJOR_FAULTS, STAT_MAJOR_FAULTS) \
	X(READING_TOTAL, STAT_TOTAL_MEMORY)

struct reading {
	uint32_t known; /* bit per enum reading_value */
	uint64_t value[READING_VALUES];
};

/* From the least to the worst. */
enum situation_kind {
	SITUATION_UNKNOWN,   /* too little is known, or the readings are not of one run */
	SITUATION_NONE,	     /* nobody waits for memory in earnest */
	SITUATION_VAIN,	     /* background reclaim finds nothing; worse comes if more is wanted */
	SITUATION_STALLS,    /* waits that are not for the machine's memory: see the cause */
	SITUATION_EFFECTIVE, /* memory is short, and reclaim makes up for it */
	SITUATION_STRUGGLING,
	SITUATION_THRASHING, /* what is reclaimed is wanted again at once */
	SITUATION_CRITICAL,  /* tasks were killed for want of memory */
	SITUATIONS,
};

/* What stalls are for, with SITUATION_STALLS. */
enum stall_cause { STALL_UNKNOWN, STALL_LIMIT, STALL_BALLOON, STALL_DISK, STALL_CAUSES };

enum sureness {
	SURENESS_SURE,	 /* the counters say so */
	SURENESS_LIKELY, /* they say so, and one that could say otherwise is not known */
	SURENESS_GUESS,	 /* said by others that stand for those that are missing */
	SURENESSES,
};

struct situation {
	enum situation_kind kind;
	enum stall_cause cause;
	enum sureness sureness;
};

/* Notes a value as known. */
static inline void reading_set(struct reading *reading, enum reading_value which, uint64_t value)
{
	reading->known |= UINT32_C(1) << which;
	reading->value[which] = value;
}

/* Judges what happened from one reading to the next, `ms` milliseconds, not 0, later. */
struct situation situation_between(const struct reading *before, const struct reading *now,
				   uint64_t ms);

/* Gives the situation in words: "stalls: tasks wait for the balloon, not for reclaim". */
const char *situation_words(const struct situation *situation);

/* Gives one word for programs: "thrashing". */
const char *situation_word(enum situation_kind kind);

/* Gives one word for programs: "balloon". */
const char *stall_cause_word(enum stall_cause cause);

/* Gives one word: "sure", "likely", "guess". */
const char *sureness_word(enum sureness sureness);

/* ---- Readings in a row ---- */

#define READINGS 12
#define READINGS_LEAST_MS 1000
#define READINGS_MOST_MS 10000

/*
 * The readings of the last seconds, one a second at most, and what the situation is since when.
 * All zero is an empty one. Times are in milliseconds, of any clock that does not go back.
 */
struct readings {
	unsigned first, count;
	struct {
		uint64_t time_ms;
		struct reading reading;
	} ring[READINGS];
	struct situation situation;
	uint64_t since_ms;
	/* By what it was judged: the counts of this long, up to the newest reading; 0: none yet. */
	uint64_t over_ms;
	struct reading moved;
};

/*
 * Adds a reading, and judges by it and the oldest one that is 1 to 10 s older; if there is
 * none of these, by the newest one that is older. Until there are two, the situation is unknown.
 * One that follows within a second replaces the one before, but never the only one.
 */
void readings_add(struct readings *readings, const struct reading *reading, uint64_t time_ms);

#endif
