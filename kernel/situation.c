/* SPDX-License-Identifier: BSD-2-Clause */
/* From two readings to a situation: see situation.h. The guest has no floating point. */
#include "kernel/situation.h"

#include <assert.h>

#include "kernel/lib/types.h"

/* Thresholds, as measured on a Linux guest in each of the situations. */
#define STALLS_HIGH 5	     /* a second */
#define SCANS_HIGH_PERCENT 1 /* of memory a second */
#define THRASHING_PERCENT 30 /* of the pages that were scanned, fewer were reclaimed */
#define EFFECTIVE_PERCENT 70 /* more were */

typedef unsigned __int128 wide; /* a host's figures may be anything: no product overflows */

/* What happened between two readings. */
struct change {
	uint32_t known;
	uint64_t by[READING_VALUES];
	uint64_t total; /* memory; 0: not known */
	uint64_t ms;
};

#define BIT_OF(value) (UINT32_C(1) << (value))
#define RECLAIM_KNOWN \
	(BIT_OF(READING_STALLS) | BIT_OF(READING_ASYNC_SCANS) | BIT_OF(READING_DIRECT_SCANS) | \
	 BIT_OF(READING_ASYNC_RECLAIMS) | BIT_OF(READING_DIRECT_RECLAIMS))
#define CAUSES_KNOWN \
	(BIT_OF(READING_LIMIT_STALLS) | BIT_OF(READING_BALLOON_STALLS) | \
	 BIT_OF(READING_DISK_STALLS))
#define DISK_KNOWN (BIT_OF(READING_SWAP_IN) | BIT_OF(READING_MAJOR_FAULTS))
#define SWAP_KNOWN (DISK_KNOWN | BIT_OF(READING_SWAP_OUT))

/* ---- What has changed ---- */

/* false: a count has gone back, which is that of another run. */
static bool find_change(const struct reading *before, const struct reading *now, uint64_t ms,
			struct change *change)
{
	*change = (struct change){ .known = before->known & now->known, .ms = ms };
	for (unsigned i = 0; i < READING_TOTAL; i++) {
		if (!(change->known & BIT_OF(i)))
			continue;
		if (now->value[i] < before->value[i])
			return false;
		change->by[i] = now->value[i] - before->value[i];
	}
	if (now->known & BIT_OF(READING_TOTAL))
		change->total = now->value[READING_TOTAL];
	return true;
}

static bool knows(const struct change *change, uint32_t values)
{
	return (change->known & values) == values;
}

static bool stalls_are_high(const struct change *change)
{
	return (wide)change->by[READING_STALLS] * 1000 > (wide)change->ms * STALLS_HIGH;
}

/* Whether so many bytes are many for the memory and the time. */
static bool are_many(const struct change *change, wide bytes)
{
	return bytes * 100 * 1000 > (wide)change->total * change->ms * SCANS_HIGH_PERCENT;
}

static bool is_below(wide part, wide whole, unsigned percent)
{
	return part * 100 < whole * percent;
}

/* ---- The rules ---- */

/* Faults are not bytes; each of them has brought a page at least. */
static wide faulted_bytes(const struct change *change)
{
	return (wide)change->by[READING_MAJOR_FAULTS] * FRAME_SIZE;
}

/*
 * The second witness: over half of what is reclaimed comes back. Who does not count that can be
 * told by what a disk had to bring.
 */
static bool comes_back(const struct change *change, enum sureness *sureness)
{
	const uint64_t *by = change->by;
	wide reclaimed = (wide)by[READING_ASYNC_RECLAIMS] + by[READING_DIRECT_RECLAIMS];
	wide back;

	if (!are_many(change, reclaimed))
		return false;
	if (knows(change, BIT_OF(READING_REFAULTS))) {
		*sureness = SURENESS_SURE;
		back = by[READING_REFAULTS];
	} else {
		*sureness = SURENESS_LIKELY;
		back = knows(change, DISK_KNOWN) ? by[READING_SWAP_IN] + faulted_bytes(change) : 0;
	}
	return back * 2 > reclaimed;
}

/* The largest of those that are known, if they explain half of the stalls. */
static enum stall_cause find_cause(const struct change *change)
{
	static const enum reading_value values[STALL_CAUSES] = {
		[STALL_LIMIT] = READING_LIMIT_STALLS,
		[STALL_BALLOON] = READING_BALLOON_STALLS,
		[STALL_DISK] = READING_DISK_STALLS,
	};
	enum stall_cause most = STALL_UNKNOWN;
	uint64_t most_stalls = 0;
	wide explained = 0;

	for (enum stall_cause i = STALL_LIMIT; i < STALL_CAUSES; i++) {
		uint64_t stalls = change->by[values[i]];

		explained += stalls;
		if (stalls <= most_stalls)
			continue;
		most = i;
		most_stalls = stalls;
	}
	return explained * 2 >= change->by[READING_STALLS] ? most : STALL_UNKNOWN;
}

/* Tasks wait, and no memory is looked through for them. */
static struct situation judge_stalls(const struct change *change)
{
	struct situation result = { .kind = SITUATION_STALLS, .sureness = SURENESS_LIKELY };

	if (!knows(change, CAUSES_KNOWN))
		return result;
	result.sureness = SURENESS_SURE;
	result.cause = find_cause(change);
	/* It is the machine's memory after all, of which nothing can be reclaimed. */
	if (result.cause == STALL_UNKNOWN)
		result.kind = SITUATION_STRUGGLING;
	return result;
}

