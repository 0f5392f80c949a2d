/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine and a balloon for tests of drivers/mem; see mem_fixture.h. */
#include "tests/unit/drivers/mem/mem_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/balloon/balloon_state.h"
#include "kernel/lib/panic.h"
#include "tests/sim/sim_log.h"
#include "tests/sim/sim_time.h"

struct fake_balloon fake_balloon;
size_t fake_boot_blocks = BOOT_BLOCKS;

/* ---- The balloon ---- */

uint64_t balloon_spare(void)
{
	uint64_t free = ledger_count(OWNER_FREE);

	return free > fake_balloon.floor ? free - fake_balloon.floor : 0;
}

void balloon_avoid(const struct balloon_stretch *stretches, size_t count)
{
	assert_true(count <= BALLOON_STRETCHES);
	memcpy(fake_balloon.stretches, stretches, count * sizeof(*stretches));
	fake_balloon.stretch_count = count;
	fake_balloon.limit = count > 0 ? stretches[0].start : BALLOON_ANYWHERE;
	fake_balloon.avoided++;
}

/* Replaces one frame of the stretch. */
static enum balloon_vacancy replace_one(pfn_t start, pfn_t end)
{
	pfn_t pfn, other;

	if (frame_collect(OWNER_BALLOON, start, 1, &pfn) == 0 || pfn >= end)
		return BALLOON_VACANT;
	if (frame_alloc_bulk(1, start, OWNER_BALLOON, &other) == 0)
		return BALLOON_NO_ROOM;
	assert_int_equal(frame_free(pfn, 1, OWNER_BALLOON), 0);
	return BALLOON_MOVING_OUT;
}

uint32_t balloon_giving_owners(void)
{
	return fake_balloon.first_keeps ? owner_bit(OWNER_BALLOON_2) : OWNERS_BALLOON;
}

enum balloon_vacancy balloon_vacate(pfn_t start, pfn_t end)
{
	assert_true(start < end && start % B == 0 && end % B == 0);
	fake_balloon.start = start;
	fake_balloon.end = end;
	fake_balloon.vacated++;
	fake_balloon.moving = true;
	if (fake_balloon.answers)
		return fake_balloon.answer;
	for (size_t n = 0; n < fake_balloon.step; n++) {
		enum balloon_vacancy vacancy = replace_one(start, end);

		if (vacancy != BALLOON_MOVING_OUT)
			return vacancy;
	}
	return BALLOON_MOVING_OUT;
}

void balloon_stay(void)
{
	fake_balloon.moving = false;
}

/* ---- The machine ---- */

void panic(const char *fmt, ...)
{
	fprintf(stderr, "panic: %s\n", fmt);
	abort();
}

void mem_fixture_forget_sources(void)
{
	while (mem_sources()) {
		struct mem_source *source = (struct mem_source *)(uintptr_t)mem_sources();

		source->leaving = false;
		mem_source_remove(source);
	}
}

void mem_fixture_boot(void)
{
	block_tables_reset();
	fake_balloon = (struct fake_balloon){ .limit = BALLOON_ANYWHERE, .step = 100 };
	sim_time_reset();
	sim_log_reset();
	memset(&mem_events, 0, sizeof(mem_events));
	mem_fixture_forget_sources();
	region_fixture_boot(fake_boot_blocks * B);
}

int mem_fixture_set_up(void **state)
{
	(void)state;
	mem_fixture_boot();
	return 0;
}

int mem_fixture_tear_down(void **state)
{
	char verdict[LEDGER_VERDICT_MAX];

	if (!ledger_audit(verdict))
		fail_msg("%s", verdict);
	assert_int_equal(ledger_refused(), 0);
	return fixture_stop(state);
}

void mem_fixture_take(pfn_t pfn, size_t frames, enum owner owner)
{
	assert_int_equal(frame_reserve(pfn, frames, owner), 0);
}

void mem_fixture_give_back(pfn_t pfn, size_t frames, enum owner owner)
{
	assert_int_equal(frame_free(pfn, frames, owner), 0);
}

uint64_t mem_fixture_events(enum mem_event type)
{
	return mem_events.count[type];
}

struct event mem_fixture_last_event(enum mem_event type)
{
	struct event event = { 0 };

	for (uint64_t n = mem_events.recorded; n > 0; n--)
		if (events_get(&mem_events, n, &event) && event.type == type)
			return event;
	fail_msg("no event of kind %u", (unsigned)type);
	return event;
}
