/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of the balloon driver share; see balloon_fixture.h. */
#include "tests/unit/drivers/balloon/balloon_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/balloon/balloon_ranges.h"

struct sim_balloon sim;

int set_up_ram(void **state)
{
	(void)state;
	return sim_ram_reserve();
}

static void reset_world(void)
{
	sim_time_reset();
	sim_log_reset();
}

int set_up(void **state)
{
	(void)state;
	reset_world();
	sim_ram_start_all();
	return 0;
}

void set_up_beside(pfn_t start, uint64_t frames)
{
	const struct memmap map = {
		.count = 2,
		.range = { SIM_RAM_RANGE, { start, start + frames } },
		.frames = RAM_FRAMES + frames,
	};

	reset_world();
	sim_ram_start(&map);
}

void assert_books(void)
{
	char verdict[LEDGER_VERDICT_MAX];

	if (!ledger_audit(verdict))
		fail_msg("%s", verdict);
	assert_int_equal(ledger_refused(), 0);
}

int tear_down(void **state)
{
	(void)state;
	assert_books();
	sim.virtio.slow_reset = 0;
	stop();
	assert_books();
	if (sim.virtio.violation)
		fail_msg("%s", sim.virtio.violation);
	assert_int_equal(sim.double_inflates, 0);
	assert_int_equal(sim.wrong_deflates, 0);
	assert_int_equal(sim.not_ascending, 0);
	sim_balloon_fini(&sim);
	sim_ram_stop();
	return 0;
}

void plug_in(bool legacy, uint64_t features)
{
	static bool registered;

	sim_balloon_init(&sim, legacy, features);
	if (!registered)
		virtio_register(&sim.virtio.device);
	registered = true;
}

int begin_with(const struct balloon_config *config)
{
	balloon_init(config);
	return virtio_balloon_start();
}

int begin(uint64_t floor)
{
	const struct balloon_config config = { .floor = floor };

	return begin_with(&config);
}

void stop(void)
{
	balloon_detach();
}

void start(uint64_t features, uint64_t floor)
{
	plug_in(false, features | VIRTIO_BIT(VIRTIO_F_VERSION_1));
	assert_int_equal(begin(floor), 0);
}

void settle(void)
{
	for (int rounds = 0; balloon_step(); rounds++)
		assert_true(rounds < 10000);
	assert_false(balloon_step());
}

void go_to(uint64_t target)
{
	sim_balloon_set_target(&sim, (uint32_t)target);
	settle();
}

void hint_round(uint32_t id)
{
	sim_balloon_set_hint_id(&sim, id);
	settle();
}

void be_quiet(void)
{
	settle();
	sim_time_advance(BALLOON_REPORT_QUIET_NS + NS_PER_MS);
	settle();
}

void exhaust(void)
{
	pfn_t pfn;

	while (ledger_count(OWNER_FREE) > 0)
		assert_int_equal(frame_alloc(0, OWNER_HELD, &pfn), 0);
}

uint64_t ballooned(void)
{
	return ledger_count(OWNER_BALLOON);
}

struct balloon_status status(void)
{
	struct balloon_status s;

	balloon_status(&s);
	return s;
}

void assert_balloon(uint64_t frames)
{
	assert_int_equal(ballooned(), frames);
	assert_int_equal(sim.inflated, frames);
	assert_int_equal(sim_balloon_actual(&sim), frames);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 0);
}
