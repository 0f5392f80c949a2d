/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * amount.c: amounts as people write them for set, take and give: "1.5G", "50%" of the
 * guest's RAM, and "+512M" or "-10%", which is more or less than now. All of the text
 * counts; sizes have the grammar of kernel/lib/parse.h.
 */
#ifndef TOOLS_BALLOONCTL_AMOUNT_H
#define TOOLS_BALLOONCTL_AMOUNT_H

#include <stdbool.h>
#include <stdint.h>

struct amount {
	int sign;	/* 0: in all; 1: more than now; -1: less than now */
	bool percent;	/* of the RAM */
	uint64_t value; /* bytes, or percent times AMOUNT_PERCENT */
};

#define AMOUNT_PERCENT (1ull << 40)
#define AMOUNT_ALL ((struct amount){ .percent = true, .value = 100 * AMOUNT_PERCENT })

/*
 * Reads "[+|-]SIZE" or "[+|-]NUMBER%", of at most 100 %. -EINVAL: not of this form; -ERANGE:
 * 2^63 bytes or more, or more than 100 %. Nothing is stored on an error.
 */
int amount_parse(const char *text, struct amount *amount);

/* Gives the bytes without the sign, of a guest with so much RAM; a share is rounded. */
uint64_t amount_bytes(const struct amount *amount, uint64_t ram);

#endif
