/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers/mem/virtio_mem_request.c: requests as the device reads them, and how many there are. */
#include "tests/unit/drivers/mem/virtio_mem_fixture.h"

#include <string.h>

#include "arch/clock.h"
#include "arch/paging.h"

static struct virtio_mem_queue queue;

static int set_up(void **state)
{
	virtio_mem_set_up(state);
	make_sim(0);
	sim.completion = SIM_MEM_ON_DEMAND;
	sim_mem_request_size(&sim, GIB);
	assert_int_equal(virtio_negotiate(&sim.virtio.device, 7), 0);
	assert_int_equal(virtio_mem_queue_start(&queue, &sim.virtio.device, BLOCK_SIZE), 0);
	virtio_ready(&sim.virtio.device);
	return 0;
}

static int tear_down(void **state)
{
	virtio_reset(&sim.virtio.device);
	virtio_mem_queue_forsake(&queue);
	assert_int_equal(ledger_count(OWNER_VIRTQUEUES), 0);
	return virtio_mem_tear_down(state);
}

static void send(enum virtio_mem_type type, size_t block, size_t blocks)
{
	paddr_t start = blocks > 0 ? sim.addr + block * BLOCK_SIZE : 0;

	assert_true(virtio_mem_has_room(&queue));
	assert_int_equal(virtio_mem_send(&queue, type, start, blocks * BLOCK_SIZE), 0);
}

/* 5.15.6: 24 bytes to read, 10 to write, and nothing in what has no meaning. */
static void a_request_is_what_the_specification_says(void **state)
{
	static const uint8_t wanted[24] = { 1, 0,    0, 0, 0, 0, 0, 0, 0, 0, 0xe0, 0x80,
					    0, 0x20, 0, 0, 2, 1, 0, 0, 0, 0, 0,	   0 };
	struct sim_virtio_chain chain;

	(void)state;
	sim.virtio.queue[0].notify = NULL;
	send(VIRTIO_MEM_UNPLUG, 7, 258);
	virtio_mem_kick(&queue);
	assert_true(sim_virtio_pop(&sim.virtio, 0, &chain));
	assert_int_equal(chain.count, 2);
	assert_int_equal(chain.buffer[0].length, 24);
	assert_false(chain.buffer[0].device_writes);
	assert_int_equal(chain.buffer[1].length, 10);
	assert_true(chain.buffer[1].device_writes);
	assert_memory_equal(phys_to_virt(chain.buffer[0].address), wanted, sizeof(wanted));
}

static void answers_come_with_their_requests(void **state)
{
	struct virtio_mem_request request;

	(void)state;
	send(VIRTIO_MEM_PLUG, 0, 4);
	send(VIRTIO_MEM_STATE, 2, 4);
	send(VIRTIO_MEM_UNPLUG, 9, 1);
	virtio_mem_kick(&queue);
	assert_int_equal(virtio_mem_take(&queue, &request), 0);
	sim_mem_complete(&sim, 3);
	assert_int_equal(virtio_mem_take(&queue, &request), 1);
	assert_int_equal(request.type, VIRTIO_MEM_PLUG);
	assert_int_equal(request.answer, VIRTIO_MEM_ACK);
	assert_int_equal(request.bytes, 4 * BLOCK_SIZE);
	assert_int_equal(virtio_mem_take(&queue, &request), 1);
	assert_int_equal(request.type, VIRTIO_MEM_STATE);
	assert_int_equal(request.state, VIRTIO_MEM_MIXED);
	assert_int_equal(request.start, sim.addr + 2 * BLOCK_SIZE);
	assert_int_equal(virtio_mem_take(&queue, &request), 1);
	assert_int_equal(request.type, VIRTIO_MEM_UNPLUG);
	assert_int_equal(request.answer, VIRTIO_MEM_ERROR);
	assert_int_equal(virtio_mem_take(&queue, &request), 0);
	assert_int_equal(queue.count, 0);
}

