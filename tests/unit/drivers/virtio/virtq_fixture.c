/* SPDX-License-Identifier: BSD-2-Clause */
/* A queue on a simulated device; see virtq_fixture.h. */
#include "tests/unit/drivers/virtio/virtq_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define PACKED VIRTIO_BIT(VIRTIO_F_RING_PACKED)
#define EVENT VIRTIO_BIT(VIRTIO_F_EVENT_IDX)
#define INDIRECT VIRTIO_BIT(VIRTIO_F_INDIRECT_DESC)
#define OTHERS (VIRTIO_BIT(VIRTIO_F_NOTIFICATION_DATA) | VIRTIO_BIT(VIRTIO_F_ACCESS_PLATFORM))

const struct fixture_ring fixture_rings[FIXTURE_RINGS] = {
	{ "split", 0 },
	{ "split, event", EVENT },
	{ "split, indirect", INDIRECT },
	{ "split, event, indirect", EVENT | INDIRECT },
	{ "split, everything", EVENT | INDIRECT | OTHERS },
	{ "packed", PACKED },
	{ "packed, event", PACKED | EVENT },
	{ "packed, indirect", PACKED | INDIRECT },
	{ "packed, event, indirect", PACKED | EVENT | INDIRECT },
	{ "packed, everything", PACKED | EVENT | INDIRECT | OTHERS },
};

const struct fixture_ring *ring = &fixture_rings[0];
struct sim_virtio sim;
struct virtq queue;
int tokens[VIRTQ_SIZE_MAX];
const struct virtq_buffer one = { .address = 0x123456789000, .length = 1024 };

bool ring_has(unsigned bit)
{
	return ring->features >> bit & 1;
}

void negotiate(bool legacy)
{
	uint64_t features = legacy ? 0 : ring->features | VIRTIO_BIT(VIRTIO_F_VERSION_1);

	sim_time_reset();
	sim_log_reset();
	sim_frame_reset();
	sim_virtio_init(&sim, VIRTIO_ID_BALLOON, legacy, features, 3);
	assert_int_equal(virtio_negotiate(&sim.device, 0), 0);
	assert_true(sim.device.accepted == features);
}

void start(uint16_t size)
{
	negotiate(false);
	sim.queue[0].size_max = size;
	assert_int_equal(virtq_create(&sim.device, 0, &queue), 0);
	virtio_ready(&sim.device);
}

int setup(void **state)
{
	(void)state;
	start(8);
	return 0;
}

int teardown(void **state)
{
	(void)state;
	virtio_break(&sim.device, "end of test");
	virtq_destroy(&queue);
	if (sim.violation)
		print_error("the driver's mistake: %s\n", sim.violation);
	return sim_frame_in_use() == 0 && !sim.violation ? 0 : -1;
}

uint16_t offer(int *token)
{
	struct sim_virtio_chain chain;

	assert_int_equal(virtq_add(&queue, &one, 1, token), 0);
	virtq_kick(&queue);
	assert_true(sim_virtio_pop(&sim, 0, &chain));
	return chain.head;
}

void assert_used(int *expected)
{
	void *token = NULL;

	assert_int_equal(virtq_get_used(&queue, &token, NULL), 1);
	assert_ptr_equal(token, expected);
}

/* The device is not waited for until virtio_break() resets it. */
void assert_broken(void)
{
	void *token = NULL;

	assert_int_equal(virtq_get_used(&queue, &token, NULL), -EIO);
	assert_null(token);
	assert_true(virtq_is_broken(&queue));
	assert_non_null(sim.device.broken);
	assert_true(sim.status & VIRTIO_STATUS_FAILED);
	virtio_break(&sim.device, "another reason");
	assert_int_equal(sim.status, 0);
	assert_string_not_equal(sim.device.broken, "another reason");
	assert_int_equal(sim_log_warnings, 1);
	assert_int_equal(virtq_get_used(&queue, &token, NULL), -EIO);
	assert_int_equal(virtq_add(&queue, &one, 1, &tokens[0]), -EIO);
	assert_true(virtq_has_used(&queue));
	virtq_kick(&queue);
	virtq_set_interrupts(&queue, true);
	assert_int_equal(sim_log_warnings, 1);
}
