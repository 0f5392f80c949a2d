/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each lie of virtio_mem_lies.c at each step of a device's life, on both kinds of ring. Then:
 *
 *	an end		within seconds of simulated time
 *	the ledger	whole, by a count of every frame
 *	nobody		touches memory that is not plugged: it is not mapped, and if the
 *			device's own books are right they say what may be
 *	a line		in the log, if the device was given up
 *	recovery	once the device behaves: what is requested is reached, or another
 *			device in its place is used
 */
#include "tests/unit/drivers/mem/virtio_mem_lies.h"

#include <stdio.h>
#include <string.h>

enum step {
	STEP_START, /* before the driver sees the device */
	STEP_IDLE,
	STEP_PLUG, /* requests are with the device */
	STEP_UNPLUG,
	STEP_AUDIT,   /* a question is with the device */
	STEP_RECOVER, /* it asks for a reset with requests on their way */
	STEP_REMOVE,  /* it is about to be pulled out */
	STEP_COUNT,
};

static const char *const step_names[STEP_COUNT] = { "start", "idle",	"plug",	 "unplug",
						    "audit", "recover", "remove" };

static const struct {
	const char *name;
	uint64_t features;
} rings[] = {
	{ "split", 0 },
	{ "packed, EVENT_IDX, INDIRECT_DESC", VIRTIO_BIT(VIRTIO_F_RING_PACKED) |
						      VIRTIO_BIT(VIRTIO_F_EVENT_IDX) |
						      VIRTIO_BIT(VIRTIO_F_INDIRECT_DESC) },
};

static char where[160];
static const struct mem_lie *to_tell;

/* Every second of the lowest blocks is in use: what comes and goes there has many pieces. */
static void hold_some(void)
{
	for (size_t i = 1; i < 40; i += 2)
		mem_fixture_take(REGION + i * B, 1, OWNER_HELD);
}

static void tell_once(void)
{
	sim_mem_complete(&sim, 1);
	if (to_tell)
		to_tell->tell();
	to_tell = NULL;
}

static void begin_audit(const struct mem_lie *lie)
{
	sim_mem_show(&sim, SIM_MEM_PLUGGED, sim.plugged + 9 * BLOCK_SIZE);
	sim.completion = SIM_MEM_ON_DEMAND;
	to_tell = lie;
	sim_time_on_wait = tell_once;
	sim_virtio_interrupt(&sim.virtio, VIRTIO_ISR_CONFIG);
	settle();
	sim_time_on_wait = NULL;
}

static void bring_to(enum step step, const struct mem_lie *lie)
{
	sim_mem_request_size(&sim, 60 * BLOCK_SIZE);
	if (step == STEP_START) {
		lie->tell();
		boot_with(1);
		return;
	}
	boot_with(1);
	settle();
	hold_some();
	if (step == STEP_PLUG)
		request(40);
	if (step == STEP_AUDIT) {
		begin_audit(lie);
		return;
	}
	sim.completion = step == STEP_IDLE ? SIM_MEM_AT_ONCE : SIM_MEM_ON_DEMAND;
	if (step != STEP_IDLE)
		request(step == STEP_PLUG ? 70 : 30);
	if (step == STEP_RECOVER)
		sim_virtio_need_reset(&sim.virtio);
	lie->tell();
}

/* The host goes on wishing, and the device answers whoever waits for it, or never. */
static void go_on(void)
{
	static const size_t wishes[] = { 70, 33, 0, 45 };

	sim_time_on_wait = tell_once;
	for (size_t i = 0; i < ARRAY_SIZE(wishes); i++) {
		wait_ns(4 * NS_PER_S);
		sim_mem_request_size(&sim, wishes[i] * BLOCK_SIZE);
		wait_ns(4 * NS_PER_S);
		assert_books();
	}
	sim_time_on_wait = NULL;
}

static void release_all(void)
{
	frame_free_owned(OWNER_HELD, UINT64_MAX);
}

