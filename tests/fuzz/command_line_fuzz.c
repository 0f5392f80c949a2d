/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The input is the kernel's command line, as a host gives it. Reads every option
 * that the kernel has, and parses sizes, numbers and places of virtio devices.
 * Compares each result with that of a second, independent reading.
 */
#include "tests/fuzz/fuzz.h"

#include <errno.h>

#include "arch/boot_info.h"
#include "drivers/virtio/virtio_mmio.h"
#include "kernel/command_line.h"
#include "kernel/lib/parse.h"

static const char *const keys[] = { "run",    "floor",	       "strategy",
				    "poison", "virtio.refuse", "virtio_mmio.device",
				    "f" };

/* In a buffer of just that size, for the sanitizer. */
static void check_value(const char *line, const char *key, size_t size)
{
	char *value = malloc(size);

	memset(value, '#', size);
	if (command_line_option(line, key, value, size)) {
		fuzz_require(strnlen(value, size) < size, "%s: a value without an end", key);
		fuzz_require(!strchr(value, '"'), "%s: a value with quotes", key);
		fuzz_require(strlen(value) <= strlen(line), "%s: a value from nowhere", key);
	} else {
		fuzz_require(value[0] == '#', "%s: stored, though it failed", key);
	}
	free(value);
}

/* Every byte that is no blank is in exactly one word, each of which is whole but the last. */
static void check_words(const char *line)
{
	const char *cursor = line, *end = line;
	struct command_line_word word;
	bool complete = true;

	while (command_line_word(&cursor, &word)) {
		fuzz_require(complete, "a word after one whose quote does not end");
		fuzz_require(word.text >= end && cursor == word.text + word.length,
			     "a word in another");
		fuzz_require(strspn(end, " \t") == (size_t)(word.text - end), "bytes in no word");
		complete = word.complete;
		end = cursor;
	}
	fuzz_require(end[strspn(end, " \t")] == '\0', "bytes after the last word");
}

/* The last one that comes is the one that command_line_option() takes. */
static void check_all(const char *line, const char *key)
{
	char each[BOOT_COMMAND_LINE_MAX] = "", last[BOOT_COMMAND_LINE_MAX] = "";
	const char *cursor = line;
	bool wrong = false;
	size_t count = 0;
	int got;

	while ((got = command_line_next(&cursor, key, each, sizeof(each))) != 0) {
		fuzz_require(cursor <= line + strlen(line), "%s: beyond the line", key);
		fuzz_require(++count <= strlen(line), "%s: no end of values", key);
		wrong = wrong || got < 0;
	}
	if (wrong)
		return;
	fuzz_require(command_line_option(line, key, last, sizeof(last)) == (count > 0),
		     "%s: there, and not there", key);
	fuzz_require(count == 0 || strcmp(each, last) == 0, "%s: two opinions", key);
}

/* The C library says the same of digits alone. */
static void check_number(const char *text)
{
	uint64_t number = 77, size = 77;
	int number_err = parse_u64(text, &number);
	int size_err = parse_size(text, &size);
	bool decimal = *text && strspn(text, "0123456789") == strlen(text);

	fuzz_require(number_err == 0 || number == 77, "a number was stored, though it failed");
	fuzz_require(size_err == 0 || size == 77, "a size was stored, though it failed");
	if (!decimal)
		return;
	errno = 0;
	if (strtoull(text, NULL, 10) == UINT64_MAX && errno == ERANGE)
		fuzz_require(number_err == -ERANGE && size_err == -ERANGE, "%s: too large", text);
	else
		fuzz_require(number_err == 0 && number == strtoull(text, NULL, 10) &&
				     size_err == 0 && size == number,
			     "%s: another number", text);
}

static void check_size_text(const char *text)
{
	char shown[FORMAT_SIZE_MAX];
	uint64_t size;

	if (parse_size(text, &size) == 0)
		format_size(size, shown);
}

static void check_place(const char *text)
{
	struct virtio_mmio_place place = { .base = 77, .size = 77 };

	if (virtio_mmio_parse(text, &place))
		fuzz_require(place.base == 77 && place.size == 77,
			     "a place was stored, though it failed");
	else
		fuzz_require(strchr(text, '@') && strchr(text, ':'), "a place of no such form");
}

/* An option's value is parsed as its users would. */
static void check_numbers(const char *line)
{
	char value[BOOT_COMMAND_LINE_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!command_line_option(line, keys[i], value, sizeof(value)))
			continue;
		check_number(value);
		check_size_text(value);
		check_place(value);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line;

	if (size >= BOOT_COMMAND_LINE_MAX)
		return 0;
	line = strndup((const char *)data, size);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		check_value(line, keys[i], 1);
		check_value(line, keys[i], 16);
		check_value(line, keys[i], BOOT_COMMAND_LINE_MAX);
		check_all(line, keys[i]);
	}
	check_words(line);
	check_numbers(line);
	check_number(line);
	check_size_text(line);
	check_place(line);
	free(line);
	return 0;
}
