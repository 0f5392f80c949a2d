/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that comes and goes: see growth_harness.h. */
#include "tests/integration/growth_harness.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tools/deadline.h"

#define POLL_US (1000 * VM_POLL_MS)
#define DEVICES_MAX 16
#define RUNS_OF_A_PAGE 510 /* a hold's list of its frames takes one for so many */

/* ---- QEMU's side ---- */

static const char *string_in(struct json_object *object, const char *name)
{
	struct json_object *string = json_object_object_get(object, name);

	if (!json_object_is_type(string, json_type_string))
		fail_msg("there is no string \"%s\" in %s", name,
			 json_object_to_json_string(object));
	return json_object_get_string(string);
}

/* A memory device by QEMU's query-memory-devices; of a DIMM all is requested. */
struct device {
	uint64_t plugged, requested;
};

static struct device read_device(struct json_object *object)
{
	struct json_object *data = json_object_object_get(object, "data");
	bool is_dimm = !strcmp(string_in(object, "type"), "dimm");

	return (struct device){
		.plugged = harness_number(data, "size"),
		.requested = harness_number(data, is_dimm ? "size" : "requested-size"),
	};
}

/* In the order of addresses, as QEMU has it; returns their number. */
static size_t read_devices(struct vm *vm, const char *id, struct device *devices)
{
	struct json_object *all, *one;
	size_t count = 0;

	assert_qmp(vm, qmp_execute(vm_qmp(vm), "query-memory-devices", NULL, &all));
	for (size_t i = 0; i < json_object_array_length(all); i++) {
		one = json_object_array_get_idx(all, i);
		if (id && strcmp(string_in(json_object_object_get(one, "data"), "id"), id))
			continue;
		assert_true(count < DEVICES_MAX);
		devices[count++] = read_device(one);
	}
	json_object_put(all);
	return count;
}

uint64_t growth_plugged(struct vm *vm, const char *id)
{
	struct device found[DEVICES_MAX];

	assert_int_equal(read_devices(vm, id, found), 1);
	return found[0].plugged;
}

void growth_request(struct vm *vm, const char *id, uint64_t bytes)
{
	struct json_object *args = json_object_new_object();
	char path[96];

	snprintf(path, sizeof(path), "/machine/peripheral/%s", id);
	json_object_object_add(args, "path", json_object_new_string(path));
	json_object_object_add(args, "property", json_object_new_string("requested-size"));
	json_object_object_add(args, "value", json_object_new_int64((int64_t)bytes));
	assert_qmp(vm, qmp_execute(vm_qmp(vm), "qom-set", args, NULL));
}

/* ---- The guest's side ---- */

static void read_source(struct json_object *object, struct growth_source *source)
{
	struct json_object *trouble = json_object_object_get(object, "trouble");

	*source = (struct growth_source){
		.requested = harness_number(object, "requested"),
		.plugged = harness_number(object, "plugged"),
		.removable = harness_number(object, "removable"),
		.has_trouble = trouble,
	};
	if (trouble)
		snprintf(source->trouble, sizeof(source->trouble), "%s",
			 json_object_get_string(trouble));
}

/* In the order of addresses, too; returns their number. */
static size_t read_sources(struct vm *vm, struct growth_source *sources)
{
	struct json_object *all = harness_json(vm, "lsmem -j");
	struct json_object *list = json_object_object_get(all, "sources");
	size_t count;

	if (!json_object_is_type(list, json_type_array))
		fail_msg("lsmem -j has no \"sources\": %s", json_object_to_json_string(all));
	count = json_object_array_length(list);
	assert_true(count <= DEVICES_MAX);
	for (size_t i = 0; i < count; i++)
		read_source(json_object_array_get_idx(list, i), &sources[i]);
	json_object_put(all);
	return count;
}

bool growth_source(struct vm *vm, size_t index, struct growth_source *source)
{
	struct growth_source sources[DEVICES_MAX];

	if (index >= read_sources(vm, sources))
		return false;
	*source = sources[index];
	return true;
}

void growth_wait_trouble(struct vm *vm, size_t index, const char *why)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);
	struct growth_source source;

	for (;;) {
		assert_true(growth_source(vm, index, &source));
		if (source.has_trouble && strstr(source.trouble, why))
			return;
		if (!deadline_left(deadline))
			fail_msg("the trouble is not \"%s\" but:\n%s", why,
				 harness_command(vm, "lsmem"));
		usleep(POLL_US);
	}
}

/* ---- Both agree ---- */