static void so_many_are_on_their_way_and_no_more(void **state)
{
	struct virtio_mem_request request;

	(void)state;
	for (size_t i = 0; i < VIRTIO_MEM_REQUESTS; i++)
		send(VIRTIO_MEM_STATE, i, 1);
	assert_false(virtio_mem_has_room(&queue));
	virtio_mem_kick(&queue);
	sim_mem_complete(&sim, 3);
	/* The place of one that is answered is the next one's. */
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(virtio_mem_take(&queue, &request), 1);
		assert_int_equal(request.start, sim.addr + i * BLOCK_SIZE);
		send(VIRTIO_MEM_STATE, 100 + i, 1);
	}
	assert_false(virtio_mem_has_room(&queue));
	virtio_mem_kick(&queue);
	sim_mem_complete(&sim, SIZE_MAX);
	for (size_t i = 3; i < VIRTIO_MEM_REQUESTS; i++) {
		assert_int_equal(virtio_mem_take(&queue, &request), 1);
		assert_int_equal(request.start, sim.addr + i * BLOCK_SIZE);
	}
	assert_int_equal(queue.count, 3);
}

static void the_oldest_request_is_known(void **state)
{
	struct virtio_mem_request request;
	uint64_t first_awake, second_awake;

	(void)state;
	assert_int_equal(virtio_mem_sent_awake(&queue), DEADLINE_NEVER);
	first_awake = clock_awake_ns();
	send(VIRTIO_MEM_STATE, 0, 1);
	sim_time_advance(NS_PER_S);
	second_awake = clock_awake_ns();
	send(VIRTIO_MEM_STATE, 1, 1);
	assert_in_range(virtio_mem_sent_awake(&queue), first_awake, second_awake - 1);
	virtio_mem_kick(&queue);
	sim_mem_complete(&sim, 1);
	assert_int_equal(virtio_mem_take(&queue, &request), 1);
	assert_in_range(virtio_mem_sent_awake(&queue), second_awake, clock_awake_ns());
}

static void an_answer_at_once_is_waited_for_a_moment(void **state)
{
	(void)state;
	sim.completion = SIM_MEM_AT_ONCE;
	send(VIRTIO_MEM_STATE, 0, 1);
	assert_true(virtio_mem_kick(&queue) < 20 * NS_PER_US);
	sim.completion = SIM_MEM_ON_DEMAND;
	send(VIRTIO_MEM_STATE, 1, 1);
	/* The other one is not taken yet: there is news. */
	assert_true(virtio_mem_kick(&queue) < 20 * NS_PER_US);
	assert_int_equal(virtio_mem_take(&queue, &(struct virtio_mem_request){ 0 }), 1);
	send(VIRTIO_MEM_STATE, 2, 1);
	assert_in_range(virtio_mem_kick(&queue), 50 * NS_PER_US, 70 * NS_PER_US);
}

static void a_queue_that_was_stopped_has_forgotten_its_requests(void **state)
{
	(void)state;
	send(VIRTIO_MEM_UNPLUG_ALL, 0, 0);
	virtio_mem_kick(&queue);
	virtio_mem_queue_stop(&queue);
	/* It was not reset: what it has stays with it, until it is. */
	assert_true(ledger_count(OWNER_VIRTQUEUES) > 0);
	assert_int_equal(queue.count, 0);
	assert_int_equal(virtio_mem_sent_awake(&queue), DEADLINE_NEVER);
	virtio_reset(&sim.virtio.device);
	virtio_mem_queue_stop(&queue);
	assert_int_equal(ledger_count(OWNER_VIRTQUEUES), 0);
	assert_int_equal(sim_log_warnings, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_request_is_what_the_specification_says),
		TEST(answers_come_with_their_requests),
		TEST(so_many_are_on_their_way_and_no_more),
		TEST(the_oldest_request_is_known),
		TEST(an_answer_at_once_is_waited_for_a_moment),
		TEST(a_queue_that_was_stopped_has_forgotten_its_requests),
	};

	return cmocka_run_group_tests(tests, region_fixture_reserve, NULL);
}
