/* SPDX-License-Identifier: BSD-2-Clause */
/* Counting, pausing, forgiving; see balloon_refusal.h. */
#include "drivers/balloon/balloon_refusal.h"

#include <assert.h>
#include <string.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon_events.h"
#include "mm/frame.h"
#include "mm/ledger.h"

_Static_assert(BALLOON_PAUSE_MAX_NS % BALLOON_PAUSE_MIN_NS == 0, "it doubles up to the longest");

static struct {
	uint64_t pause_ns;  /* of the last pause; 0: there was progress since */
	uint64_t pause_end; /* 0: there is none */
	uint64_t pauses;    /* begun since there was progress */
	pfn_t passed;	    /* deflating: frames below were refused */
	uint64_t frames[BALLOON_REFUSALS];
	uint64_t recorded[BALLOON_REFUSALS]; /* of them, as events */
} refusal;

static void begin_pause(void)
{
	uint64_t now = clock_ns();

	/* Several batches may be refused for the same reason. */
	if (now < refusal.pause_end)
		return;
	refusal.pause_ns = refusal.pause_ns == 0
				   ? BALLOON_PAUSE_MIN_NS
				   : min_u64(2 * refusal.pause_ns, BALLOON_PAUSE_MAX_NS);
	refusal.pause_end = now + refusal.pause_ns;
	refusal.pauses++;
}

void balloon_refusal_note(enum balloon_refusal why, bool deflates, pfn_t first, uint64_t count)
{
	assert(why < BALLOON_REFUSALS);
	assert(count > 0);
	refusal.frames[why] += count;
	if (why != BALLOON_REFUSED_FRAME)
		begin_pause();
	else if (deflates)
		refusal.passed = max_u64(refusal.passed, first + count);
}

void balloon_refusal_note_progress(void)
{
	refusal.pause_ns = 0;
	refusal.pause_end = 0;
	refusal.pauses = 0;
}

void balloon_refusal_exhausted(void)
{
	if (ledger_count(OWNER_REFUSED) > 0 || refusal.passed)
		begin_pause();
}

pfn_t balloon_refusal_passed(void)
{
	return refusal.passed;
}

uint64_t balloon_refusal_pause_end(void)
{
	return refusal.pause_end;
}

size_t balloon_refusal_release(void)
{
	return ledger_count(OWNER_REFUSED) > 0 ? (size_t)frame_free_owned(OWNER_REFUSED, UINT64_MAX)
					       : 0;
}

/* It may be asked for anything again. */
static void ask_anew(void)
{
	refusal.passed = 0;
	balloon_refusal_release();
}

bool balloon_refusal_is_pause(void)
{
	if (refusal.pause_end == 0)
		return false;
	if (clock_ns() < refusal.pause_end)
		return true;
	/* How long it was is remembered: the next one is longer. */
	refusal.pause_end = 0;
	ask_anew();
	return false;
}

void balloon_refusal_forgive(void)
{
	balloon_refusal_note_progress();
	ask_anew();
}

void balloon_refusal_forget(void)
{
	memset(&refusal, 0, sizeof(refusal));
}

void balloon_refusal_record(void)
{
	for (unsigned why = 0; why < BALLOON_REFUSALS; why++) {
		uint64_t more = refusal.frames[why] - refusal.recorded[why];

		if (more > 0)
			balloon_event(BALLOON_EVENT_REFUSED, more, why);
		refusal.recorded[why] = refusal.frames[why];
	}
}

void balloon_get_tries(struct balloon_tries *tries)
{
	tries->count = refusal.pauses + 1;
	tries->pause_ns = max_u64(refusal.pause_ns, BALLOON_PAUSE_MIN_NS);
}

void balloon_refusal_counts(uint64_t frames[BALLOON_REFUSALS])
{
	memcpy(frames, refusal.frames, sizeof(refusal.frames));
}
