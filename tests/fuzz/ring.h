/* SPDX-License-Identifier: BSD-2-Clause */
/* One target for both kinds of ring: split_ring_fuzz.c and packed_ring_fuzz.c. */
#ifndef TESTS_FUZZ_RING_H
#define TESTS_FUZZ_RING_H

#include "tests/fuzz/fuzz.h"

/* Runs one input: a queue, then steps of driver and device, a byte or more each. */
void ring_fuzz(bool packed, const uint8_t *data, size_t size);

#endif
