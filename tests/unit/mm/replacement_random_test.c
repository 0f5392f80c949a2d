/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mm/replacement.c beside a model that is slow and plain: arrays in the order in which pages
 * go, and a list of all departures ever. After each random step both must have decided the
 * same, and have looked at as many pages. A seed as an argument repeats a walk.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tests/random.h"
#include "tests/unit/mm/replacement_fixture.h"

#define STEPS 60000
#define PLACES 120 /* frames that the walk uses: 1 to this */
#define PAGES 400
#define GHOSTS_FIRST 100

static uint64_t seed = 20261127;

/* Frames in an order. */
struct row {
	uint32_t frame[PLACES];
	size_t count;
};

struct departure {
	uint64_t page;
	bool of_main, taken;
};

static struct {
	enum replacement_policy policy;
	struct row queue, ring; /* what goes first is first */
	size_t second_half;	/* of the queue: so many from the first on */
	bool used[PLACES + 1];
	uint64_t page[PLACES + 1];
	struct departure departure[STEPS];
	uint64_t departures, remembered_from; /* those before are forgotten */
	uint64_t ghosts, scanned, refaults;
} model;

static uint64_t below(uint64_t n)
{
	return random_below(&seed, n);
}

/* ---- The model ---- */

static size_t find(const struct row *row, uint32_t frame)
{
	size_t i = 0;

	while (i < row->count && row->frame[i] != frame)
		i++;
	return i;
}

static bool has(const struct row *row, uint32_t frame)
{
	return find(row, frame) < row->count;
}

static void add(struct row *row, uint32_t frame)
{
	row->frame[row->count++] = frame;
}

static void erase(struct row *row, uint32_t frame)
{
	size_t i = find(row, frame);

	memmove(&row->frame[i], &row->frame[i + 1], (--row->count - i) * sizeof(row->frame[0]));
}

static bool model_has(uint32_t frame)
{
	return has(&model.queue, frame) || has(&model.ring, frame);
}

static bool model_take_used(uint32_t frame)
{
	bool was = model.used[frame];

	model.used[frame] = false;
	return was;
}

static void model_pass_half(void)
{
	uint32_t frame;

	if (model.queue.count - model.second_half <= model.second_half + 1)
		return;
	frame = model.queue.frame[model.second_half++];
	if (model.policy == REPLACEMENT_HALF_WAY)
		model_take_used(frame);
}

static void model_remove(uint32_t frame)
{
	if (has(&model.ring, frame)) {
		erase(&model.ring, frame);
	} else {
		if (find(&model.queue, frame) < model.second_half)
			model.second_half--;
		erase(&model.queue, frame);
	}
	model_pass_half();
}

static void model_evict(uint32_t frame)
{
	struct departure *departure = &model.departure[model.departures++];

	*departure = (struct departure){ .page = model.page[frame],
					 .of_main = has(&model.ring, frame) };
	model_remove(frame);
}

/* Finds the latest departure of a page that is one of the last `life`, and not taken. */
static struct departure *model_ghost(uint64_t page, uint64_t life)
{
	if (life > model.ghosts)
		life = model.ghosts;
	for (uint64_t age = 1; age <= life && age <= model.departures; age++) {
		struct departure *departure = &model.departure[model.departures - age];

		if (model.departures - age < model.remembered_from)
			break;
		if (departure->page == page && !departure->taken)
			return departure;
	}
	return NULL;
}

static bool model_enter(uint32_t frame)
{
	uint64_t pages = model.queue.count + model.ring.count;
	struct departure *ghost = model_ghost(model.page[frame], pages * 9 / 10);

	add(ghost && !ghost->of_main ? &model.ring : &model.queue, frame);
	model_pass_half();
	if (!ghost)
		return false;
	ghost->taken = true;
	model.refaults++;
	return true;
}

static bool model_may_go(uint32_t frame)
{
	size_t at = find(&model.queue, frame);

	model.scanned++;
	if (at < model.queue.count &&
	    (at >= model.second_half || model.policy == REPLACEMENT_GHOST))
		return true;
	if (!model_take_used(frame))
		return true;
	if (at < model.queue.count) {
		model.second_half--;
		erase(&model.queue, frame);
	} else {
		erase(&model.ring, frame);
	}
	add(&model.ring, frame);
	model_pass_half();
	return false;
}

static uint32_t model_choose(uint64_t most)
{
	for (; most > 0; most--) {
		size_t queue = model.queue.count, pages = queue + model.ring.count;
		uint32_t frame;

		if (pages == 0)
			return 0;
		if (queue > 0 && queue >= pages / 10)
			frame = model.queue.frame[0];
		else
			frame = model.ring.frame[0];
		if (model_may_go(frame)) {
			model_evict(frame);
			return frame;
		}
	}
	return 0;
}

static void model_put_back(uint32_t frame)
{
	struct departure *ghost = model_ghost(model.page[frame], UINT64_MAX);

	if (ghost)
		ghost->taken = true;
	add(&model.ring, frame);
}

static void model_set_ghosts(uint64_t pages)
{
	uint64_t ghosts = pages * 9 / 10, kept = ghosts < model.ghosts ? ghosts : model.ghosts;

	if (model.departures > kept && model.departures - kept > model.remembered_from)
		model.remembered_from = model.departures - kept;
	model.ghosts = ghosts;
}

