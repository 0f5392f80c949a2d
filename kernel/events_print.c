/* SPDX-License-Identifier: BSD-2-Clause */
/* Events of several rings, merged by time: see events_print.h. */
#include "kernel/events_print.h"

#include <inttypes.h>
#include <stdio.h>

#include "kernel/lib/hooks.h"
#include "kernel/lib/types.h"
#include "kernel/lib/wrap.h"

/* How far each ring has been read. What is recorded meanwhile is not shown. */
struct reader {
	const struct event_source *sources;
	size_t count;
	uint64_t next[EVENT_SOURCES_MAX]; /* the number of the event to look at */
	uint64_t left[EVENT_SOURCES_MAX]; /* how many to look at, that one included */
};

static struct reader begin(const struct event_source *sources, size_t count)
{
	struct reader reader = { .sources = sources, .count = min_u64(count, EVENT_SOURCES_MAX) };

	for (size_t i = 0; i < reader.count; i++) {
		uint64_t recorded = sources[i].ring->recorded;

		reader.left[i] = min_u64(recorded, EVENTS_KEPT);
		reader.next[i] = recorded - reader.left[i] + 1;
	}
	return reader;
}

static void skip(struct reader *reader, size_t i)
{
	reader->next[i]++;
	reader->left[i]--;
}

/* The next event of source i that is there; false: there is no more. */
static bool peek(struct reader *reader, size_t i, struct event *event)
{
	for (; reader->left[i] > 0; skip(reader, i))
		if (events_get(reader->sources[i].ring, reader->next[i], event))
			return true;
	return false;
}

/* Takes the oldest event; returns its source, or NULL at the end. */
static const struct event_source *take(struct reader *reader, struct event *oldest)
{
	size_t from = reader->count;
	struct event event;

	for (size_t i = 0; i < reader->count; i++) {
		if (!peek(reader, i, &event))
			continue;
		if (from < reader->count && event.time_ns >= oldest->time_ns)
			continue;
		*oldest = event;
		from = i;
	}
	if (from == reader->count)
		return NULL;
	skip(reader, from);
	return &reader->sources[from];
}

/* The type of an event; one that has none, in a dump that is damaged, is "?". */
static const struct event_type *type_of(const struct event_source *source,
					const struct event *event)
{
	static const struct event_type unknown = { .name = "?" };

	return event->type < source->type_count ? &source->type[event->type] : &unknown;
}

/* ---- Text ---- */

static void print_arguments(const struct event_type *type, const struct event *event)
{
	for (int i = 0; i < 2; i++) {
		const char *name = type->argument[i];

		if (name[0] == '#')
			printf(" %s=%#" PRIx64, name + 1, event->argument[i]);
		else if (name[0] != '\0')
			printf(" %s=%" PRIu64, name, event->argument[i]);
	}
}

static void print_counts(const struct event_source *source)
{
	struct wrap line;
	size_t left = 0;

	for (size_t t = 0; t < source->type_count; t++)
		left += source->ring->count[t] > 0;
	wrap_begin(&line, 11);
	wrap_word(&line, "%-10s", source->driver);
	if (left == 0)
		wrap_word(&line, "none");
	for (size_t t = 0; t < source->type_count; t++)
		if (source->ring->count[t] > 0)
			wrap_word(&line, "%s %" PRIu64 "%s", source->type[t].name,
				  source->ring->count[t], --left > 0 ? "," : "");
	wrap_end(&line);
}

void events_print(const struct event_source *sources, size_t count)
{
	struct reader reader = begin(sources, count);
	const struct event_source *source;
	struct event event;

	while (!lib_interrupted() && (source = take(&reader, &event))) {
		const struct event_type *type = type_of(source, &event);

		printf("[%5" PRIu64 ".%06" PRIu64 "] %-10s %-14s", event.time_ns / NS_PER_S,
		       event.time_ns % NS_PER_S / NS_PER_US, source->driver, type->name);
		print_arguments(type, &event);
		printf("\n");
	}
	printf("Events since boot:\n");
	for (size_t i = 0; i < reader.count; i++)
		print_counts(&sources[i]);
}

/* ---- JSON ---- */

static void print_json_arguments(const struct event_type *type, const struct event *event)
{
	for (int i = 0; i < 2; i++) {
		const char *name = type->argument[i];

		if (name[0] != '\0')
			printf(",\"%s\":%" PRIu64, name + (name[0] == '#'), event->argument[i]);
	}
}

static void print_json_counts(const struct event_source *source)
{
	printf("\"%s\":{", source->driver);
	for (size_t t = 0; t < source->type_count; t++)
		printf("%s\"%s\":%" PRIu64, t > 0 ? "," : "", source->type[t].name,
		       source->ring->count[t]);
	printf("}");
}

void events_print_json(const struct event_source *sources, size_t count)
{
	struct reader reader = begin(sources, count);
	const struct event_source *source;
	const char *comma = "";
	struct event event;

	printf("\"events\":[");
	while ((source = take(&reader, &event))) {
		const struct event_type *type = type_of(source, &event);

		printf("%s{\"time-ns\":%" PRIu64 ",\"driver\":\"%s\",\"event\":\"%s\"", comma,
		       event.time_ns, source->driver, type->name);
		print_json_arguments(type, &event);
		printf("}");
		comma = ",";
	}
	printf("],\"event-counts\":{");
	for (size_t i = 0; i < reader.count; i++) {
		printf("%s", i > 0 ? "," : "");
		print_json_counts(&sources[i]);
	}
	printf("}");
}
