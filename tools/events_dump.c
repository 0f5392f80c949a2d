/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies the epitaph and the rings out of a dump, and prints them: see events_dump.h. */
#include "tools/events_dump.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/events_print.h"
#include "kernel/lib/epitaph.h"
#include "kernel/lib/escape.h"
#include "kernel/lib/events_dump.h"
#include "kernel/lib/types.h"
#include "tools/dump_root.h"

struct events_dump_reader {
	const struct core *core;
	struct events_dump layout;
	struct epitaph epitaph;
	size_t count;
	struct event_source source[EVENT_SOURCES_MAX];
	struct event_type type[EVENT_SOURCES_MAX][EVENT_TYPES_MAX];
	struct event_ring ring[EVENT_SOURCES_MAX];
};

/* ---- Reading ---- */

static int check_layout(struct events_dump_reader *dump, char error[CORE_ERROR_MAX])
{
	const struct events_dump *layout = &dump->layout;
	uint64_t bytes = layout->sources_end - layout->sources;

	if (layout->type_size != sizeof(struct event_type) ||
	    layout->ring_size != sizeof(struct event_ring) || layout->events_kept != EVENTS_KEPT ||
	    layout->event_types != EVENT_TYPES_MAX)
		return dump_fail(error, -EINVAL,
				 "damaged: rings of events have %" PRIu32 " bytes, types %" PRIu32,
				 layout->ring_size, layout->type_size);
	if (layout->sources_end < layout->sources ||
	    bytes % sizeof(struct events_dump_source) != 0 ||
	    bytes > EVENT_SOURCES_MAX * sizeof(struct events_dump_source))
		return dump_fail(error, -EINVAL,
				 "damaged: sources of events from %#" PRIx64 " to %#" PRIx64,
				 layout->sources, layout->sources_end);
	dump->count = (size_t)(bytes / sizeof(struct events_dump_source));
	return 0;
}

static bool type_is_sane(const struct event_type *type)
{
	bool sane = *type->name && dump_is_name(type->name, EVENT_NAME_MAX);

	for (int i = 0; i < 2; i++) {
		size_t mark = *type->argument[i] == '#';

		sane = sane && dump_is_name(type->argument[i] + mark, EVENT_NAME_MAX - mark);
	}
	return sane;
}

static int read_source(struct events_dump_reader *dump, size_t i, char error[CORE_ERROR_MAX])
{
	struct event_source *to = &dump->source[i];
	struct events_dump_source from;
	int err = dump_read(dump->core, dump->layout.sources, i, sizeof(from), 1, &from,
			    "the table of drivers", error);

	if (err)
		return err;
	if (!dump_is_name(from.driver, EVENT_DRIVER_MAX) || from.type_count > EVENT_TYPES_MAX)
		return dump_fail(error, -EINVAL,
				 "damaged: driver %zu of those with events has no sane name, "
				 "or %" PRIu64 " types",
				 i, from.type_count);
	memcpy(to->driver, from.driver, sizeof(to->driver));
	to->type = dump->type[i];
	to->type_count = from.type_count;
	to->ring = &dump->ring[i];
	err = dump_read(dump->core, from.type, 0, sizeof(dump->type[i][0]), (size_t)from.type_count,
			dump->type[i], "the types of events", error);
	if (!err)
		err = dump_read(dump->core, from.ring, 0, sizeof(dump->ring[i]), 1, &dump->ring[i],
				"a ring of events", error);
	for (size_t t = 0; t < from.type_count && !err; t++)
		if (!type_is_sane(&dump->type[i][t]))
			err = dump_fail(error, -EINVAL,
					"damaged: event %zu of driver %s has no sane names", t,
					to->driver);
	return err;
}

/* Its text is the guest's, and may be anything. */
static int check_epitaph(const struct epitaph *e, char error[CORE_ERROR_MAX])
{
	if (e->depth <= EPITAPH_DEPTH)
		return 0;
	return dump_fail(error, -EINVAL, "damaged: a backtrace of %" PRIu32 " places", e->depth);
}

