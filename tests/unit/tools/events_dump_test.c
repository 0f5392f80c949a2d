/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/events_dump.c against cores made of this process's own rings and
 * epitaph, at the addresses where they are, but for the root, which is put where
 * a kernel has it. What a guest says is shown, what lies is refused, and no text
 * of the guest steers a terminal or breaks JSON.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "drivers/balloon/balloon_dump.h"
#include "kernel/dump.h"
#include "kernel/events_print.h"
#include "kernel/lib/epitaph.h"
#include "kernel/lib/events_dump.h"
#include "mm/frame_dump.h"
#include "tests/unit/kernel/hen_events.h"
#include "tests/unit/tools/core_file.h"
#include "tools/events_dump.h"

#define ROOT_PADDR 0x123000u

EVENTS_DEFINE(hen, HEN_EVENTS);
EVENTS_DEFINE(fox, FOX_EVENTS);

struct epitaph panic_epitaph = { .version = EPITAPH_VERSION, .size = sizeof(panic_epitaph) };

/* Named by the root, but not read here. */
const struct frame_dump frame_dump;
const struct balloon_dump balloon_dump;

/* What a core will hold: copies, to be changed. Driver 0 is the one that is defined first. */
struct image {
	struct dump_root root;
	struct epitaph epitaph;
	struct events_dump events;
	struct events_dump_source source[2];
	struct event_type type[2][EVENT_TYPES_MAX];
	struct event_ring ring[2];
	size_t pieces; /* how many of them are in the core */
};

static struct image image;

static int take_image(void **state)
{
	(void)state;
	memset(&image, 0, sizeof(image));
	image.root = dump_root;
	image.root.self = ROOT_PADDR;
	image.epitaph = (struct epitaph){ .version = EPITAPH_VERSION,
					  .size = sizeof(struct epitaph) };
	image.events = events_dump;
	assert_int_equal(__stop_event_sources - __start_event_sources, 2);
	memcpy(image.source, __start_event_sources, sizeof(image.source));
	for (int i = 0; i < 2; i++)
		memcpy(image.type[i], (const void *)(uintptr_t)image.source[i].type,
		       image.source[i].type_count * sizeof(struct event_type));
	image.pieces = 8;
	return 0;
}

static int driver(const char *name)
{
	return strcmp(image.source[0].driver, name) != 0;
}

static void record(int i, uint64_t time_ns, unsigned type, uint64_t first, uint64_t second)
{
	events_record(&image.ring[i], time_ns, type, first, second);
}

static int open_image(struct events_dump_reader **dump, char error[CORE_ERROR_MAX])
{
	const struct core_piece pieces[] = {
		{ ROOT_PADDR, &image.root, sizeof(image.root) },
		{ dump_root.epitaph, &image.epitaph, sizeof(image.epitaph) },
		{ dump_root.events, &image.events, sizeof(image.events) },
		{ events_dump.sources, image.source, sizeof(image.source) },
		{ (uintptr_t)__start_event_sources[0].type, image.type[0],
		  __start_event_sources[0].type_count * sizeof(struct event_type) },
		{ (uintptr_t)__start_event_sources[1].type, image.type[1],
		  __start_event_sources[1].type_count * sizeof(struct event_type) },
		{ (uintptr_t)__start_event_sources[0].ring, &image.ring[0], sizeof(image.ring[0]) },
		{ (uintptr_t)__start_event_sources[1].ring, &image.ring[1], sizeof(image.ring[1]) },
	};
	struct core *core;
	int err;

	assert_int_equal(core_file_open(core_file_make(pieces, image.pieces), &core, error), 0);
	err = events_dump_open(core, dump, error);
	core_close(core);
	return err;
}

/* ---- What it prints ---- */

static char *printed(void (*print)(const struct events_dump_reader *dump))
{
	struct events_dump_reader *dump;
	char error[CORE_ERROR_MAX];
	FILE *real = stdout;
	size_t length;
	char *text;

	if (open_image(&dump, error))
		fail_msg("%s", error);
	stdout = open_memstream(&text, &length);
	print(dump);
	fclose(stdout);
	stdout = real;
	events_dump_close(dump);
	return text;
}

static void assert_prints(const char *expected)
{
	char *text = printed(events_dump_print);

	if (!strstr(text, expected))
		fail_msg("\"%s\" is not in:\n%s", expected, text);
	free(text);
}

/* What it prints as JSON, as the members of an object. */
static struct json_object *printed_json(void)
{
	char *text = printed(events_dump_print_json);
	char *object;
	struct json_object *json;

	assert_true(asprintf(&object, "{%s\"end\":0}", text) > 0);
	json = json_tokener_parse(object);
	if (!json)
		fail_msg("no JSON: %s", object);
	free(object);
	free(text);
	return json;
}

