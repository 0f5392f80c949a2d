/* SPDX-License-Identifier: BSD-2-Clause */
/* The split virtqueue between a driver and a device that may lie; see ring.c. */
#include "tests/fuzz/ring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ring_fuzz(false, data, size);
	return 0;
}
