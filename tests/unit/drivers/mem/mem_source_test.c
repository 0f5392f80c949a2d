/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers/mem/mem_source.c: the list of sources. */
#include "tests/unit/drivers/mem/mem_fixture.h"

static struct mem_source low, middle, high;

static int set_up(void **state)
{
	(void)state;
	mem_fixture_boot();
	low = (struct mem_source){ .kind = "dimm", .part = { REGION, 4, 4 } };
	middle = (struct mem_source){ .kind = "virtio-mem", .part = { REGION + 8 * B, 8, 2 } };
	high = (struct mem_source){ .kind = "virtio-mem", .part = { REGION + 16 * B, 4, 1 } };
	return 0;
}

static void expect_list(const struct mem_source *first, const struct mem_source *second,
			const struct mem_source *third)
{
	const struct mem_source *wanted[] = { first, second, third };
	const struct mem_source *source = mem_sources();

	for (size_t i = 0; i < ARRAY_SIZE(wanted) && wanted[i]; i++) {
		assert_ptr_equal(source, wanted[i]);
		source = source->next;
	}
	assert_null(source);
}

static void sources_are_in_the_order_of_addresses(void **state)
{
	(void)state;
	expect_list(NULL, NULL, NULL);
	mem_source_add(&middle);
	mem_source_add(&high);
	mem_source_add(&low);
	expect_list(&low, &middle, &high);
}

static void a_source_can_go_from_anywhere(void **state)
{
	(void)state;
	mem_source_add(&low);
	mem_source_add(&middle);
	mem_source_add(&high);
	mem_source_remove(&middle);
	expect_list(&low, &high, NULL);
	mem_source_remove(&low);
	expect_list(&high, NULL, NULL);
	mem_source_remove(&low);
	expect_list(&high, NULL, NULL);
	mem_source_remove(&high);
	expect_list(NULL, NULL, NULL);
}

/* Whatever they have in common, be it a block. */
static void a_source_is_found_by_any_of_its_blocks(void **state)
{
	(void)state;
	mem_source_add(&middle);
	mem_source_add(&high);
	assert_null(mem_source_at(REGION + 4 * B, 4));
	assert_ptr_equal(mem_source_at(REGION + 4 * B, 5), &middle);
	assert_ptr_equal(mem_source_at(REGION + 15 * B, 3), &middle);
	assert_ptr_equal(mem_source_at(REGION + 10 * B, 1), &middle);
	assert_ptr_equal(mem_source_at(REGION, 100), &middle);
	assert_ptr_equal(mem_source_at(REGION + 16 * B, 1), &high);
	assert_null(mem_source_at(REGION + 20 * B, 1));
}

/* Each by its own units: half a unit does not count. */
static void removable_is_the_sum_of_free_units(void **state)
{
	uint64_t frames = 1;

	(void)state;
	assert_false(mem_removable(&frames));
	assert_int_equal(frames, 0);
	assert_int_equal(memory_region_announce(REGION, 20), 0);
	mem_source_add(&low);
	mem_source_add(&middle);
	assert_true(mem_removable(&frames));
	assert_int_equal(frames, 0);
	assert_int_equal(memory_region_plug(REGION, 4), 0);
	assert_int_equal(memory_region_plug(REGION + 8 * B, 8), 0);
	assert_true(mem_removable(&frames));
	assert_int_equal(frames, 12 * B);
	mem_fixture_take(REGION + 3 * B, 1, OWNER_HELD);
	mem_fixture_take(REGION + 11 * B + 7, 1, OWNER_HELD);
	assert_true(mem_removable(&frames));
	assert_int_equal(frames, 6 * B);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sources_are_in_the_order_of_addresses, set_up,
						mem_fixture_tear_down),
		cmocka_unit_test_setup_teardown(a_source_can_go_from_anywhere, set_up,
						mem_fixture_tear_down),
		cmocka_unit_test_setup_teardown(a_source_is_found_by_any_of_its_blocks, set_up,
						mem_fixture_tear_down),
		cmocka_unit_test_setup_teardown(removable_is_the_sum_of_free_units, set_up,
						mem_fixture_tear_down),
	};

	return cmocka_run_group_tests(tests, region_fixture_reserve, NULL);
}
