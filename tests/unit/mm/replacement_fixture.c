/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames for mm/replacement.c; see replacement_fixture.h. */
#include "tests/unit/mm/replacement_fixture.h"

#include <stdlib.h>
#include <string.h>

struct page_record records[FRAMES];
bool used[FRAMES];
unsigned times_asked;
struct replacement replacement;

static struct page_record *record(uint32_t number)
{
	assert_in_range(number, 1, FRAMES - 1);
	return &records[number];
}

static bool take_used(const struct page_record *of)
{
	bool was = used[of - records];

	times_asked++;
	used[of - records] = false;
	return was;
}

static const struct replacement_ops ops = { record, take_used };

void fixture_set_ghosts(uint64_t pages)
{
	size_t bytes = replacement_ghost_bytes(pages);
	void *memory = bytes > 0 ? malloc(bytes) : NULL;

	assert_true(bytes <= 8 * pages);
	if (memory)
		memset(memory, 0xa5, bytes);
	free(replacement_set_ghosts(&replacement, memory, pages));
}

void fixture_start(enum replacement_policy policy, uint64_t pages)
{
	fixture_stop(NULL);
	memset(records, 0, sizeof(records));
	memset(used, 0, sizeof(used));
	times_asked = 0;
	replacement_init(&replacement, &ops, policy);
	fixture_set_ghosts(pages);
}

int fixture_stop(void **state)
{
	(void)state;
	free(replacement_set_ghosts(&replacement, NULL, 0));
	return 0;
}

bool fixture_enter(uint32_t number, uint64_t page)
{
	uint64_t own = records[number].page & PAGE_RECORD_OWN;

	records[number].page = own | page;
	return replacement_enter(&replacement, number);
}

uint32_t fixture_choose(void)
{
	uint32_t number = 0;

	assert_true(replacement_choose(&replacement, UINT64_MAX, &number));
	return number;
}

void fixture_fill(uint32_t first, uint32_t last)
{
	for (uint32_t number = first; number <= last; number++)
		assert_false(fixture_enter(number, number));
}

void fixture_fill_main(uint32_t first, uint32_t last)
{
	for (uint32_t number = first; number <= last; number++) {
		if (replacement.new_pages + replacement.main_pages < 2) {
			/* One page gives a ghost no life; put_back() has the same end. */
			fixture_enter(number, number);
			replacement_evict(&replacement, number);
			replacement_put_back(&replacement, number);
			continue;
		}
		assert_false(fixture_enter(number, number));
		replacement_evict(&replacement, number);
		assert_true(fixture_enter(number, number));
	}
}

void fixture_assert_counts(uint64_t new_pages, uint64_t main_pages)
{
	assert_int_equal(replacement.new_pages, new_pages);
	assert_int_equal(replacement.main_pages, main_pages);
}
