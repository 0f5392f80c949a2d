/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * printf() and its small relatives for the kernel: newlib formats, the console's
 * hook shows. newlib's own ones are not used, as their streams allocate.
 *
 * One call makes one piece of at most 511 bytes; a longer one is cut and ends
 * in "...". Guest only: host programs have those of their own library.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kernel/lib/hooks.h"

#define PRINTF_SIZE 512

#undef putchar

int vprintf(const char *fmt, va_list args)
{
	char text[PRINTF_SIZE];
	const char *cut = "...";
	size_t fmt_length = strlen(fmt);
	int length;

	length = vsnprintf(text, sizeof(text), fmt, args);
	if (length < 0)
		return length;
	if ((size_t)length >= sizeof(text)) {
		/* The line still ends, if it was meant to. */
		if (fmt_length > 0 && fmt[fmt_length - 1] == '\n')
			cut = "...\n";
		length = sizeof(text) - 1;
		memcpy(text + (size_t)length - strlen(cut), cut, strlen(cut));
	}
	lib_write(text, (size_t)length);
	return length;
}

int printf(const char *fmt, ...)
{
	va_list args;
	int length;

	va_start(args, fmt);
	length = vprintf(fmt, args);
	va_end(args);
	return length;
}

int puts(const char *text)
{
	lib_write(text, strlen(text));
	lib_write("\n", 1);
	return 0;
}

int putchar(int c)
{
	char text = (char)c;

	lib_write(&text, 1);
	return (unsigned char)c;
}
