/* SPDX-License-Identifier: BSD-2-Clause */
/* Every word of the command line is accounted for: see option_words.h. */
#include "kernel/option_words.h"

#include <stdio.h>
#include <string.h>

#include "arch/boot_info.h"
#include "kernel/command_line.h"

/* A line of nothing else would push all the rest out of the log. */
#define MISTAKES_SHOWN 32

/* So much of a word is shown. */
#define SHOWN_MAX 40

/* Longer names are like none of ours. */
#define NAME_MAX 24

struct option_word {
	const char *name;
	size_t size;	     /* of its value, its NUL included */
	const char *example; /* of its value */
};

static const struct option_word known[] = {
	{ OPTION_RUN, BOOT_COMMAND_LINE_MAX, "\"show_mem; exit\"" },
	{ OPTION_FLOOR, OPTION_FLOOR_MAX, "64M" },
	{ OPTION_STRATEGY, OPTION_STRATEGY_MAX, "auto" },
	{ OPTION_POISON, OPTION_POISON_MAX, "a5" },
	{ OPTION_MSIX, OPTION_MSIX_MAX, "off" },
	{ OPTION_REFUSE, OPTION_REFUSE_MAX, "EVENT_IDX,INDIRECT_DESC" },
	{ OPTION_MMIO, OPTION_MMIO_MAX, "512@0xfeb00e00:12" },
	{ OPTION_POLL, OPTION_POLL_MAX, "0.5" },
	{ OPTION_SWAP, OPTION_SERIAL_MAX, "auto" },
	{ OPTION_CACHE, OPTION_SERIAL_MAX, "disk1" },
	{ OPTION_VM_IO, OPTION_VM_IO_MAX, "lockstep" },
};

/*
 * What boot loaders and hypervisors add for Linux without being asked: GRUB, PXELINUX
 * and boot entries; Firecracker, crosvm and kvmtool. A name that ends in a point
 * stands for all that begin so.
 */
static const char *const passed_over[] = {
	"--",	  "---",    "BOOT_IMAGE", "BOOTIF",  "initrd", "root",
	"ro",	  "rw",	    "console",	  "reboot",  "panic",  "pci",
	"noapic", "noacpi", "nomodule",	  "swiotlb", "i8042.", "8250.",
};

static unsigned mistakes;

void option_words_note_mistake(void)
{
	mistakes++;
}

bool option_words_have_mistakes(void)
{
	return mistakes > 0;
}

/* Where the name ends: at the "=", or with the word. */
static size_t name_length(const struct command_line_word *word)
{
	const char *equals = memchr(word->text, '=', word->length);

	return equals ? (size_t)(equals - word->text) : word->length;
}

static bool is_passed_over(const char *name, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(passed_over); i++) {
		size_t own = strlen(passed_over[i]);
		bool all_of_them = passed_over[i][own - 1] == '.';

		if ((all_of_them ? length >= own : length == own) &&
		    memcmp(name, passed_over[i], own) == 0)
			return true;
	}
	return false;
}

static const struct option_word *find_known(const char *name, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strlen(known[i].name) == length && memcmp(name, known[i].name, length) == 0)
			return &known[i];
	return NULL;
}

/* ---- The nearest known word ---- */

static char small(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* How many letters to put in, leave out or change make `name` of `other`; case is no matter. */
static size_t distance(const char *name, size_t length, const char *other)
{
	size_t row[NAME_MAX + 1];

	for (size_t j = 0; j <= length; j++)
		row[j] = j;
	for (size_t i = 1; *other; i++, other++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= length; j++) {
			size_t changed = diagonal + (small(name[j - 1]) != *other);

			diagonal = row[j];
			row[j] = min_u64(changed, min_u64(row[j], row[j - 1]) + 1);
		}
	}
	return row[length];
}

/* One letter in three may be wrong. NULL: none is near. */
static const struct option_word *find_near(const char *name, size_t length)
{
	const struct option_word *near = NULL;
	size_t best = SIZE_MAX;

	if (length > NAME_MAX)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		size_t is = distance(name, length, known[i].name);

		if (is * 3 <= strlen(known[i].name) && is < best) {
			best = is;
			near = &known[i];
		}
	}
	return near;
}

/* ---- What is said ---- */

static void say_unknown(const char *shown, const struct option_word *near)
{
	char names[128];
	size_t length = 0;

	if (near) {
		OPTION_MISTAKE("command line: %s is unknown; did you mean %s=?", shown, near->name);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(known) && length < sizeof(names); i++)
		length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%s",
					   i > 0 ? ", " : "", known[i].name);
	OPTION_MISTAKE("command line: %s is unknown; known are %s", shown, names);
}

/* Nothing is said of a value that is there and fits: the one who takes it does. */
static void check_value(const struct command_line_word *word, const struct option_word *option,
			const char *shown)
{
	size_t length = 0;

	for (size_t i = strlen(option->name) + 1; i < word->length; i++)
		length += word->text[i] != '"';
	if (length == 0)
		OPTION_MISTAKE("command line: %s has no value; write %s=%s", shown, option->name,
			       option->example);
	else if (length >= option->size)
		OPTION_MISTAKE(
			"command line: %s is left out, as its value is longer than %zu bytes; "
			"write %s=%s",
			shown, option->size - 1, option->name, option->example);
}

static void check_word(const struct command_line_word *word)
{
	size_t length = name_length(word);
	const struct option_word *option = find_known(word->text, length);
	char shown[SHOWN_MAX + sizeof("...")];

	snprintf(shown, sizeof(shown), "%.*s%s", (int)min_u64(word->length, SHOWN_MAX), word->text,
		 word->length > SHOWN_MAX ? "..." : "");
	if (!word->complete)
		OPTION_MISTAKE("command line: %s is left out, as its quote does not end", shown);
	else if (option)
		check_value(word, option, shown);
	else if (!is_passed_over(word->text, length))
		say_unknown(shown, find_near(word->text, length));
}

void option_words_check(const char *command_line, bool cut)
{
	const char *cursor = command_line;
	struct command_line_word word;
	size_t left_out = 0;

	if (cut)
		OPTION_MISTAKE(
			"command line: longer than %d bytes, and cut after its last whole word",
			BOOT_COMMAND_LINE_MAX - 1);
	while (command_line_word(&cursor, &word)) {
		if (mistakes < MISTAKES_SHOWN)
			check_word(&word);
		else
			left_out++;
	}
	if (left_out > 0)
		log_warn("command line: %zu more words were not looked at, after %u mistakes",
			 left_out, mistakes);
}
