/* SPDX-License-Identifier: BSD-2-Clause */
/* Shows in hexadecimal all but printable ASCII. */
#include "kernel/lib/escape.h"

size_t escape_byte(unsigned char byte, char out[ESCAPE_MAX])
{
	static const char digits[] = "0123456789abcdef";

	if (byte >= 0x20 && byte < 0x7f) {
		out[0] = (char)byte;
		return 1;
	}
	out[0] = '\\';
	out[1] = 'x';
	out[2] = digits[byte >> 4];
	out[3] = digits[byte & 15];
	return ESCAPE_MAX;
}
