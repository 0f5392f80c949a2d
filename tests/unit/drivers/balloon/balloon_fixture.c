/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of the balloon driver share; see balloon_fixture.h. */
#include "drivers/balloon/balloon_state_internal.h"
#include "tests/unit/drivers/balloon/balloon_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "arch/paging.h"
#include "drivers/balloon/balloon_ranges.h"
#include "mm/poison.h"
#include "tests/sim/sim_detach.h"

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
	end_driver();
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

void end_driver(void)
{
	sim_detach_all();
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

void drain(void)
{
	do
		settle();
	while (sim_balloon_complete(&sim, SIZE_MAX) > 0);
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

uint64_t ask(uint16_t tag)
{
	struct wire_stat stats[WIRE_STATS_MAX];
	size_t length = sim_balloon_ask_stats(&sim, stats, sizeof(stats));

	assert_int_equal(length % sizeof(stats[0]), 0);
	assert_int_equal(length % 6, 0);
	settle();
	for (size_t i = 0; i < length / sizeof(stats[0]); i++)
		if (stats[i].tag == tag)
			return stats[i].value;
	fail_msg("no statistic with tag %u", tag);
	return 0;
}

/* ---- The end ---- */

void assert_panics(void (*what)(void), const char *text)
{
	char said[256] = "";
	int pipes[2], status;
	pid_t child;

	assert_int_equal(pipe(pipes), 0);
	child = fork();
	if (child == 0) {
		dup2(pipes[1], STDERR_FILENO);
		what();
		_exit(0);
	}
	assert_true(child > 0);
	close(pipes[1]);
	assert_true(read(pipes[0], said, sizeof(said) - 1) >= 0);
	close(pipes[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	if (!strstr(said, text))
		fail_msg("\"%s\" is not in: %s", text, said);
}

/* ---- A device that writes into all that it has ---- */

uint64_t scribbled;

/* It does so when it gets a frame, and again as the last thing before it lets go. */
static void scribble(pfn_t pfn, uint64_t frames, bool device)
{
	const pfn_t first = paddr_to_pfn(RAM_START);

	(void)device;
	if (pfn < first || frames > RAM_FRAMES || pfn - first > RAM_FRAMES - frames)
		return;
	memset(phys_to_virt(pfn_to_paddr(pfn)), 0x5e + (int)(scribbled % 7), frames * FRAME_SIZE);
	scribbled += frames;
}

void start_scribbling(uint64_t features, bool poison)
{
	struct balloon_config config = { .poison = poison, .poison_byte = POISON };

	if (poison)
		poison_enable(POISON);
	plug_in(false, features | VIRTIO_BIT(VIRTIO_F_VERSION_1));
	sim.own = scribble;
	scribbled = 0;
	assert_int_equal(begin_with(&config), 0);
}