/* ---- Both ---- */

static void assert_row(const struct row *row, size_t from, size_t end, enum replacement_place place)
{
	uint32_t frame = replacement.line[place].head, before = 0;

	for (size_t i = from; i < end; i++) {
		assert_int_equal(frame, row->frame[i]);
		assert_int_equal(records[frame].prev, before);
		before = frame;
		frame = records[frame].next;
	}
	assert_int_equal(frame, 0);
	assert_int_equal(replacement.line[place].tail, before);
}

static void assert_same(void)
{
	assert_int_equal(replacement.new_pages, model.queue.count);
	assert_int_equal(replacement.main_pages, model.ring.count);
	assert_int_equal(replacement.scanned, model.scanned);
	assert_int_equal(replacement.refaults, model.refaults);
	assert_int_equal(replacement.departures, model.departures);
	assert_row(&model.queue, 0, model.second_half, REPLACEMENT_SECOND_HALF);
	assert_row(&model.queue, model.second_half, model.queue.count, REPLACEMENT_FIRST_HALF);
	assert_row(&model.ring, 0, model.ring.count, REPLACEMENT_MAIN);
	for (uint32_t frame = 1; frame <= PLACES; frame++)
		assert_int_equal(used[frame], model.used[frame]);
}

/* Returns a random frame that is in, or one that is not; 0: there is none. */
static uint32_t random_frame(bool in)
{
	uint32_t first = 1 + (uint32_t)below(PLACES);

	for (uint32_t i = 0; i < PLACES; i++) {
		uint32_t frame = 1 + (first + i) % PLACES;

		if (model_has(frame) == in)
			return frame;
	}
	return 0;
}

static bool page_is_in(uint64_t page)
{
	for (uint32_t frame = 1; frame <= PLACES; frame++)
		if (model_has(frame) && model.page[frame] == page)
			return true;
	return false;
}

/* Some pages are wanted far more often, as in life. */
static void step_enter(void)
{
	uint32_t frame = random_frame(false);
	uint64_t page = below(PAGES >> below(3));

	if (frame == 0 || page_is_in(page))
		return;
	model.page[frame] = page;
	assert_int_equal(fixture_enter(frame, page), model_enter(frame));
	used[frame] = model.used[frame] = below(2) == 0;
}

static void step_use(void)
{
	uint32_t frame = random_frame(true);

	used[frame] = model.used[frame] = frame != 0;
}

static void step_choose(void)
{
	uint64_t most = below(2) ? UINT64_MAX : below(6);
	uint32_t expected = model_choose(most), number = 0;

	assert_int_equal(replacement_choose(&replacement, most, &number), expected != 0);
	assert_int_equal(number, expected);
	if (number != 0 && below(8) == 0) {
		model_put_back(number);
		replacement_put_back(&replacement, number);
	}
}

static void step_with_a_page(uint32_t frame)
{
	switch (below(4)) {
	case 0:
		model_evict(frame);
		replacement_evict(&replacement, frame);
		break;
	case 1:
		model_remove(frame);
		replacement_remove(&replacement, frame);
		break;
	default:
		assert_int_equal(replacement_may_go(&replacement, frame), model_may_go(frame));
	}
}

static void step_settings(void)
{
	uint64_t pages = below(3) ? below(2 * PLACES) : 0;

	if (below(2)) {
		model.policy = replacement.policy = (enum replacement_policy)below(2);
		return;
	}
	model_set_ghosts(pages);
	fixture_set_ghosts(pages);
}

static void step(void)
{
	uint64_t what = below(1000);
	uint32_t frame = random_frame(true);

	if (what < 470)
		step_enter();
	else if (what < 670)
		step_use();
	else if (what < 850)
		step_choose();
	else if (what < 995)
		frame != 0 ? step_with_a_page(frame) : step_enter();
	else
		step_settings();
}

static void random_steps_decide_as_a_model_does(void **state)
{
	uint64_t began = seed, most = 0, main_most = 0;

	(void)state;
	memset(&model, 0, sizeof(model));
	fixture_start(REPLACEMENT_GHOST, GHOSTS_FIRST);
	model_set_ghosts(GHOSTS_FIRST);
	for (unsigned i = 0; i < STEPS; i++) {
		step();
		assert_same();
		if (replacement.new_pages > most)
			most = replacement.new_pages;
		if (replacement.main_pages > main_most)
			main_most = replacement.main_pages;
	}
	print_message("seed %" PRIu64 ": %" PRIu64 " departures, %" PRIu64 " refaults, %" PRIu64
		      " looks; at most %" PRIu64 " new, %" PRIu64 " main\n",
		      began, replacement.departures, replacement.refaults, replacement.scanned,
		      most, main_most);
	/* Or the walk was of no use. */
	assert_true(replacement.refaults > STEPS / 100);
	assert_true(most > PLACES / 4 && main_most > PLACES / 4);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(random_steps_decide_as_a_model_does, fixture_stop),
	};

	if (argc > 1)
		seed = strtoull(argv[1], NULL, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
