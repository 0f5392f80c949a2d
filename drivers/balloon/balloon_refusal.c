/* SPDX-License-Identifier: BSD-2-Clause */
/* Counting, pausing, forgiving; see balloon_refusal.h. */
#include "drivers/balloon/balloon_refusal.h"

#include <assert.h>
#include <string.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon_events.h"
#include "mm/frame.h"

_Static_assert(BALLOON_PAUSE_MAX_NS % BALLOON_PAUSE_MIN_NS == 0, "it doubles up to the longest");

static void begin_pause(struct balloon_refusals *refusal)
{
	uint64_t now = clock_ns();

	/* Several batches may be refused for the same reason. */
	if (now < refusal->pause_end)
		return;
	refusal->pause_ns = refusal->pause_ns == 0
				    ? BALLOON_PAUSE_MIN_NS
				    : min_u64(2 * refusal->pause_ns, BALLOON_PAUSE_MAX_NS);
	refusal->pause_end = now + refusal->pause_ns;
	refusal->pauses++;
}

void balloon_refusal_note(struct balloon_refusals *refusal, enum balloon_refusal why, bool deflates,
			  pfn_t first, uint64_t count)
{
	assert(why < BALLOON_REFUSALS);
	assert(count > 0);
	refusal->frames[why] += count;
	if (why != BALLOON_REFUSED_FRAME)
		begin_pause(refusal);
	else if (deflates)
		refusal->passed = max_u64(refusal->passed, first + count);
	else
		refusal->has_aside = true;
}

void balloon_refusal_note_progress(struct balloon_refusals *refusal)
{
	refusal->pause_ns = 0;
	refusal->pause_end = 0;
	refusal->pauses = 0;
}

void balloon_refusal_exhausted(struct balloon_refusals *refusal)
{
	if (refusal->has_aside || refusal->passed)
		begin_pause(refusal);
}

pfn_t balloon_refusal_passed(const struct balloon_refusals *refusal)
{
	return refusal->passed;
}

uint64_t balloon_refusal_pause_end(const struct balloon_refusals *refusal)
{
	return refusal->pause_end;
}

size_t balloon_refusal_release(struct balloon_refusals *refusal)
{
	if (!refusal->has_aside)
		return 0;
	refusal->has_aside = false;
	return (size_t)frame_free_owned(OWNER_REFUSED, UINT64_MAX);
}

/* It may be asked for anything again. */
static void ask_anew(struct balloon_refusals *refusal)
{
	refusal->passed = 0;
	balloon_refusal_release(refusal);
}

bool balloon_refusal_is_pause(struct balloon_refusals *refusal)
{
	if (refusal->pause_end == 0)
		return false;
	if (clock_ns() < refusal->pause_end)
		return true;
	/* How long it was is remembered: the next one is longer. */
	refusal->pause_end = 0;
	ask_anew(refusal);
	return false;
}

void balloon_refusal_forgive(struct balloon_refusals *refusal)
{
	balloon_refusal_note_progress(refusal);
	ask_anew(refusal);
}

void balloon_refusal_record(struct balloon_refusals *refusal)
{
	for (unsigned why = 0; why < BALLOON_REFUSALS; why++) {
		uint64_t more = refusal->frames[why] - refusal->recorded[why];

		if (more > 0)
			events_record(refusal->events, lib_time_ns(), BALLOON_EVENT_REFUSED, more,
				      why);
		refusal->recorded[why] = refusal->frames[why];
	}
}

void balloon_refusal_tries(const struct balloon_refusals *refusal, struct balloon_tries *tries)
{
	tries->count = refusal->pauses + 1;
	tries->pause_ns = max_u64(refusal->pause_ns, BALLOON_PAUSE_MIN_NS);
}

void balloon_refusal_counts(const struct balloon_refusals *refusal,
			    uint64_t frames[BALLOON_REFUSALS])
{
	memcpy(frames, refusal->frames, sizeof(refusal->frames));
}
