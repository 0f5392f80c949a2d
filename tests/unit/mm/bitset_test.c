/* SPDX-License-Identifier: BSD-2-Clause */
/* mm/bitset.c against a plain array of flags, at the sizes where levels begin. */
#include "mm/bitset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const size_t sizes[] = {
	1, 2, 63, 64, 65, 127, 4095, 4096, 4097, 5000, 64001, 262144, 262145
};

/* A set whose memory was dirty and has not a byte to spare. */
static struct bitset make_set(size_t size)
{
	size_t bytes = bitset_words(size) * sizeof(uint64_t);
	uint64_t *words = malloc(bytes);
	struct bitset set;

	assert_non_null(words);
	memset(words, 0xa5, bytes);
	memset(&set, 0xa5, sizeof(set));
	bitset_init(&set, size, words);
	return set;
}

static void free_set(struct bitset *set)
{
	free(set->level[0]);
}

static size_t naive_next(const bool *member, size_t size, size_t from)
{
	for (size_t i = from; i < size; i++)
		if (member[i])
			return i;
	return BITSET_NONE;
}

static size_t naive_previous(const bool *member, size_t end)
{
	while (end > 0)
		if (member[--end])
			return end;
	return BITSET_NONE;
}

static void assert_members(const struct bitset *set, const bool *member)
{
	size_t expect = naive_next(member, set->size, 0);
	size_t i = bitset_next(set, 0);

	while (i == expect && i != BITSET_NONE) {
		assert_true(bitset_test(set, i));
		expect = naive_next(member, set->size, i + 1);
		i = bitset_next(set, i + 1);
	}
	assert_int_equal(i, expect);
}

static size_t random_below(size_t n)
{
	return (size_t)random() % n;
}

static void words_are_one_bit_per_member_and_a_word_per_64_words(void **state)
{
	(void)state;
	assert_int_equal(bitset_words(1), 1);
	assert_int_equal(bitset_words(64), 1);
	assert_int_equal(bitset_words(65), 2 + 1);
	assert_int_equal(bitset_words(4096), 64 + 1);
	assert_int_equal(bitset_words(4097), 65 + 2 + 1);
	assert_int_equal(bitset_words(262144), 4096 + 64 + 1);
	assert_int_equal(bitset_words((size_t)1 << 36),
			 (1ull << 30) + (1 << 24) + (1 << 18) + (1 << 12) + 64 + 1);
}

static void a_new_set_in_dirty_memory_is_empty(void **state)
{
	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(sizes); n++) {
		struct bitset set = make_set(sizes[n]);

		assert_int_equal(set.size, sizes[n]);
		assert_int_equal(bitset_next(&set, 0), BITSET_NONE);
		for (size_t i = 0; i < sizes[n]; i++)
			assert_false(bitset_test(&set, i));
		free_set(&set);
	}
}

static void a_single_member_is_found_from_everywhere_below(void **state)
{
	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(sizes); n++) {
		struct bitset set = make_set(sizes[n]);
		size_t step = sizes[n] / 300 + 1;

		for (size_t i = 0; i < sizes[n]; i += step) {
			bitset_add(&set, i);
			assert_true(bitset_test(&set, i));
			assert_int_equal(bitset_next(&set, 0), i);
			assert_int_equal(bitset_next(&set, i / 2), i);
			assert_int_equal(bitset_next(&set, i), i);
			assert_int_equal(bitset_next(&set, i + 1), BITSET_NONE);
			bitset_remove(&set, i);
			assert_int_equal(bitset_next(&set, 0), BITSET_NONE);
		}
		free_set(&set);
	}
}

