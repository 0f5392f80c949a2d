/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sizes as people write and read them: see balloonctl.h. Units are powers of
 * 1024. Written sizes are exact, without floating point; shown ones are not.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "tools/balloonctl/balloonctl.h"

#define FRACTION_DIGITS 15

/* Reads at most `max` digits, and gives where they end; NULL: there is none, or one more. */
static const char *read_digits(const char *text, unsigned max, uint64_t *value)
{
	unsigned n = 0;

	*value = 0;
	for (; *text >= '0' && *text <= '9'; text++, n++) {
		if (n == max)
			return NULL;
		*value = *value * 10 + (uint64_t)(*text - '0');
	}
	return n ? text : NULL;
}

/* Gives the power of two that `text`, to its end, stands for; -1: none. */
static int unit_shift(const char *text)
{
	static const char units[] = "kmgt";
	char small = (char)(*text | 0x20);
	const char *at;

	if (*text == '\0')
		return 0;
	at = strchr(units, small);
	if (!at || *at == '\0' || (text[1] != '\0' && strcmp(text + 1, "iB") != 0))
		return -1;
	return 10 * (int)(at - units + 1);
}

int size_parse(const char *text, uint64_t *bytes)
{
	uint64_t whole, fraction = 0, scale = 1;
	unsigned __int128 sum;
	int shift;

	/* Keep one leading zero; 19 digits always fit 64 bits. */
	text += strspn(text, "0") - (*text == '0');
	if (strspn(text, "0123456789") > 19)
		return -ERANGE;
	text = read_digits(text, 19, &whole);
	if (text && *text == '.') {
		const char *digits = text + 1;

		text = read_digits(digits, FRACTION_DIGITS, &fraction);
		for (; text && digits < text; digits++)
			scale *= 10;
	}
	shift = text ? unit_shift(text) : -1;
	/* Bytes have no fraction. */
	if (shift < 0 || (scale > 1 && shift == 0))
		return -EINVAL;
	sum = ((unsigned __int128)whole << shift) + ((unsigned __int128)fraction << shift) / scale;
	if (sum > INT64_MAX)
		return -ERANGE;
	*bytes = (uint64_t)sum;
	return 0;
}

int seconds_parse(const char *text, unsigned *seconds)
{
	uint64_t value;
	const char *end = read_digits(text, 9, &value);

	if (!end || *end != '\0' || value > SECONDS_MAX)
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

const char *size_word(uint64_t bytes, char text[SIZE_TEXT])
{
	size_format(bytes, text);
	return text + strspn(text, " ");
}
