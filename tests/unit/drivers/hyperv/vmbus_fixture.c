/* SPDX-License-Identifier: BSD-2-Clause */
/* VMBus between tasks and a host; see vmbus_fixture.h. */
#include "tests/unit/drivers/hyperv/vmbus_fixture.h"

struct vmbus_fixture fixture;

struct vmbus_info fixture_info(void)
{
	struct vmbus_info now;

	vmbus_get_info(&now);
	return now;
}

/* The host says bytes that it would not say by itself. */
void fixture_push(const void *message, uint32_t length)
{
	struct hyperv_push *what = &hyperv_control()->push;

	memcpy(what->bytes, message, length);
	what->length = length;
	what->packet = 0;
	what->number++;
	sim_machine_ring();
	assert_int_equal(seen()->pushed, what->number);
}

/* ---- The driver ---- */

static void offered(struct vmbus_channel *channel)
{
	assert_null(fixture.channel);
	fixture.channel = channel;
	fixture.offered++;
	if (fixture.meanwhile)
		fixture.meanwhile();
}

static void rescinded(struct vmbus_channel *channel)
{
	assert_ptr_equal(fixture.channel, channel);
	fixture.channel = NULL;
	fixture.rescinded++;
	if (fixture.meanwhile)
		fixture.meanwhile();
}

static void look(struct vmbus_channel *channel)
{
	assert_ptr_equal(fixture.channel, channel);
	fixture.looks++;
}

static struct vmbus_driver driver = {
	.type = DM_GUID,
	.offered = offered,
	.rescinded = rescinded,
	.look = look,
};

/* For what nobody offers. */
static struct vmbus_driver idle_driver = {
	.type = { { 0xff } },
	.offered = offered,
	.rescinded = rescinded,
};

/* ---- Time ---- */

void fixture_wait(uint64_t ns)
{
	task_sleep_until(clock_ns() + ns);
}

void fixture_await(bool (*done)(void), const char *what)
{
	uint64_t end = clock_ns() + 10 * NS_PER_S;

	while (!done() && clock_ns() < end)
		fixture_wait(NS_PER_MS);
	if (!done())
		fail_msg("%s: not within 10 s", what);
}

static bool has_all_offers(void)
{
	return fixture_info().all_offers;
}

bool fixture_has_fault(void)
{
	return fixture_info().fault;
}

bool fixture_is_offered(void)
{
	return fixture.channel;
}

bool fixture_is_withdrawn(void)
{
	return !fixture.channel;
}

void fixture_connect(void)
{
	assert_int_equal(vmbus_start(), 0);
	fixture_await(has_all_offers, "all offers");
	fixture_await(fixture_is_offered, "the channel");
}

/* ---- All of it ---- */

/* The host's turn, when no task can run. */
static bool turn(void)
{
	sim_machine_time = clock_ns() / 100;
	sim_machine_ring();
	return sim_hyperv_interrupt();
}

static void run(void *arg)
{
	void (*test)(void) = (void (*)(void))(uintptr_t)arg;

	/* What was said at time 0 would count as never said (log.h). */
	fixture_wait(NS_PER_MS);
	hyperv_find();
	vmbus_register(&driver);
	vmbus_register(&idle_driver);
	vmbus_register(&driver);
	fixture.free = ledger_count(OWNER_FREE);
	test();
	memset(lie(), 0, sizeof(*lie()));
	vmbus_unload();
	/* Tasks that were ending have ended. */
	fixture_wait(NS_PER_S);
	assert_int_equal(ledger_count(OWNER_FREE), fixture.free);
}

void fixture_live(void (*test)(void))
{
	char verdict[LEDGER_VERDICT_MAX];
	pfn_t page;

	fixture = (struct vmbus_fixture){ 0 };
	sim_log_reset();
	sim_tasks_reset();
	sim_tasks_world = turn;
	sim_irq_reset();
	sim_ram_start_all();
	sim_machine_start(&hyperv_personality, 0);
	assert_int_equal(frame_alloc(0, OWNER_KERNEL, &page), 0);
	sim_hyperv_begin(page);
	sim_tasks_run(run, (void *)(uintptr_t)test);
	assert_int_equal(sim_tasks_left(), 0);
	if (!ledger_audit(verdict))
		fail_msg("%s", verdict);
	if (sim_machine_violation() && !fixture.breaks_rules)
		fail_msg("%s", sim_machine_violation());
	assert_null(sim_hyperv_mistake);
	assert_null(sim_irq_violation);
	sim_ram_stop();
}

void fixture_in_a_task(void **state)
{
	fixture_live((void (*)(void))(uintptr_t)*state);
}

int fixture_reserve(void **state)
{
	(void)state;
	return sim_ram_reserve();
}