static void panic_at(const char *message, const char *symbol)
{
	image.epitaph.panicked = 1;
	image.epitaph.time_ns = 12000345678;
	image.epitaph.depth = 2;
	snprintf(image.epitaph.message, sizeof(image.epitaph.message), "%s", message);
	image.epitaph.at = (struct epitaph_place){ .address = 0x101234, .offset = 0x34 };
	snprintf(image.epitaph.at.symbol, EPITAPH_SYMBOL, "%s", symbol);
	image.epitaph.backtrace[0] = image.epitaph.at;
	image.epitaph.backtrace[1] = (struct epitaph_place){ .address = 0x104321 };
}

static void events_are_printed_as_the_guest_prints_them(void **state)
{
	(void)state;
	record(driver("hen"), 2000000, HEN_EGG, 3, 0xff00);
	record(driver("fox"), 1000000, FOX_SLEPT, 8, 0);
	record(driver("hen"), 3000000, HEN_FOX, 0, 0);
	assert_prints("[    0.001000] fox        slept          hours=8\n"
		      "[    0.002000] hen        egg            count=3 colour=0xff00\n"
		      "[    0.003000] hen        fox-seen      \n"
		      "Events since boot:\n");
	assert_prints("hen        egg 1, fox-seen 1\n");
	assert_prints("fox        slept 1\n");
}

static void a_panic_is_told_first(void **state)
{
	char *text;

	(void)state;
	panic_at("mm/frame.c:33: free: count > 0 does not hold", "frame_free");
	text = printed(events_dump_print);
	assert_ptr_equal(strstr(text, "panicked: mm/frame.c:33: free: count > 0 does not hold\n"
				      "  12.000345 s after boot, at 00101234 frame_free+0x34\n"
				      "backtrace:\n"
				      "  00101234 frame_free+0x34\n"
				      "  00104321 ?\n"
				      "Events since boot:\n"),
			 text);
	free(text);
}

static void a_guest_that_has_not_panicked_is_not_said_to(void **state)
{
	struct json_object *json = printed_json(), *epitaph;
	char *text = printed(events_dump_print);

	(void)state;
	assert_null(strstr(text, "panicked"));
	free(text);
	assert_true(json_object_object_get_ex(json, "epitaph", &epitaph));
	assert_null(epitaph);
	json_object_put(json);
}

static void json_tells_the_same(void **state)
{
	struct json_object *json, *at;

	(void)state;
	panic_at("out of eggs", "lay");
	record(driver("hen"), 2000000, HEN_EGG, 3, UINT64_MAX);
	json = printed_json();
	assert_int_equal(json_pointer_get(json, "/epitaph/time-ns", &at), 0);
	assert_int_equal(json_object_get_int64(at), 12000345678);
	assert_int_equal(json_pointer_get(json, "/epitaph/message", &at), 0);
	assert_string_equal(json_object_get_string(at), "out of eggs");
	assert_int_equal(json_pointer_get(json, "/epitaph/backtrace/1/address", &at), 0);
	assert_int_equal(json_object_get_int64(at), 0x104321);
	assert_int_equal(json_pointer_get(json, "/epitaph/at/symbol", &at), 0);
	assert_string_equal(json_object_get_string(at), "lay");
	assert_int_equal(json_pointer_get(json, "/events/0/colour", &at), 0);
	assert_int_equal(json_object_get_uint64(at), UINT64_MAX);
	assert_int_equal(json_pointer_get(json, "/event-counts/hen/egg", &at), 0);
	assert_int_equal(json_object_get_int64(at), 1);
	json_object_put(json);
}

static void text_of_the_guest_steers_no_terminal_and_breaks_no_json(void **state)
{
	struct json_object *json, *at;

	(void)state;
	panic_at("", "a\x1b[2Jb");
	memset(image.epitaph.message, 'x', sizeof(image.epitaph.message));
	memcpy(image.epitaph.message, "\"\\\n\x7f\xff", 5);
	assert_prints("panicked: \"\\\\x0a\\x7f\\xffxxx");
	assert_prints(" a\\x1b[2Jb+0x34\n");
	json = printed_json();
	assert_int_equal(json_pointer_get(json, "/epitaph/message", &at), 0);
	assert_memory_equal(json_object_get_string(at), "\"\\\n\x7f\xc3\xbfxxx", 9);
	/* One byte is two in UTF-8. */
	assert_int_equal(json_object_get_string_len(at), EPITAPH_MESSAGE + 1);
	json_object_put(json);
}

static void a_damaged_ring_costs_its_own_events_only(void **state)
{
	(void)state;
	record(driver("hen"), 1000000, HEN_EGG, 3, 1);
	memset(&image.ring[driver("fox")], 0xff, sizeof(image.ring[0]));
	assert_prints("[    0.001000] hen        egg            count=3 colour=0x1\n");
}

