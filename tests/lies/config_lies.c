/* SPDX-License-Identifier: BSD-2-Clause */
/* Lies in the device's configuration (virtio 1.3, 2.5 and 5.5.4). */
#include "drivers/balloon/balloon.h"
#include "drivers/balloon/port/virtio_balloon_names.h"
#include "tests/lies/lies.h"

#define WITH_DEVICE (((1u << STEP_COUNT) - 1) & ~(1u << STEP_START))
#define HINT_STEP (1u << STEP_HINT)

static void set_target(struct sim_balloon *sim, uint32_t pages)
{
	sim_balloon_set_target(sim, pages);
}

static void target_of_ones(struct sim_balloon *sim)
{
	set_target(sim, UINT32_MAX);
}

static void target_of_almost_all_ones(struct sim_balloon *sim)
{
	set_target(sim, UINT32_MAX - 1);
}

static void target_of_zero(struct sim_balloon *sim)
{
	set_target(sim, 0);
}

static void target_that_never_holds_still(struct sim_balloon *sim)
{
	sim->virtio.restless = SIM_VIRTIO_FOR_EVER;
}

static void target_that_changes_a_thousand_times(struct sim_balloon *sim)
{
	sim->virtio.restless = 1000;
}

static void targets_from_end_to_end(struct sim_balloon *sim)
{
	for (int i = 0; i < 100; i++) {
		set_target(sim, i % 2 == 0 ? UINT32_MAX - 1 : 0);
		balloon_step();
		sim_balloon_complete(sim, 3);
	}
	set_target(sim, 100);
}

static void ten_thousand_targets(struct sim_balloon *sim)
{
	for (uint32_t i = 0; i < 10000; i++)
		set_target(sim, i * 2654435761u % 20000);
	set_target(sim, 100);
}

static void change_without_interrupt(struct sim_balloon *sim)
{
	sim->virtio.config[SIM_BALLOON_NUM_PAGES] ^= 0x55;
}

/* ---- What the driver wrote ---- */

static void actual_of_ones(struct sim_balloon *sim)
{
	sim_virtio_set_config32(&sim->virtio, SIM_BALLOON_ACTUAL, UINT32_MAX);
}

static void other_poison(struct sim_balloon *sim)
{
	sim_virtio_set_config32(&sim->virtio, SIM_BALLOON_POISON, 0x12345678);
}

/* ---- How long it is ---- */

static void no_config(struct sim_balloon *sim)
{
	sim->virtio.config_size = 0;
}

static void config_of_2_bytes(struct sim_balloon *sim)
{
	sim->virtio.config_size = 2;
}

static void config_without_actual(struct sim_balloon *sim)
{
	sim->virtio.config_size = SIM_BALLOON_ACTUAL;
}

static void config_without_hint_id(struct sim_balloon *sim)
{
	sim->virtio.config_size = SIM_BALLOON_HINT_ID;
}

/* ---- Hinting ---- */

static void hint_stop(struct sim_balloon *sim)
{
	sim_balloon_set_hint_id(sim, 0);
}

static void hint_done(struct sim_balloon *sim)
{
	sim_balloon_set_hint_id(sim, 1);
}

static void hint_same_id(struct sim_balloon *sim)
{
	for (int i = 0; i < 10; i++) {
		sim_balloon_set_hint_id(sim, 0x80000001u);
		balloon_step();
	}
}

static void hint_new_ids(struct sim_balloon *sim)
{
	for (uint32_t i = 0; i < 50; i++) {
		sim_balloon_set_hint_id(sim, 0x90000000u + i);
		balloon_step();
	}
}

static void hint_id_of_ones(struct sim_balloon *sim)
{
	sim_balloon_set_hint_id(sim, UINT32_MAX);
}

static void hint_id_2(struct sim_balloon *sim)
{
	sim_balloon_set_hint_id(sim, 2);
}

static void hint_done_stop_done(struct sim_balloon *sim)
{
	static const uint32_t ids[] = { 1, 0, 1, 0x80000002u, 1, 0, 0x80000003u, 0, 1 };

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		sim_balloon_set_hint_id(sim, ids[i]);
		balloon_step();
		sim_balloon_complete(sim, 1);
	}
}

/* clang-format off */
const struct lie config_lies[] = {
	{ "the target is 2^32 - 1",
	  target_of_ones, .must_go_on = true },
	{ "the target is 2^32 - 2",			target_of_almost_all_ones,
	  .must_go_on = true },
	{ "the target is suddenly 0",
	  target_of_zero, .must_go_on = true },
	{ "the config never holds still",		target_that_never_holds_still,
	  .must_go_on = true },
	{ "the target is another at each of a thousand looks", target_that_changes_a_thousand_times,
	  .must_go_on = true },
	{ "the target jumps from end to end",		targets_from_end_to_end,
	  .only = WITH_DEVICE, .must_go_on = true },
	{ "ten thousand targets come at once",
	  ten_thousand_targets, .must_go_on = true },
	{ "the target changes without a word",		change_without_interrupt,
	  .must_go_on = true },
	{ "actual is overwritten",
	  actual_of_ones, .must_go_on = true },
	{ "poison_val is overwritten",
	  other_poison, .must_go_on = true },
	{ "there is no config",				no_config, .only = ANY_STEP },
	{ "the config has 2 bytes",			config_of_2_bytes, .only = ANY_STEP },
	{ "the config ends before actual",		config_without_actual, .only = ANY_STEP },
	{ "the config ends before the hint id",		config_without_hint_id, .only = ANY_STEP },
	{ "STOP comes in mid-round",			hint_stop,
	  .only = WITH_DEVICE, .must_go_on = true },
	{ "DONE comes in mid-round",			hint_done,
	  .only = WITH_DEVICE, .must_go_on = true },
	{ "an id comes again and again",		hint_same_id,
	  .only = HINT_STEP, .must_go_on = true },
	{ "fifty new ids come in mid-round",		hint_new_ids,
	  .only = HINT_STEP, .must_go_on = true },
	{ "the hint id is 2^32 - 1",			hint_id_of_ones,
	  .only = WITH_DEVICE, .must_go_on = true },
	{ "the hint id is 2",				hint_id_2,
	  .only = WITH_DEVICE, .must_go_on = true },
	{ "DONE and STOP come in every order",		hint_done_stop_done,
	  .only = HINT_STEP, .must_go_on = true },
};
/* clang-format on */
const size_t config_lie_count = ARRAY_SIZE(config_lies);
