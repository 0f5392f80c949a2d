/* SPDX-License-Identifier: BSD-2-Clause */
/* Amounts as people write them: see amount.h. */
#include "tools/balloonctl/amount.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tools/balloonctl/balloonctl.h"

#define NUMBER_MAX 48 /* characters of a percentage */

/* What stands before the % is read as a number of T, which may have a fraction. */
static int percent_parse(const char *text, size_t length, uint64_t *value)
{
	char number[NUMBER_MAX];
	int err;

	if (length >= NUMBER_MAX - 1 || strspn(text, "0123456789.") != length)
		return -EINVAL;
	snprintf(number, sizeof(number), "%.*sT", (int)length, text);
	err = size_parse(number, value);
	return !err && *value > 100 * AMOUNT_PERCENT ? -ERANGE : err;
}

int amount_parse(const char *text, struct amount *amount)
{
	struct amount read = { .sign = *text == '+' ? 1 : *text == '-' ? -1 : 0 };
	size_t length;
	int err;

	text += read.sign != 0;
	length = strlen(text);
	read.percent = length > 0 && text[length - 1] == '%';
	err = read.percent ? percent_parse(text, length - 1, &read.value)
			   : size_parse(text, &read.value);
	if (!err)
		*amount = read;
	return err;
}

uint64_t amount_bytes(const struct amount *amount, uint64_t ram)
{
	if (!amount->percent)
		return amount->value;
	/* The fraction of a percentage was rounded down. */
	return (uint64_t)(((unsigned __int128)ram * amount->value + 50 * AMOUNT_PERCENT) /
			  (100 * AMOUNT_PERCENT));
}
