/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sizes as people write and read them: see balloonctl.h. Units are powers of
 * 1024. Written sizes are exact, as the guest reads them; shown ones are not.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "kernel/lib/parse.h"
#include "tools/balloonctl/balloonctl.h"

_Static_assert(SIZE_TEXT >= FORMAT_SIZE_MAX, "size_exact() has room");

int size_parse(const char *text, uint64_t *bytes)
{
	uint64_t size;
	int err = parse_size(text, &size);

	if (!err && size > INT64_MAX)
		err = -ERANGE;
	if (!err)
		*bytes = size;
	return err;
}

int seconds_parse(const char *text, unsigned *seconds)
{
	uint64_t value;

	/* No hexadecimal. */
	if (text[strspn(text, "0123456789")] != '\0' || parse_u64(text, &value) ||
	    value > SECONDS_MAX)
		return -EINVAL;
	*seconds = (unsigned)value;
	return 0;
}

void size_format(uint64_t bytes, char text[SIZE_TEXT])
{
	static const char units[] = "KMGTPE";
	double value = (double)bytes / 1024;
	unsigned unit = 0;
	int decimals;

	if (bytes < 1024) {
		snprintf(text, SIZE_TEXT, "%5u B", (unsigned)bytes);
		return;
	}
	/* The limits are those where rounding would give a digit more. */
	while (value >= 1023.5) {
		value /= 1024;
		unit++;
	}
	assert(unit < strlen(units));
	decimals = value < 9.9995 ? 3 : value < 99.995 ? 2 : value < 999.95 ? 1 : 0;
	snprintf(text, SIZE_TEXT, "%5.*f %ciB", decimals, value, units[unit]);
}

void size_exact(uint64_t bytes, char text[SIZE_TEXT])
{
	format_size_exact(bytes, "", text);
}

const char *size_word(uint64_t bytes, char text[SIZE_TEXT])
{
	size_format(bytes, text);
	return text + strspn(text, " ");
}
