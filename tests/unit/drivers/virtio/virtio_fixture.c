/* SPDX-License-Identifier: BSD-2-Clause */
/* A device from its features to its end; see virtio_fixture.h. */
#include "tests/unit/drivers/virtio/virtio_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/virtio/virtq.h"
#include "tests/sim/sim_frame.h"

void virtio_use(struct virtio_device *device, struct sim_virtio *sim)
{
	static struct virtq queue;
	const struct virtq_buffer buffer = { .address = 0x1000, .length = 4 };
	struct sim_virtio_chain chain;
	uint64_t interrupts, notified = sim->queue[2].notified;
	void *token;

	assert_int_equal(virtio_negotiate(device, VIRTIO_BIT(1)), 0);
	assert_true(sim->driver_features == device->accepted);
	assert_int_equal(virtq_create(device, 7, &queue), -ENODEV);
	assert_int_equal(virtq_create(device, 2, &queue), 0);
	assert_int_equal(queue.size, 128);
	virtio_ready(device);
	assert_true(sim->status & VIRTIO_STATUS_DRIVER_OK);
	assert_int_equal(virtq_add(&queue, &buffer, 1, &queue), 0);
	virtq_kick(&queue);
	assert_int_equal(sim->queue[2].notified, notified + 1);
	assert_true(sim_virtio_pop(sim, 2, &chain));
	interrupts = device->interrupt_count;
	sim_virtio_push(sim, 2, chain.head, 0);
	assert_int_equal(device->interrupt_count, interrupts + 1);
	assert_int_equal(virtq_get_used(&queue, &token, NULL), 1);
	assert_false(device->config_changed);
	sim_virtio_set_config32(sim, 0, 4711);
	assert_true(device->config_changed);
	assert_int_equal(sim->isr, 0);
	assert_int_equal(virtio_config_read32(device, 0), 4711);
	virtio_config_write32(device, 4, 99);
	assert_int_equal(sim_virtio_config32(sim, 4), 99);
	virtio_break(device, "end of test");
	virtq_destroy(&queue);
	assert_int_equal(sim_frame_in_use(), 0);
}
