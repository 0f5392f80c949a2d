/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared by the fuzz targets: the input as a stream of numbers, and checks that
 * end the program. A target is one function, which libFuzzer calls for each input;
 * no call may leave anything behind that a later one would see.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/lib/types.h"

/* The target: libFuzzer calls it for each input. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz_input {
	const uint8_t *at, *end;
};

/* Returns how many bytes are left. */
static inline size_t fuzz_left(const struct fuzz_input *in)
{
	return (size_t)(in->end - in->at);
}

/* Takes the next byte; after the end of the input, 0. */
static inline uint8_t fuzz_byte(struct fuzz_input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

/* Takes a little-endian number of `bytes` bytes. */
static inline uint64_t fuzz_number(struct fuzz_input *in, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value |= (uint64_t)fuzz_byte(in) << 8 * i;
	return value;
}

/* Ends the program with a message unless the condition holds. */
#define fuzz_require(condition, ...) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, __VA_ARGS__); \
			fputc('\n', stderr); \
			abort(); \
		} \
	} while (0)

#endif