/* Whether the guest has heard of all that QEMU says is plugged, and of all that is not. */
static bool is_known(struct vm *vm)
{
	struct device devices[DEVICES_MAX];
	struct growth_source sources[DEVICES_MAX];
	size_t count = read_devices(vm, NULL, devices);

	if (read_sources(vm, sources) < count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (sources[i].plugged != devices[i].plugged)
			return false;
	return true;
}

void growth_wait(struct vm *vm, const char *id, uint64_t bytes)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);

	for (;;) {
		uint64_t plugged = growth_plugged(vm, id);

		if (plugged == bytes && is_known(vm))
			return;
		if (!deadline_left(deadline))
			fail_msg("%s has %" PRIu64 " bytes plugged, not %" PRIu64
				 ", of which the guest says:\n%s",
				 id, plugged, bytes, harness_command(vm, "lsmem"));
		usleep(POLL_US);
	}
}

void growth_reach(struct vm *vm, const char *id, uint64_t bytes)
{
	growth_request(vm, id, bytes);
	growth_wait(vm, id, bytes);
}

/* The guest hears of it a moment after QEMU. */
static struct memory wait_settled(struct vm *vm, uint64_t owned)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);

	for (;;) {
		struct memory mem = harness_memory(vm);

		assert_true(mem.ledger_ok);
		if (mem.owned == owned && mem.unplugged == 0)
			return mem;
		if (!deadline_left(deadline))
			fail_msg("the guest has %" PRIu64 " bytes, %" PRIu64
				 " of them on their way out, not %" PRIu64,
				 mem.owned, mem.unplugged, owned);
		usleep(POLL_US);
	}
}

static void check_sources(struct vm *vm, const struct memory *mem)
{
	struct device devices[DEVICES_MAX];
	struct growth_source sources[DEVICES_MAX];
	size_t count = read_devices(vm, NULL, devices);
	uint64_t removable = 0;

	assert_int_equal(read_sources(vm, sources), count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(sources[i].plugged, devices[i].plugged);
		assert_int_equal(sources[i].requested, devices[i].requested);
		assert_true(sources[i].removable <= sources[i].plugged);
		removable += sources[i].removable;
	}
	assert_int_equal(mem->has_removable, count > 0);
	assert_int_equal(mem->removable, removable);
}

void growth_check(struct vm *vm, const struct memory *base, uint64_t more)
{
	struct memory mem = wait_settled(vm, base->owned + more);
	char verdict[64];

	assert_int_equal(mem.total + mem.inflated_total, base->total + base->inflated_total + more);
	if (mem.has_balloon)
		harness_check_taken(vm, mem.actual, mem.inflated_free > 0);
	check_sources(vm, &mem);
	snprintf(verdict, sizeof(verdict), "Ledger: ok (%" PRIu64 " frames)",
		 (uint64_t)(mem.owned / FRAME));
	harness_command_says(vm, "audit", verdict);
}

/* ---- What is held ---- */

static void hold_frames(struct vm *vm, uint64_t frames)
{
	char line[48];

	snprintf(line, sizeof(line), "hold %" PRIu64, (uint64_t)(frames * FRAME));
	harness_command_says(vm, line, "held ");
}

/*
 * How many frames can be held if `free` are free. A hold takes a frame more for each 510,
 * so that one frame alone could not be held: two are left over then.
 */
static uint64_t most_to_hold(uint64_t free)
{
	uint64_t frames = free - (free + RUNS_OF_A_PAGE) / (RUNS_OF_A_PAGE + 1);
	uint64_t lists = (frames + RUNS_OF_A_PAGE - 1) / RUNS_OF_A_PAGE;

	return frames + lists + 1 == free ? frames - 1 : frames;
}

void growth_hold_all(struct vm *vm)
{
	for (unsigned i = 0; i < 8; i++) {
		uint64_t free = harness_memory(vm).free / FRAME;

		if (free == 0)
			return;
		assert_true(free > 1);
		hold_frames(vm, most_to_hold(free));
	}
	fail_msg("%ju bytes are always free", (uintmax_t)harness_memory(vm).free);
}

void growth_hold(struct vm *vm, uint64_t bytes)
{
	uint64_t free = harness_memory(vm).free;

	assert_true(free > bytes);
	hold_frames(vm, most_to_hold((free - bytes) / FRAME));
}

void growth_release(struct vm *vm)
{
	char *text = harness_command(vm, "release all");

	assert_non_null(strstr(text, "pattern intact"));
	if (strstr(text, "BROKEN"))
		fail_msg("a pattern is broken:\n%s", text);
	free(text);
}

/* ---- Cycles ---- */

unsigned growth_rounds(unsigned few, unsigned many)
{
	return getenv("SLOW") ? many : few;
}

uint64_t growth_random(uint64_t most)
{
	static uint64_t state = 1;

	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (state >> 33) % (most / BLOCK + 1) * BLOCK;
}