/* ---- What is refused ---- */

static void assert_refused(const char *why)
{
	struct events_dump_reader *dump = NULL;
	char error[CORE_ERROR_MAX] = "";

	assert_int_equal(open_image(&dump, error), -EINVAL);
	if (!strstr(error, why))
		fail_msg("\"%s\" is not in \"%s\"", why, error);
	take_image(NULL);
}

static void every_lie_about_the_way_is_named(void **state)
{
	(void)state;
	image.root.version++;
	assert_refused("its description has layout");
	image.epitaph.version++;
	assert_refused("its epitaph has layout");
	image.epitaph.size--;
	assert_refused("its epitaph should have");
	image.epitaph.depth = EPITAPH_DEPTH + 1;
	assert_refused("a backtrace of 25 places");
	image.events.version++;
	assert_refused("its table of events has layout");
	image.events.ring_size++;
	assert_refused("rings of events");
	image.events.type_size--;
	assert_refused("rings of events");
	image.events.events_kept *= 2;
	assert_refused("rings of events");
	image.events.event_types++;
	assert_refused("rings of events");
	image.events.sources_end++;
	assert_refused("sources of events");
	image.events.sources_end = image.events.sources - sizeof(struct events_dump_source);
	assert_refused("sources of events");
	image.events.sources_end += 100 * sizeof(struct events_dump_source);
	assert_refused("sources of events");
}

static void a_name_that_is_none_is_refused(void **state)
{
	(void)state;
	image.source[1].driver[0] = '"';
	assert_refused("driver 1 of those with events has no sane name");
	memset(image.source[0].driver, 'x', EVENT_DRIVER_MAX);
	assert_refused("driver 0 of those with events has no sane name");
	image.source[1].type_count = EVENT_TYPES_MAX + 1;
	assert_refused("17 types");
	image.type[0][0].name[0] = '\0';
	assert_refused("event 0 of driver");
	image.type[0][0].name[1] = '\x1b';
	assert_refused("event 0 of driver");
	image.type[1][0].argument[0][0] = '"';
	assert_refused("event 0 of driver");
	memset(image.type[0][0].argument[1], 'x', EVENT_NAME_MAX);
	assert_refused("event 0 of driver");
}

static void what_lies_beyond_the_dump_is_named(void **state)
{
	(void)state;
	image.root.epitaph = 0x1000;
	assert_refused("epitaph is said to be at 0x1000");
	image.root.events = UINT64_MAX;
	assert_refused("table of events is said to be at");
	image.events.sources += 0x100000;
	image.events.sources_end += 0x100000;
	assert_refused("the table of drivers is said to be at");
	image.source[0].type = UINT64_MAX - 10;
	assert_refused("the types of events is said to be at");
	image.source[1].ring = 0x1000;
	assert_refused("a ring of events is said to be at 0x1000");
	image.pieces--;
	assert_refused("a ring of events is said to be at");
}

/* ---- At the edges ---- */

/* A message and a symbol without an end, and as many places as there are. */
static void the_longest_epitaph_is_printed_whole(void **state)
{
	char wanted[8192], *text;
	size_t len;

	(void)state;
	panic_at("", "");
	memset(image.epitaph.message, 'm', EPITAPH_MESSAGE);
	memset(image.epitaph.at.symbol, 's', EPITAPH_SYMBOL);
	image.epitaph.depth = EPITAPH_DEPTH;
	for (unsigned i = 0; i < EPITAPH_DEPTH; i++)
		image.epitaph.backtrace[i] = (struct epitaph_place){ .address = 0x100000 + i,
								     .offset = i,
								     .symbol = "f" };
	len = (size_t)sprintf(wanted, "panicked: %0*d\n  12.000345 s after boot, at 00101234 ",
			      EPITAPH_MESSAGE, 0);
	memset(strchr(wanted, ' ') + 1, 'm', EPITAPH_MESSAGE);
	memset(wanted + len, 's', EPITAPH_SYMBOL);
	len += EPITAPH_SYMBOL;
	len += (size_t)sprintf(wanted + len, "+0x34\nbacktrace:\n");
	for (unsigned i = 0; i < EPITAPH_DEPTH; i++)
		len += (size_t)sprintf(wanted + len, "  %08x f+%#x\n", 0x100000 + i, i);
	strcpy(wanted + len, "Events since boot:\n");
	text = printed(events_dump_print);
	assert_ptr_equal(strstr(text, wanted), text);
	free(text);
}

