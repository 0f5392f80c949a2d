/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's state and statistics, as JSON and as lines: see report.h. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include <json-c/json.h>

#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/grid.h"
#include "tools/balloonctl/report.h"

struct stat_line {
	const char *qmp, *virsh;
	enum stat_unit unit;
};

static const struct stat_line lines[STAT_COUNT] = {
#define STAT_LINE(constant, tag, qmp, virsh, unit) [tag] = { STAT_PREFIX qmp, (virsh), (unit) },
	STAT_TABLE(STAT_LINE)
#undef STAT_LINE
};

static void add_number(struct json_object *object, const char *name, uint64_t value)
{
	json_object_object_add(object, name, json_object_new_uint64(value));
}

static void add_text(struct json_object *object, const char *name, const char *text)
{
	json_object_object_add(object, name, json_object_new_string(text));
}

/* Bits without a name are numbers. */
static struct json_object *features_array(uint64_t features)
{
	struct json_object *array = json_object_new_array();

	for (unsigned bit = 0; bit < 64; bit++) {
		const char *name = guest_feature_name(bit);

		if (features >> bit & 1)
			json_object_array_add(array, name ? json_object_new_string(name)
							  : json_object_new_int((int)bit));
	}
	return array;
}

static struct json_object *devices_array(const struct guest_state *state)
{
	struct json_object *array = json_object_new_array();

	for (unsigned i = 0; i < state->nr_devices; i++) {
		const struct guest_mem_device *device = &state->devices[i];
		struct json_object *one = json_object_new_object();

		add_text(one, "id", device->name);
		add_number(one, "block", device->block);
		add_number(one, "region", device->region);
		add_number(one, "requested", device->requested);
		add_number(one, "plugged", device->plugged);
		if (device->has_driver)
			json_object_object_add(one, "driver",
					       json_object_new_boolean(device->driver_ok));
		json_object_array_add(array, one);
	}
	return array;
}

/* What the RAM is made of. */
static void add_parts(struct json_object *all, const struct guest_state *state)
{
	add_number(all, "base", state->base);
	add_number(all, "dimms", state->dimms);
	if (!state->has_grown)
		return;
	add_number(all, "grown", state->grown);
	add_number(all, "requested", state->requested);
	json_object_object_add(all, "memory-devices", devices_array(state));
	if (state->nr_unlisted)
		add_number(all, "memory-devices-unlisted", state->nr_unlisted);
}

static struct json_object *amounts(const char *name, const struct guest_state *state)
{
	struct json_object *all = json_object_new_object();

	add_text(all, "guest", name);
	add_number(all, "ram", state->ram);
	add_number(all, "left", state->left);
	add_number(all, "taken", state->taken);
	add_parts(all, state);
	if (state->lacks_balloon)
		json_object_object_add(all, "balloon", json_object_new_boolean(false));
	json_object_object_add(all, "paused", json_object_new_boolean(state->paused));
	json_object_object_add(all, "panicked", json_object_new_boolean(state->panicked));
	if (state->has_target) {
		struct json_object *target = json_object_new_object();

		add_number(target, "left", state->target_left);
		add_number(target, "taken", state->ram - state->target_left);
		json_object_object_add(all, "target", target);
	}
	if (state->has_driver)
		json_object_object_add(all, "driver", json_object_new_boolean(state->driver_ok));
	if (*state->hypervisor)
		add_text(all, "hypervisor", state->hypervisor);
	if (*state->complaint)
		add_text(all, "complaint", state->complaint);
	return all;
}

struct json_object *report_state(const struct guest *guest, const struct guest_state *state)
{
	struct json_object *all = amounts(guest_name(guest), state);

	if (state->has_features) {
		json_object_object_add(all, "features", features_array(state->accepted));
		json_object_object_add(all, "offered", features_array(state->offered));
	}
	return all;
}

/* To the millisecond: more digits would be noise. */
static struct json_object *seconds(double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.3f", value);
	return json_object_new_double_s(value, text);
}

/* What was seen is true of a guest that has panicked, and of one that serves somebody else. */
static bool has_amounts(const struct sample *sample, enum condition condition)
{
	return sample->seen && (condition == CONDITION_UP || condition == CONDITION_PANICKED ||
				condition == CONDITION_BUSY);
}

struct json_object *report_condition(const char *name, const struct sample *sample,
				     enum condition condition)
{
	struct json_object *all;

	if (has_amounts(sample, condition)) {
		all = amounts(name, &sample->state);
	} else {
		all = json_object_new_object();
		add_text(all, "guest", name);
	}
	if (sample->err)
		add_text(all, "error", sample->error);
	add_text(all, "condition", condition_word(condition));
	return all;
}

static void add_cost(struct json_object *all, const struct guest_cost *cost)
{
	struct json_object *host = json_object_new_object();

	add_number(host, "memory", cost->resident);
	json_object_object_add(host, "cpu-seconds", seconds((double)cost->cpu_ms / 1000));
	json_object_object_add(all, "host", host);
}

struct json_object *report_look(const char *name, const struct sample *sample,
				enum condition condition, int64_t now)
{
	struct json_object *all = report_condition(name, sample, condition);
	double age = (double)(now - sample->seen) / 1000;
	struct guest_stats stats = sample->stats;

	if (!has_amounts(sample, condition))
		return all;
	json_object_object_add(all, "age", seconds(age));
	stats.age += age;
	if (sample->has_stats)
		report_add_stats(all, &stats);
	report_add_situation(all, &sample->situation);
	if (sample->has_cost)
		add_cost(all, &sample->cost);
	return all;
}

