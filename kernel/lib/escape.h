/* SPDX-License-Identifier: BSD-2-Clause */
/* Text from outside, made harmless for a terminal. Host programs include this file. */
#ifndef KERNEL_LIB_ESCAPE_H
#define KERNEL_LIB_ESCAPE_H

#include <stddef.h>

#define ESCAPE_MAX 4

/* Writes a byte as it may be shown, itself if printable ASCII, else \xNN. Returns the length. */
size_t escape_byte(unsigned char byte, char out[ESCAPE_MAX]);

#endif
