/* SPDX-License-Identifier: BSD-2-Clause */
/* A target's way through the driver, out of the guest's events; see latency.h. */
#include "tests/xen/latency.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/xen/machine.h"
#include "tools/json_member.h"

#define NOTED_MAX 64
#define NS_PER_US 1000

static uint64_t noted_ns[NOTED_MAX];
static size_t noted;

static struct json_object *list_of(struct json_object *events)
{
	struct json_object *list = NULL;

	if (!json_object_object_get_ex(events, "events", &list))
		fail_msg("there is no list of events");
	return list;
}

static uint64_t time_of(struct json_object *event)
{
	return machine_number(event, "time-ns");
}

static bool is(struct json_object *event, const char *driver, const char *name)
{
	return strcmp(json_member_string(event, "driver"), driver) == 0 &&
	       strcmp(json_member_string(event, "event"), name) == 0;
}

uint64_t latency_end(struct json_object *events)
{
	struct json_object *list = list_of(events);
	size_t count = json_object_array_length(list);

	return count > 0 ? time_of(json_object_array_get_idx(list, count - 1)) : 0;
}

/* ---- From an event to its first call ---- */

static void note(uint64_t ns)
{
	assert_true(noted < NOTED_MAX);
	noted_ns[noted++] = ns;
}

/* What was told of, and called for nothing until the next event came, was nothing new. */
void latency_note(struct json_object *events, uint64_t from_ns)
{
	struct json_object *list = list_of(events);
	size_t before = noted;
	uint64_t told_ns = 0;

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *event = json_object_array_get_idx(list, i);

		if (time_of(event) <= from_ns)
			continue;
		if (is(event, "xen", "watch"))
			told_ns = time_of(event) - machine_number(event, "us") * NS_PER_US;
		else if (is(event, "xen", "call") && told_ns > 0)
			note(time_of(event) - told_ns), told_ns = 0;
	}
	assert_true(noted > before);
}

static int compare(const void *one, const void *two)
{
	uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)two;

	return (a > b) - (a < b);
}

void latency_print(void)
{
	qsort(noted_ns, noted, sizeof(noted_ns[0]), compare);
	if (noted > 0)
		printf("xen: from the store's event to the first call for memory: %" PRIu64
		       " us in the median of %zu targets, %" PRIu64 " us at most\n",
		       noted_ns[(noted - 1) / 2] / NS_PER_US, noted,
		       noted_ns[noted - 1] / NS_PER_US);
	noted = 0;
}

/* ---- From the store to a full balloon ---- */

void latency_print_start(struct json_object *events, uint64_t calls)
{
	struct json_object *list = list_of(events);
	uint64_t answer_ns = 0, full_ns = 0, frames = 0;

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *event = json_object_array_get_idx(list, i);

		if (is(event, "xen", "answers"))
			answer_ns = time_of(event);
		if (!is(event, "balloon", "acknowledged") || full_ns > 0)
			continue;
		full_ns = time_of(event);
		frames = machine_number(event, "ballooned");
	}
	assert_true(answer_ns > 0 && full_ns > answer_ns);
	printf("xen: from the store's first answer to a full balloon: %" PRIu64 " us, %" PRIu64
	       " frames in %" PRIu64 " calls\n",
	       (full_ns - answer_ns) / NS_PER_US, frames, calls);
}
