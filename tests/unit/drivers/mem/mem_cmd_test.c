/* SPDX-License-Identifier: BSD-2-Clause */
/* lsmem: whole screens, as a person sees them. */
#include "tests/unit/drivers/mem/mem_fixture.h"

#include <errno.h>
#include <string.h>

#include "mm/memory.h"
#include "tests/sim/sim_command.h"

static struct memmap map;

const struct memmap *memory_map(void)
{
	return &map;
}

static struct mem_source device = {
	.kind = "virtio-mem",
	.name = "0000:00:04.0",
	.part = { .start = REGION, .blocks = 4 * 512, .unit = 2 },
	.requested = 512 * B,
	.plugged = 6 * B,
};

static struct mem_source dimm = {
	.kind = "dimm",
	.name = "slot 0",
	.part = { .start = REGION + 4 * 512 * B, .blocks = 3, .unit = 3 },
	.requested = 3 * B,
	.plugged = 3 * B,
};

static int set_up(void **state)
{
	mem_fixture_set_up(state);
	map = (struct memmap){ 0 };
	map.range[map.count++] = (struct mem_range){ 0x1, 0x9f };
	map.range[map.count++] = (struct mem_range){ 0x100, 0x3ffe0 };
	map.frames = 0x9e + 0x3fee0;
	device.trouble = dimm.trouble = NULL;
	return 0;
}

/* The device's memory is six blocks, of which two units are free; the DIMM is in use. */
static void add_sources(void)
{
	assert_int_equal(memory_region_announce(REGION, 5 * 512), 0);
	assert_int_equal(memory_region_plug(REGION, 6), 0);
	assert_int_equal(memory_region_plug(dimm.part.start, 3), 0);
	fixture_expect_managed(ledger_managed());
	mem_fixture_take(REGION + 3 * B, 1, OWNER_HELD);
	mem_fixture_take(dimm.part.start, 1, OWNER_HELD);
	mem_source_add(&dimm);
	mem_source_add(&device);
}

static int tear_down(void **state)
{
	sim_command_forget();
	return mem_fixture_tear_down(state);
}

static void memory_of_the_boot_is_listed(void **state)
{
	(void)state;
	assert_int_equal(sim_command("lsmem"), 0);
	assert_string_equal(
		sim_command_text,
		"START        SIZE SOURCE                   UNIT REQUESTED  PLUGGED REMOVABLE\n"
		"00001000     632K boot                        -         -        -         -\n"
		"00100000 1047424K boot                        -         -        -         -\n");
	assert_int_equal(sim_command("lsmem -j"), 0);
	assert_string_equal(sim_command_text,
			    "{\"boot\":{\"size\":1073209344,\"ranges\":[{\"start\":4096,"
			    "\"size\":647168},{\"start\":1048576,\"size\":1072562176}]},"
			    "\"sources\":[]}\n");
}

static void sources_are_listed_by_address(void **state)
{
	(void)state;
	add_sources();
	dimm.trouble = "it was taken away while it was in use, and this clause is so long that it "
		       "takes more than a line";
	assert_int_equal(sim_command("lsmem"), 0);
	assert_string_equal(
		sim_command_text,
		"START            SIZE SOURCE                   UNIT REQUESTED  PLUGGED REMOVABLE\n"
		"000000001000     632K boot                        -         -        -         -\n"
		"000000100000 1047424K boot                        -         -        -         -\n"
		"200080000000       4G virtio-mem 0000:00:04.0    4M        1G      12M        8M\n"
		"200180000000       6M dimm slot 0                6M        6M       6M         0\n"
		"        it was taken away while it was in use, and this clause is so long that\n"
		"        it takes more than a line\n");
}

static void json_is_in_bytes(void **state)
{
	(void)state;
	add_sources();
	device.trouble = "it says \"no\"";
	assert_int_equal(sim_command("lsmem -j"), 0);
	assert_non_null(strstr(
		sim_command_text,
		"\"sources\":[{\"kind\":\"virtio-mem\",\"name\":\"0000:00:04.0\","
		"\"start\":35186519572480,\"size\":4294967296,\"unit\":4194304,"
		"\"requested\":1073741824,\"plugged\":12582912,\"removable\":8388608,"
		"\"trouble\":\"it says \\\"no\\\"\"},{\"kind\":\"dimm\",\"name\":\"slot 0\","
		"\"start\":35190814539776,\"size\":6291456,\"unit\":6291456,"
		"\"requested\":6291456,\"plugged\":6291456,\"removable\":0,\"trouble\":null}]}\n"));
}

static void other_words_are_refused(void **state)
{
	(void)state;
	assert_int_equal(sim_command("lsmem -x"), -EINVAL);
	assert_int_equal(sim_command("lsmem -j -j"), -EINVAL);
	assert_string_equal(sim_command_text, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(memory_of_the_boot_is_listed),
		TEST(sources_are_listed_by_address),
		TEST(json_is_in_bytes),
		TEST(other_words_are_refused),
	};

	return cmocka_run_group_tests_name("mem_cmd", tests, region_fixture_reserve, NULL);
}