static void epitaph_in_json_is_this(void **state)
{
	char *text;

	(void)state;
	panic_at("a\x1f ~\x7f\"\\b", "lay");
	text = printed(events_dump_print_json);
	assert_ptr_equal(strstr(text,
				"\"epitaph\":{\"time-ns\":12000345678,\"message\":"
				"\"a\\u001f ~\\u007f\\\"\\\\b\",\"at\":{\"address\":1053236,"
				"\"symbol\":\"lay\",\"offset\":52},\"backtrace\":["
				"{\"address\":1053236,\"symbol\":\"lay\",\"offset\":52},"
				"{\"address\":1065761,\"symbol\":\"\",\"offset\":0}]},\"events\":"),
			 text);
	free(text);
	panic_at("", "");
	memset(image.epitaph.message, 'm', EPITAPH_MESSAGE);
	memset(image.epitaph.at.symbol, 's', EPITAPH_SYMBOL);
	image.epitaph.depth = 0;
	text = printed(events_dump_print_json);
	assert_int_equal(strspn(strstr(text, "mm"), "m"), EPITAPH_MESSAGE);
	assert_int_equal(strspn(strstr(text, "sss"), "s"), EPITAPH_SYMBOL);
	assert_non_null(strstr(text, "\"backtrace\":[]},"));
	free(text);
}

/* As many as there may be are asked for, and then are not there. */
static void as_much_as_there_may_be_is_believed(void **state)
{
	(void)state;
	image.events.sources_end = image.events.sources +
				   EVENT_SOURCES_MAX * sizeof(struct events_dump_source);
	image.source[0].driver[0] = '!';
	assert_refused("driver 0 of those");
	image.events.sources_end = image.events.sources +
				   (EVENT_SOURCES_MAX + 1) * sizeof(struct events_dump_source);
	assert_refused("damaged: sources of events from 0x");
	image.source[0].type_count = EVENT_TYPES_MAX;
	image.source[0].type = UINT64_MAX - 10;
	assert_refused("the types of events is said to be at");
	image.events.ring_size = 7;
	image.events.type_size = 9;
	assert_refused("damaged: rings of events have 7 bytes, types 9");
}

/* The longest names, with their NUL, and none where there is no argument. */
static void names_may_be_as_long_as_their_fields(void **state)
{
	char error[CORE_ERROR_MAX];
	struct events_dump_reader *dump;

	(void)state;
	memset(image.source[0].driver, 'z', EVENT_DRIVER_MAX - 1);
	image.source[0].driver[EVENT_DRIVER_MAX - 1] = '\0';
	memset(image.type[0][0].name, 'a', EVENT_NAME_MAX - 1);
	image.type[0][0].name[EVENT_NAME_MAX - 1] = '\0';
	memset(image.type[0][0].argument[0], '-', EVENT_NAME_MAX - 1);
	image.type[0][0].argument[0][0] = '#';
	image.type[0][0].argument[0][EVENT_NAME_MAX - 1] = '\0';
	image.type[0][0].argument[1][0] = '\0';
	assert_int_equal(open_image(&dump, error), 0);
	events_dump_close(dump);
	memset(image.type[0][0].argument[0], 'a', EVENT_NAME_MAX);
	image.type[0][0].argument[0][0] = '#';
	assert_refused("event 0 of driver");
	image.type[0][0].argument[0][1] = '#';
	assert_refused("event 0 of driver");
}

/* Types that a driver does not have are not looked at; the last that it has is. */
static void only_types_that_there_are_count(void **state)
{
	char error[CORE_ERROR_MAX];
	struct events_dump_reader *dump;
	int i = driver("hen");

	(void)state;
	image.type[i][2].name[0] = '!';
	assert_int_equal(open_image(&dump, error), 0);
	events_dump_close(dump);
	image.type[i][1].name[0] = '!';
	assert_refused("damaged: event 1 of driver hen has no sane names");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(events_are_printed_as_the_guest_prints_them, take_image),
		cmocka_unit_test_setup(a_panic_is_told_first, take_image),
		cmocka_unit_test_setup(a_guest_that_has_not_panicked_is_not_said_to, take_image),
		cmocka_unit_test_setup(json_tells_the_same, take_image),
		cmocka_unit_test_setup(text_of_the_guest_steers_no_terminal_and_breaks_no_json,
				       take_image),
		cmocka_unit_test_setup(a_damaged_ring_costs_its_own_events_only, take_image),
		cmocka_unit_test_setup(every_lie_about_the_way_is_named, take_image),
		cmocka_unit_test_setup(a_name_that_is_none_is_refused, take_image),
		cmocka_unit_test_setup(what_lies_beyond_the_dump_is_named, take_image),
		cmocka_unit_test_setup(the_longest_epitaph_is_printed_whole, take_image),
		cmocka_unit_test_setup(epitaph_in_json_is_this, take_image),
		cmocka_unit_test_setup(as_much_as_there_may_be_is_believed, take_image),
		cmocka_unit_test_setup(names_may_be_as_long_as_their_fields, take_image),
		cmocka_unit_test_setup(only_types_that_there_are_count, take_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