void report_print_json(struct json_object *all)
{
	puts(json_object_to_json_string_ext(all, JSON_C_TO_STRING_PLAIN |
							 JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(all);
}

void report_print_outcome(const struct guest *guest, const struct guest_state *state, int status,
			  bool waited)
{
	struct json_object *all = report_state(guest, state);

	json_object_object_add(all, "status", json_object_new_int(status));
	add_text(all, "outcome", status || waited ? exit_word(status) : "set");
	report_print_json(all);
}

void report_add_stats(struct json_object *all, const struct guest_stats *stats)
{
	struct json_object *values = json_object_new_object();

	for (unsigned i = 0; i < STAT_COUNT; i++)
		if (stats->present >> i & 1)
			add_number(values, lines[i].qmp, stats->value[i]);
	json_object_object_add(all, "statistics", values);
	if (stats->ever)
		json_object_object_add(all, "statistics-age", seconds(stats->age));
	add_number(all, "polling-interval", stats->interval);
}

void report_add_situation(struct json_object *all, const struct situation *situation)
{
	struct json_object *object;

	if (situation->kind == SITUATION_UNKNOWN)
		return;
	object = json_object_new_object();
	add_text(object, "is", situation_word(situation->kind));
	if (situation->kind == SITUATION_STALLS)
		add_text(object, "cause", stall_cause_word(situation->cause));
	add_text(object, "sureness", sureness_word(situation->sureness));
	json_object_object_add(all, "situation", object);
}

void report_write_situation(const struct situation *situation, char *text, size_t size)
{
	const char *words = situation_words(situation);

	if (situation->kind == SITUATION_UNKNOWN)
		snprintf(text, size, "%s", words);
	else
		snprintf(text, size, "%s (%s)", words, sureness_word(situation->sureness));
}

static void print_amounts(const char *what, uint64_t ram, uint64_t left)
{
	char left_text[SIZE_TEXT], taken_text[SIZE_TEXT];

	assert(left <= ram);
	size_format(left, left_text);
	size_format(ram - left, taken_text);
	printf("%-12s %s left   %s taken\n", what, left_text, taken_text);
}

void report_print_amounts(const struct guest_state *state)
{
	if (state->has_target)
		print_amounts("Target", state->ram, state->target_left);
	else
		puts("Target       unknown");
	print_amounts("Actual", state->ram, state->left);
}

/* Names of devices are QEMU's or libvirt's words. */
static void print_device(const struct guest_mem_device *device, int width)
{
	char plugged[SIZE_TEXT], requested[SIZE_TEXT], region[SIZE_TEXT], block[SIZE_TEXT];

	size_format(device->plugged, plugged);
	size_format(device->requested, requested);
	fputs("  ", stdout);
	put_escaped(stdout, device->name);
	printf("%*s %s plugged   %s requested   of %s by %s%s\n", width - grid_width(device->name),
	       "", plugged, requested, size_word(device->region, region),
	       size_word(device->block, block),
	       device->has_driver && !device->driver_ok ? "   no driver" : "");
}

/* The names' column ends with the others', or with the longest name: a path in QEMU is one. */
static int names_width(const struct guest_state *state)
{
	int width = 10;

	for (unsigned i = 0; i < state->nr_devices; i++)
		if (grid_width(state->devices[i].name) > width)
			width = grid_width(state->devices[i].name);
	return width;
}

void report_print_grown(uint64_t plugged, uint64_t requested)
{
	char text[SIZE_TEXT];

	size_format(plugged, text);
	printf("Grown        %s plugged   ", text);
	size_format(requested, text);
	printf("%s requested", text);
}

void report_print_memory(const struct guest_state *state)
{
	int width = names_width(state);
	char text[SIZE_TEXT];

	size_format(state->ram, text);
	printf("RAM          %s\n", text);
	if (!state->has_grown && state->dimms == 0)
		return;
	size_format(state->base, text);
	printf("Base         %s\n", text);
	if (state->dimms) {
		size_format(state->dimms, text);
		printf("DIMMs        %s\n", text);
	}
	if (!state->has_grown)
		return;
	report_print_grown(state->grown, state->requested);
	putchar('\n');
	for (unsigned i = 0; i < state->nr_devices; i++)
		print_device(&state->devices[i], width);
	if (state->nr_unlisted)
		printf("  and %u more, which balloonctl does not list\n", state->nr_unlisted);
}

static void print_headline(const struct guest_stats *stats)
{
	fputs("Statistics   ", stdout);
	if (stats->way == STATS_NEVER) {
		puts("none: this kind of balloon has none");
		return;
	}
	if (stats->ever)
		printf("%.0f s old, ", stats->age);
	else
		fputs("none yet, ", stdout);
	if (stats->way == STATS_UNASKED)
		puts("sent by the guest itself, which nobody asks");
	else if (stats->interval)
		printf("asked for every %u s\n", stats->interval);
	else
		puts("nobody asks for them (balloonctl stats --interval 10 does)");
}

void report_print_stats(const struct guest_stats *stats)
{
	print_headline(stats);
	for (unsigned i = 0; i < STAT_COUNT; i++) {
		char size[SIZE_TEXT] = "";

		if (!(stats->present >> i & 1))
			continue;
		if (lines[i].unit == STAT_BYTES)
			size_format(stats->value[i], size);
		printf("  %-22s %-16s %20" PRIu64 "%s%s\n", lines[i].qmp,
		       lines[i].virsh ? lines[i].virsh : "-", stats->value[i], *size ? "  " : "",
		       size);
	}
}