static int read_dump(struct events_dump_reader *dump, char error[CORE_ERROR_MAX])
{
	struct dump_root root;
	int err = dump_read_root(dump->core, &root, error);

	if (!err)
		err = dump_read_part(dump->core, "epitaph", root.epitaph, EPITAPH_VERSION,
				     &dump->epitaph, sizeof(dump->epitaph), error);
	if (!err)
		err = check_epitaph(&dump->epitaph, error);
	if (!err)
		err = dump_read_part(dump->core, "table of events", root.events,
				     EVENTS_DUMP_VERSION, &dump->layout, sizeof(dump->layout),
				     error);
	if (!err)
		err = check_layout(dump, error);
	for (size_t i = 0; i < dump->count && !err; i++)
		err = read_source(dump, i, error);
	return err;
}

int events_dump_open(const struct core *core, struct events_dump_reader **out,
		     char error[CORE_ERROR_MAX])
{
	struct events_dump_reader *dump = calloc(1, sizeof(*dump));
	int err;

	if (!dump)
		return dump_fail(error, -ENOMEM, "out of memory");
	dump->core = core;
	err = read_dump(dump, error);
	if (err)
		events_dump_close(dump);
	else
		*out = dump;
	return err;
}

void events_dump_close(struct events_dump_reader *dump)
{
	free(dump);
}

/* ---- Printing ---- */

/* Text of the guest, cut at `size` if it does not end before. */
static void print_text(const char *text, size_t size)
{
	char piece[ESCAPE_MAX];

	for (size_t i = 0; i < size && text[i] != '\0'; i++)
		fwrite(piece, 1, escape_byte((unsigned char)text[i], piece), stdout);
}

static void print_place(const struct epitaph_place *place)
{
	printf("%08" PRIx64 " ", place->address);
	if (!*place->symbol) {
		printf("?");
		return;
	}
	print_text(place->symbol, sizeof(place->symbol));
	printf("+%#" PRIx32, place->offset);
}

static void print_epitaph(const struct epitaph *e)
{
	printf("panicked: ");
	print_text(e->message, sizeof(e->message));
	printf("\n  %" PRIu64 ".%06" PRIu64 " s after boot, at ", e->time_ns / NS_PER_S,
	       e->time_ns % NS_PER_S / NS_PER_US);
	print_place(&e->at);
	printf("\nbacktrace:\n");
	for (uint32_t i = 0; i < e->depth; i++) {
		printf("  ");
		print_place(&e->backtrace[i]);
		printf("\n");
	}
}

void events_dump_print(const struct events_dump_reader *dump)
{
	if (dump->epitaph.panicked)
		print_epitaph(&dump->epitaph);
	events_print(dump->source, dump->count);
}

/* Printable, but for what a string of JSON must not have. */
static void print_json_text(const char *text, size_t size)
{
	printf("\"");
	for (size_t i = 0; i < size && text[i] != '\0'; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c >= 0x20 && c < 0x7f)
			putchar(c);
		else
			printf("\\u%04x", c);
	}
	printf("\"");
}

static void print_json_place(const struct epitaph_place *place)
{
	printf("{\"address\":%" PRIu64 ",\"symbol\":", place->address);
	print_json_text(place->symbol, sizeof(place->symbol));
	printf(",\"offset\":%" PRIu32 "}", place->offset);
}

static void print_json_epitaph(const struct epitaph *e)
{
	printf("\"epitaph\":{\"time-ns\":%" PRIu64 ",\"message\":", e->time_ns);
	print_json_text(e->message, sizeof(e->message));
	printf(",\"at\":");
	print_json_place(&e->at);
	printf(",\"backtrace\":[");
	for (uint32_t i = 0; i < e->depth; i++) {
		printf("%s", i > 0 ? "," : "");
		print_json_place(&e->backtrace[i]);
	}
	printf("]},");
}

void events_dump_print_json(const struct events_dump_reader *dump)
{
	if (dump->epitaph.panicked)
		print_json_epitaph(&dump->epitaph);
	else
		printf("\"epitaph\":null,");
	events_print_json(dump->source, dump->count);
	printf(",");
}
