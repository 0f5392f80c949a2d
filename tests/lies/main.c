/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tells every lie at every step on every ring; see lies.h. A test is a lie; its
 * message names the step and the ring. `lies PATTERN` tells some of them, and
 * `lies --list` names them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lies/lies.h"

/* The lie that is being tried, for the reader of a sanitizer's report. */
static char where[256];

static bool applies(const struct lie *lie, enum step step, const struct ring *ring)
{
	bool packed = ring->features & VIRTIO_BIT(VIRTIO_F_RING_PACKED);

	return (lie->only == ANY_STEP || (lie->only >> step & 1)) &&
	       !(lie->packed_only && !packed) && !(lie->split_only && packed) &&
	       !(lie->modern_only && ring->legacy);
}

static void check_verdict(const struct lie *lie, enum step step)
{
	/* Of what was never there nothing can be said. */
	bool unseen = step == STEP_START && !machine_is_seen();

	if (world_is_broken() && world_warnings() == 0 && !unseen)
		fail_msg("the device was given up without a word");
	if (lie->must_break && !world_is_broken())
		fail_msg("the driver believes it");
	if (lie->must_go_on && world_is_broken())
		fail_msg("the driver gave up on what is no fault");
}

static void try(const struct lie *lie, enum step step, const struct ring *ring)
{
	world_had_nth = false;
	world_begin(ring, lie->blind);
	if (world_bring_to(step)) {
		lie->tell(&world);
		world_go_on(step);
		world_check_books("after the lie");
		if (step != STEP_REMOVE)
			check_verdict(lie, step);
		if (lie->end)
			lie->end(&world);
		world_behave();
		world_check_recovery();
	}
	world_end();
}

static void try_each(const struct lie *lie, enum step step, const struct ring *ring)
{
	world_nth = 0;
	do {
		snprintf(where, sizeof(where), "%s (%u); at step %s; %s", lie->name, world_nth,
			 step_names[step], ring->name);
		try(lie, step, ring);
		world_nth++;
	} while (lie->each && world_had_nth);
}

static void lie_is_survived(void **state)
{
	const struct lie *lie = *state;

	for (size_t r = 0; r < ring_count; r++)
		for (unsigned step = 0; step < STEP_COUNT; step++)
			if (applies(lie, (enum step)step, &rings[r]))
				try_each(lie, (enum step)step, &rings[r]);
	where[0] = '\0';
}

static int tell_where(void **state)
{
	(void)state;
	if (where[0] != '\0') {
		fprintf(stderr, "         %s\n", where);
		world_abandon();
	}
	where[0] = '\0';
	return 0;
}

static size_t add(struct CMUnitTest *tests, size_t count, const struct lie *lies, size_t more)
{
	for (size_t i = 0; i < more; i++)
		tests[count++] = (struct CMUnitTest){
			.name = lies[i].name,
			.test_func = lie_is_survived,
			.teardown_func = tell_where,
			.initial_state = (void *)(uintptr_t)&lies[i],
		};
	return count;
}

/* A sanitizer's report ends the program: it should say what was tried. */
void __asan_on_error(void);
void __asan_on_error(void)
{
	fprintf(stderr, "In: %s\n", where);
}

int main(int argc, char **argv)
{
	size_t max = ring_lie_count + time_lie_count + config_lie_count + setup_lie_count +
		     pci_lie_count + memory_lie_count;
	struct CMUnitTest *tests = calloc(max, sizeof(*tests));
	size_t count = 0;
	int failed;

	count = add(tests, count, ring_lies, ring_lie_count);
	count = add(tests, count, time_lies, time_lie_count);
	count = add(tests, count, config_lies, config_lie_count);
	count = add(tests, count, setup_lies, setup_lie_count);
	count = add(tests, count, pci_lies, pci_lie_count);
	count = add(tests, count, memory_lies, memory_lie_count);
	if (argc > 1 && strcmp(argv[1], "--list") == 0) {
		for (size_t i = 0; i < count; i++)
			printf("%s\n", tests[i].name);
		free(tests);
		return 0;
	}
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	failed = world_reserve() != 0 ? 1
				      : _cmocka_run_group_tests("lies", tests, count, NULL, NULL);
	free(tests);
	return failed;
}
