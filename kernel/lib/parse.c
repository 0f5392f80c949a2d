/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers and sizes: see parse.h for the forms. The C library's strtoul() is
 * not used because it takes blanks, signs and a number that is too large.
 */
#include "kernel/lib/parse.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* From the left: what size_suffix() and format_size() count by. */
static const char size_letters[] = "kmgt";

/* Of a size; what 64 bits can hold, and finer than a byte of a TiB. */
#define FRACTION_DIGITS 15
#define FRACTION_SCALE UINT64_C(1000000000000000)

/* Of time: thirty years. */
#define SECONDS_MAX 1000000000

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Reads at least one digit; `*end` is what follows the last one. */
static int parse_digits(const char *text, unsigned base, uint64_t *value, const char **end)
{
	const char *p = text;
	uint64_t sum = 0;
	bool overflow = false;
	int digit;

	for (; (digit = digit_value(*p)) >= 0 && (unsigned)digit < base; p++) {
		overflow |= __builtin_mul_overflow(sum, (uint64_t)base, &sum);
		overflow |= __builtin_add_overflow(sum, (uint64_t)digit, &sum);
	}
	if (p == text)
		return -EINVAL;
	*end = p;
	/* A number that is followed by rubbish is wrong before it is too large. */
	*value = overflow ? UINT64_MAX : sum;
	return overflow ? -ERANGE : 0;
}

int parse_u64(const char *text, uint64_t *value)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *end;
	uint64_t number;
	int err;

	err = parse_digits(hex ? text + 2 : text, hex ? 16 : 10, &number, &end);
	if (err == -EINVAL || *end != '\0')
		return -EINVAL;
	if (!err)
		*value = number;
	return err;
}

/*
 * Reads what a size may have after its point, digits only, as a share of 10^15;
 * more digits than that are no size: none is dropped.
 */
static int parse_fraction(const char *text, uint64_t *share, const char **end)
{
	unsigned digits = 0;

	for (*share = 0; *text >= '0' && *text <= '9'; text++, digits++) {
		if (digits == FRACTION_DIGITS)
			return -EINVAL;
		*share = *share * 10 + (uint64_t)(*text - '0');
	}
	if (digits == 0)
		return -EINVAL;
	for (; digits < FRACTION_DIGITS; digits++)
		*share *= 10;
	*end = text;
	return 0;
}

/* 2^shift * share / 10^15, rounded down: by hand, as 128 bits cannot be divided here. */
static uint64_t scale_fraction(uint64_t share, unsigned shift)
{
	uint64_t bytes = 0;

	for (; shift > 0; shift--) {
		share *= 2;
		bytes = bytes * 2 + (share >= FRACTION_SCALE);
		if (share >= FRACTION_SCALE)
			share -= FRACTION_SCALE;
	}
	return bytes;
}

/* Reads the unit that follows a number, as a power of two. */
static int size_suffix(const char *suffix, unsigned *shift)
{
	const char *letter;

	*shift = 0;
	if (*suffix == '\0')
		return 0;
	/* Setting this bit makes a capital letter small. */
	letter = strchr(size_letters, *suffix | 0x20);
	if (!letter)
		return -EINVAL;
	suffix++;
	if (strcmp(suffix, "") != 0 && strcmp(suffix, "B") != 0 && strcmp(suffix, "iB") != 0)
		return -EINVAL;
	*shift = 10 * (unsigned)(letter - size_letters + 1);
	return 0;
}

int parse_size(const char *text, uint64_t *bytes)
{
	uint64_t number, share = 0;
	bool fraction;
	const char *end;
	unsigned shift;
	int err;

	err = parse_digits(text, 10, &number, &end);
	if (err == -EINVAL)
		return -EINVAL;
	fraction = *end == '.';
	/* Bytes have no fraction. */
	if ((fraction && parse_fraction(end + 1, &share, &end)) || size_suffix(end, &shift) != 0 ||
	    (fraction && shift == 0))
		return -EINVAL;
	if (!err && number << shift >> shift != number)
		err = -ERANGE;
	if (!err)
		*bytes = (number << shift) + scale_fraction(share, shift);
	return err;
}

int parse_seconds(const char *text, uint64_t *ns)
{
	uint64_t number, share = 0;
	const char *end;
	int err = parse_digits(text, 10, &number, &end);

	if (err == -EINVAL || (*end == '.' && parse_fraction(end + 1, &share, &end)) ||
	    *end != '\0')
		return -EINVAL;
	if (err || number > SECONDS_MAX)
		return -ERANGE;
	*ns = number * NS_PER_S + share / (FRACTION_SCALE / NS_PER_S);
	return 0;
}

/* `bytes` in tenths of 2^shift, rounded to nearest; 20 <= shift <= 60. */
static uint64_t tenths(uint64_t bytes, unsigned shift)
{
	uint64_t unit = UINT64_C(1) << shift;

	return (bytes >> shift) * 10 + (((bytes & (unit - 1)) * 10 + unit / 2) >> shift);
}

const char *format_size(uint64_t bytes, char text[FORMAT_SIZE_MAX])
{
	static const char units[] = "MGTPE";
	uint64_t kib = (bytes >> 10) + (bytes >> 9 & 1);
	unsigned unit = 0;
	uint64_t number;

	if (bytes < KIB) {
		snprintf(text, FORMAT_SIZE_MAX, "%u B", (unsigned)bytes);
		return text;
	}
	/* Rounded first, so that there is no "1024 KiB" and no "1024.0 MiB". */
	if (kib < 1024) {
		snprintf(text, FORMAT_SIZE_MAX, "%u KiB", (unsigned)kib);
		return text;
	}
	number = tenths(bytes, 20);
	while (number >= 10240)
		number = tenths(bytes, 20 + 10 * ++unit);
	snprintf(text, FORMAT_SIZE_MAX, "%u.%u %ciB", (unsigned)(number / 10),
		 (unsigned)(number % 10), units[unit]);
	return text;
}

const char *format_size_exact(uint64_t bytes, const char *unit, char text[FORMAT_SIZE_MAX])
{
	static const char *const units[] = { "K", "M", "G", "T" };

	for (size_t i = 0; i < ARRAY_SIZE(units) && bytes > 0 && bytes % KIB == 0; i++) {
		unit = units[i];
		bytes /= KIB;
	}
	snprintf(text, FORMAT_SIZE_MAX, "%" PRIu64 "%s", bytes, bytes > 0 ? unit : "");
	return text;
}