/* Tasks wait, and look through memory themselves. */
static enum situation_kind judge_ratio(const struct change *change)
{
	uint64_t scanned = change->by[READING_DIRECT_SCANS];
	uint64_t reclaimed = change->by[READING_DIRECT_RECLAIMS];

	if (is_below(reclaimed, scanned, THRASHING_PERCENT))
		return SITUATION_THRASHING;
	return (wide)reclaimed * 100 > (wide)scanned * EFFECTIVE_PERCENT ? SITUATION_EFFECTIVE
									 : SITUATION_STRUGGLING;
}

static bool background_is_in_vain(const struct change *change)
{
	const uint64_t *by = change->by;

	return are_many(change, by[READING_ASYNC_SCANS]) &&
	       is_below(by[READING_ASYNC_RECLAIMS], by[READING_ASYNC_SCANS], THRASHING_PERCENT);
}

/* With all counters of reclaim. */
static struct situation judge(const struct change *change)
{
	const uint64_t *by = change->by;
	bool scans = are_many(change, (wide)by[READING_ASYNC_SCANS] + by[READING_DIRECT_SCANS]);
	bool global = stalls_are_high(change) && scans && by[READING_DIRECT_SCANS] > 0;
	/* Where nobody counts what comes back, or whose limit it is, it may be otherwise. */
	struct situation result = { .sureness = SURENESS_SURE };
	enum sureness unseen = knows(change, BIT_OF(READING_REFAULTS) | CAUSES_KNOWN)
				       ? SURENESS_SURE
				       : SURENESS_LIKELY;

	if (global)
		result.kind = judge_ratio(change);
	if (result.kind == SITUATION_THRASHING)
		return result;
	if (scans && comes_back(change, &result.sureness)) {
		result.kind = SITUATION_THRASHING;
		return result;
	}
	result.sureness = unseen;
	/* Reclaim that waits for a slow disk, say, is not what is wrong. */
	if (global && !(knows(change, CAUSES_KNOWN) && find_cause(change) != STALL_UNKNOWN))
		return result;
	if (stalls_are_high(change))
		return judge_stalls(change);
	result.kind = SITUATION_NONE;
	if (background_is_in_vain(change))
		result = (struct situation){ .kind = SITUATION_VAIN };
	return result;
}

/* By what a disk moves alone, as with a QEMU that does not know the tags from 10 on. */
static struct situation guess(const struct change *change)
{
	struct situation result = { .kind = SITUATION_NONE, .sureness = SURENESS_GUESS };
	bool in, out, files;

	if (!knows(change, SWAP_KNOWN))
		return (struct situation){ .kind = SITUATION_UNKNOWN };
	in = are_many(change, change->by[READING_SWAP_IN]);
	out = are_many(change, change->by[READING_SWAP_OUT]);
	/* Faults for which nothing was swapped in are for files. */
	files = faulted_bytes(change) > change->by[READING_SWAP_IN] &&
		are_many(change, faulted_bytes(change) - change->by[READING_SWAP_IN]);
	if ((in && out) || files)
		result.kind = SITUATION_THRASHING;
	else if (out)
		result.kind = SITUATION_EFFECTIVE;
	return result;
}

struct situation situation_between(const struct reading *before, const struct reading *now,
				   uint64_t ms)
{
	struct change change;

	assert(ms > 0);
	if (!find_change(before, now, ms, &change))
		return (struct situation){ .kind = SITUATION_UNKNOWN };
	if (change.by[READING_OOM_KILLS] > 0)
		return (struct situation){ .kind = SITUATION_CRITICAL };
	return knows(&change, RECLAIM_KNOWN) ? judge(&change) : guess(&change);
}

/* ---- Words ---- */

const char *situation_words(const struct situation *situation)
{
	static const char *const kinds[SITUATIONS] = {
		[SITUATION_UNKNOWN] = "not known yet",
		[SITUATION_NONE] = "no pressure",
		[SITUATION_VAIN] = "background reclaim finds nothing",
		[SITUATION_EFFECTIVE] = "memory pressure, reclaim is effective",
		[SITUATION_STRUGGLING] = "memory pressure, reclaim struggles",
		[SITUATION_THRASHING] = "thrashing: what is reclaimed is wanted again",
		[SITUATION_CRITICAL] = "critical: tasks are killed for want of memory",
	};
	static const char *const stalls[STALL_CAUSES] = {
		[STALL_UNKNOWN] = "waits for a limit, the balloon or a slow disk",
		[STALL_LIMIT] = "waits at a task's own limit",
		[STALL_BALLOON] = "waits for the balloon",
		[STALL_DISK] = "waits for a slow disk",
	};

	assert(situation->kind < SITUATIONS && situation->cause < STALL_CAUSES);
	return situation->kind == SITUATION_STALLS ? stalls[situation->cause]
						   : kinds[situation->kind];
}

const char *situation_word(enum situation_kind kind)
{
	static const char *const words[SITUATIONS] = {
		"unknown",   "none",	   "background-in-vain", "stalls",
		"effective", "struggling", "thrashing",		 "critical",
	};

	assert(kind < SITUATIONS);
	return words[kind];
}

const char *stall_cause_word(enum stall_cause cause)
{
	static const char *const words[STALL_CAUSES] = { "unknown", "limit", "balloon", "disk" };

	assert(cause < STALL_CAUSES);
	return words[cause];
}

const char *sureness_word(enum sureness sureness)
{
	static const char *const words[SURENESSES] = { "sure", "likely", "guess" };

	assert(sureness < SURENESSES);
	return words[sureness];
}
