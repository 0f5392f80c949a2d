/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of a device, for tests of every transport that it may be reached by. */
#ifndef TESTS_UNIT_DRIVERS_VIRTIO_VIRTIO_FIXTURE_H
#define TESTS_UNIT_DRIVERS_VIRTIO_VIRTIO_FIXTURE_H

#include "tests/sim/sim_virtio.h"

/*
 * Runs all of it on a device that is `sim`: features, a queue of 128, a buffer,
 * config, interrupts, and the end.
 */
void virtio_use(struct virtio_device *device, struct sim_virtio *sim);

#endif