/* bitset_first() goes down from the top where bitset_next() climbs up from below. */
static void the_lowest_member_is_the_first(void **state)
{
	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(sizes); n++) {
		struct bitset set = make_set(sizes[n]);
		size_t step = sizes[n] / 300 + 1;
		size_t lowest = BITSET_NONE;

		assert_int_equal(bitset_first(&set), BITSET_NONE);
		for (size_t i = sizes[n]; i-- > 0; i = i > step ? i - step + 1 : 0) {
			bitset_add(&set, i);
			lowest = i;
			assert_int_equal(bitset_first(&set), lowest);
		}
		while (lowest != BITSET_NONE) {
			bitset_remove(&set, lowest);
			lowest = bitset_next(&set, 0);
			assert_int_equal(bitset_first(&set), lowest);
		}
		free_set(&set);
	}
}

static void a_set_of_zeros_has_no_first_member(void **state)
{
	const struct bitset zeros = { 0 };

	(void)state;
	assert_int_equal(bitset_first(&zeros), BITSET_NONE);
}

static void the_last_member_is_reached(void **state)
{
	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(sizes); n++) {
		struct bitset set = make_set(sizes[n]);

		bitset_add(&set, sizes[n] - 1);
		assert_int_equal(bitset_next(&set, 0), sizes[n] - 1);
		assert_int_equal(bitset_next(&set, sizes[n]), BITSET_NONE);
		assert_int_equal(bitset_next(&set, BITSET_NONE), BITSET_NONE);
		free_set(&set);
	}
}

static void adding_twice_and_removing_an_absent_one_change_nothing(void **state)
{
	struct bitset set = make_set(5000);

	(void)state;
	bitset_add(&set, 4100);
	bitset_add(&set, 4100);
	bitset_remove(&set, 4101);
	bitset_remove(&set, 70);
	assert_int_equal(bitset_next(&set, 0), 4100);
	bitset_remove(&set, 4100);
	bitset_remove(&set, 4100);
	assert_int_equal(bitset_next(&set, 0), BITSET_NONE);
	free_set(&set);
}

/* A word that empties must not take its sibling's summary with it. */
static void removing_one_leaves_neighbours_in_all_levels(void **state)
{
	static const size_t far[] = { 1, 64, 4096, 70000, 262144 };
	struct bitset set = make_set(262145);

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(far); n++) {
		bitset_add(&set, 0);
		bitset_add(&set, far[n]);
		bitset_remove(&set, 0);
		assert_int_equal(bitset_next(&set, 0), far[n]);
		bitset_add(&set, 0);
		bitset_remove(&set, far[n]);
		assert_int_equal(bitset_next(&set, 1), BITSET_NONE);
		assert_int_equal(bitset_next(&set, 0), 0);
		bitset_remove(&set, 0);
	}
	free_set(&set);
}

static void an_added_range_has_its_members_and_no_others(void **state)
{
	bool *member = calloc(5000, sizeof(*member));

	(void)state;
	assert_non_null(member);
	for (unsigned round = 0; round < 2000; round++) {
		struct bitset set = make_set(5000);
		size_t first = random_below(5001);
		size_t end = first + random_below(5001 - first);

		memset(member, 0, 5000);
		for (size_t i = first; i < end; i++)
			member[i] = true;
		/* Members that are there stay. */
		bitset_add(&set, round);
		member[round] = true;
		bitset_add_range(&set, first, end);
		assert_members(&set, member);
		free_set(&set);
	}
	free(member);
}

static void a_full_set_has_every_member_up_to_its_size(void **state)
{
	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(sizes); n++) {
		struct bitset set = make_set(sizes[n]);
		size_t found = 0;

		bitset_add_range(&set, 0, sizes[n]);
		for (size_t i = bitset_next(&set, 0); i != BITSET_NONE;
		     i = bitset_next(&set, i + 1))
			assert_int_equal(i, found++);
		assert_int_equal(found, sizes[n]);
		for (size_t i = 0; i < sizes[n]; i++) {
			assert_int_equal(bitset_first(&set), i);
			bitset_remove(&set, i);
		}
		/* Not even in the bits after the last member, at any level. */
		for (size_t w = 0; w < bitset_words(sizes[n]); w++)
			assert_int_equal(set.level[0][w], 0);
		free_set(&set);
	}
}

