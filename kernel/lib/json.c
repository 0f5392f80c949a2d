/* SPDX-License-Identifier: BSD-2-Clause */
/* Strings of JSON: see json.h. RFC 8259, 7. */
#include "kernel/lib/json.h"

#include <stdio.h>

static void print_character(unsigned char c)
{
	if (c == '"' || c == '\\')
		printf("\\%c", c);
	else if (c < 0x20 || c > 0x7e)
		printf("\\u%04x", c);
	else
		printf("%c", c);
}

void json_print_string(const char *text)
{
	if (!text) {
		printf("null");
		return;
	}
	printf("\"");
	for (; *text; text++)
		print_character((unsigned char)*text);
	printf("\"");
}