/* Pulled out and put back, as another one. */
static void replace(void)
{
	sim.blind = true;
	pull(0, true);
	assert_books();
	if (mem_sources()) {
		/* It kept something for ever: nothing else can be there. */
		assert_non_null(mem_sources()->trouble);
		return;
	}
	make_sim(0);
	virtio_register(&sim.virtio.device);
	request(12);
	expect_plugged(12);
}

static void check_recovery(const struct mem_lie *lie)
{
	bool running = mem->running;

	mem_lies_end();
	release_all();
	if (!running || lie->blind) {
		if (is_there(0))
			replace();
		return;
	}
	sim_mem_request_size(&sim, 12 * BLOCK_SIZE);
	wait_ns(20 * NS_PER_S);
	expect_plugged(12);
	request(0);
	wait_ns(2 * NS_PER_S);
	expect_plugged(0);
}

static void check_verdict(const struct mem_lie *lie, enum step step)
{
	bool under_way = step == STEP_PLUG || step == STEP_UNPLUG;

	if (!mem->running && sim_log_warnings == 0)
		fail_msg("it was given up without a word");
	if (lie->must_go_on && !mem->running)
		fail_msg("it was given up for what is no fault: %s", sim_log_warning);
	if (lie->must_break && under_way && mem->running)
		fail_msg("the driver believes it");
	if (!lie->blind && sim.virtio.violation)
		fail_msg("the driver: %s", sim.virtio.violation);
}

static void try(const struct mem_lie *lie, enum step step, uint64_t features)
{
	void *no_state = NULL;

	virtio_mem_set_up(&no_state);
	make_sim(0);
	sim.virtio.features |= features;
	sim.blind = lie->blind;
	bring_to(step, lie);
	if (step == STEP_REMOVE) {
		sim.blind = true;
		pull(0, false);
		assert_books();
	} else {
		go_on();
		check_verdict(lie, step);
		check_recovery(lie);
	}
	sim.virtio.violation = NULL;
	release_all();
	virtio_mem_tear_down(&no_state);
}

static void lie_is_survived(void **state)
{
	const struct mem_lie *lie = *state;

	for (size_t r = 0; r < ARRAY_SIZE(rings); r++) {
		for (unsigned step = 0; step < STEP_COUNT; step++) {
			bool needs_ring = lie - mem_lies < 5;

			if ((lie->split_only && r > 0) || (needs_ring && step == STEP_START))
				continue;
			snprintf(where, sizeof(where), "%s; at step %s; %s", lie->name,
				 step_names[step], rings[r].name);
			try(lie, (enum step)step, rings[r].features);
		}
	}
	where[0] = '\0';
}

/* After a failure, whatever state the driver is in: it is not asked again. */
static void abandon(void)
{
	void *no_state = NULL;

	sim_time_on_wait = NULL;
	if (is_there(0)) {
		sim.virtio.device.driver = NULL;
		virtio_unregister(&sim.virtio.device);
	}
	sim_mem_fini(&sim);
	fixture_stop(&no_state);
}

static int tell_where(void **state)
{
	(void)state;
	if (where[0] != '\0') {
		fprintf(stderr, "         %s\n", where);
		abandon();
	}
	where[0] = '\0';
	return 0;
}

/* A sanitizer's report ends the program: it should say what was tried. */
void __asan_on_error(void);
void __asan_on_error(void)
{
	fprintf(stderr, "In: %s\n", where);
}

int main(int argc, char **argv)
{
	struct CMUnitTest tests[100];

	assert_true(mem_lie_count <= ARRAY_SIZE(tests));
	fake_boot_blocks = 2;
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	for (size_t i = 0; i < mem_lie_count; i++)
		tests[i] = (struct CMUnitTest){
			.name = mem_lies[i].name,
			.test_func = lie_is_survived,
			.teardown_func = tell_where,
			.initial_state = (void *)(uintptr_t)&mem_lies[i],
		};
	return _cmocka_run_group_tests("lies", tests, mem_lie_count, region_fixture_reserve, NULL);
}