static void random_changes_agree_with_an_array(void **state)
{
	enum { SIZE = 20000 };
	struct bitset set = make_set(SIZE);
	bool *member = calloc(SIZE, sizeof(*member));

	(void)state;
	assert_non_null(member);
	for (unsigned n = 0; n < 200000; n++) {
		/* Sparse for a while, then dense. */
		size_t i = random_below(n / 50000 % 2 ? 500 : SIZE);
		size_t from = random_below(SIZE);

		if (random_below(5) < 2) {
			bitset_add(&set, i);
			member[i] = true;
		} else {
			bitset_remove(&set, i);
			member[i] = false;
		}
		if (n % 16 == 0) {
			assert_int_equal(bitset_next(&set, from), naive_next(member, SIZE, from));
			assert_int_equal(bitset_previous(&set, from), naive_previous(member, from));
		}
	}
	assert_members(&set, member);
	free(member);
	free_set(&set);
}

static void the_highest_member_below_is_found_from_everywhere_above(void **state)
{
	(void)state;
	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
		struct bitset set = make_set(sizes[s]);
		size_t member = sizes[s] / 2;

		assert_int_equal(bitset_previous(&set, sizes[s]), BITSET_NONE);
		bitset_add(&set, member);
		for (size_t end = 0; end <= sizes[s]; end += 1 + end / 50)
			assert_int_equal(bitset_previous(&set, end),
					 end > member ? member : BITSET_NONE);
		assert_int_equal(bitset_previous(&set, member), BITSET_NONE);
		assert_int_equal(bitset_previous(&set, member + 1), member);
		bitset_add_range(&set, 0, sizes[s]);
		for (size_t end = sizes[s]; end > 0; end -= 1 + end / 50)
			assert_int_equal(bitset_previous(&set, end), end - 1);
		free_set(&set);
	}
}

/* From each size to each that is no smaller, with every fifth member. */
static void a_larger_set_has_the_same_members(void **state)
{
	(void)state;
	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
		for (size_t l = s; l < ARRAY_SIZE(sizes); l++) {
			struct bitset set = make_set(sizes[s]), larger = make_set(sizes[l]);
			bool *member = calloc(sizes[l], sizeof(*member));
			uint64_t *old = set.level[0];

			assert_non_null(member);
			memset(larger.level[0], 0xa5, bitset_words(sizes[l]) * sizeof(uint64_t));
			for (size_t i = sizes[s] % 5; i < sizes[s]; i += 5 + i / 20) {
				bitset_add(&set, i);
				member[i] = true;
			}
			bitset_extend(&set, sizes[l], larger.level[0]);
			free(old);
			assert_int_equal(set.size, sizes[l]);
			assert_members(&set, member);
			bitset_add(&set, sizes[l] - 1);
			member[sizes[l] - 1] = true;
			assert_members(&set, member);
			free(member);
			free_set(&set);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_one_bit_per_member_and_a_word_per_64_words),
		cmocka_unit_test(a_new_set_in_dirty_memory_is_empty),
		cmocka_unit_test(a_single_member_is_found_from_everywhere_below),
		cmocka_unit_test(the_lowest_member_is_the_first),
		cmocka_unit_test(a_set_of_zeros_has_no_first_member),
		cmocka_unit_test(the_last_member_is_reached),
		cmocka_unit_test(adding_twice_and_removing_an_absent_one_change_nothing),
		cmocka_unit_test(removing_one_leaves_neighbours_in_all_levels),
		cmocka_unit_test(an_added_range_has_its_members_and_no_others),
		cmocka_unit_test(a_full_set_has_every_member_up_to_its_size),
		cmocka_unit_test(the_highest_member_below_is_found_from_everywhere_above),
		cmocka_unit_test(a_larger_set_has_the_same_members),
		cmocka_unit_test(random_changes_agree_with_an_array),
	};

	return cmocka_run_group_tests_name("bitset", tests, NULL, NULL);
}
