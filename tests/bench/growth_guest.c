/* SPDX-License-Identifier: BSD-2-Clause */
/* The guests of the growth benchmark: see growth_guest.h for the contract. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tests/bench/arguments.h"
#include "tests/bench/growth_guest.h"
#include "tests/bench/host.h"
#include "tools/deadline.h"
#include "tools/qmp.h"

#define TIMEOUT_MS 120000
#define POLL_US 500
#define LINUX_PROMPT "growth# " /* of linux_guest.sh */

struct growth_options growth_options = { .qemu = "qemu-system-x86_64" };

static const struct {
	const char *key, *name;
} kinds[] = {
	[AEROSTAT] = { "aerostat", "Aerostat" },
	[DEVICE] = { "device", "device alone" },
	[LINUX] = { "linux", "Linux" },
};

const char *growth_kind_name(enum growth_kind kind)
{
	return kinds[kind].name;
}

const char *growth_kind_key(enum growth_kind kind)
{
	return kinds[kind].key;
}

__attribute__((noreturn, format(printf, 2, 3))) static void fail(const struct growth_guest *g,
								 const char *format, ...)
{
	va_list args;

	fprintf(stderr, "growth: %s: ", growth_kind_name(g->kind));
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* ---- QEMU's arguments ---- */

/* Whole GiB beside the region's own, for its alignment. */
static void add_memory(struct arguments *a, unsigned mib, uint64_t region)
{
	arguments_add(a, "-object");
	arguments_add_text(a, "memory-backend-ram,id=ram,size=%uM,reserve=off", mib);
	if (region == 0)
		return;
	arguments_add(a, "-m");
	arguments_add_text(a, "slots=1,maxmem=%" PRIu64 "G",
			   (uint64_t)(region / GIB + mib / 1024 + 2));
	arguments_add(a, "-object");
	arguments_add_text(a, "memory-backend-ram,id=grow,size=%" PRIu64 ",reserve=off", region);
	arguments_add(a, "-device");
	arguments_add(a, "virtio-mem-pci,id=mem0,memdev=grow,requested-size=0," LONE_MEM_ADDRESS);
}

/* What comes is to be movable, or it would never leave. */
static void add_kernel(struct arguments *a, enum growth_kind kind)
{
	arguments_add(a, "-kernel");
	if (kind == AEROSTAT) {
		arguments_add(a, growth_options.aerostat);
		return;
	}
	arguments_add_text(a, "%s/vmlinuz", growth_options.linux_dir);
	arguments_add(a, "-initrd");
	arguments_add_text(a, "%s/initrd", growth_options.linux_dir);
	arguments_add(a, "-append");
	arguments_add(a, "quiet growth memhp_default_state=online_movable");
}

/* 40 bits of address, TCG's default, end at 1 TiB. */
static void add_all(struct growth_guest *g, struct arguments *a, unsigned mib, uint64_t region)
{
	static const char *const common[] = { "-nodefaults", "-no-user-config",
					      "-display",    "none",
					      "-accel",	     "tcg",
					      "-cpu",	     "max,phys-bits=46",
					      "-machine",    "q35,memory-backend=ram",
					      "-device",     "virtio-balloon-pci,id=balloon0" };

	arguments_add(a, growth_options.qemu);
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		arguments_add(a, common[i]);
	add_memory(a, mib, region);
	if (g->kind == DEVICE)
		qtest_add_arguments(&g->qtest, a);
	else
		add_kernel(a, g->kind);
}

/* ---- A guest ---- */

static void wait_prompt(struct growth_guest *g, char **before)
{
	int err = g->kind == LINUX ? vm_expect(g->vm, LINUX_PROMPT, TIMEOUT_MS, before)
				   : vm_expect_prompt(g->vm, TIMEOUT_MS, before);

	if (err)
		fail(g, "no prompt");
}

void growth_guest_start(struct growth_guest *g, enum growth_kind kind, unsigned mib,
			uint64_t region)
{
	struct arguments a = { 0 };

	memset(g, 0, sizeof(*g));
	g->kind = kind;
	if (kind == DEVICE && qtest_open(&g->qtest))
		fail(g, "no socket for qtest: %m");
	add_all(g, &a, mib, region);
	g->started = host_now();
	if (vm_start(growth_kind_key(kind), a.argv, NULL, &g->vm))
		exit(1);
	if (kind != DEVICE) {
		wait_prompt(g, NULL);
		return;
	}
	qtest_started(&g->qtest);
	lone_mem_start(&g->device, &g->qtest, vm_qmp(g->vm), vm_pid(g->vm));
}

void growth_guest_stop(struct growth_guest *g)
{
	vm_stop(g->vm);
	if (g->kind == DEVICE)
		qtest_close(&g->qtest);
}

char *growth_guest_type(struct growth_guest *g, const char *line)
{
	char *text = NULL;

	vm_forget(g->vm);
	if (vm_send(g->vm, line, strlen(line)) || vm_send(g->vm, "\r", 1))
		fail(g, "it takes no line");
	wait_prompt(g, &text);
	return text;
}

void growth_guest_says(struct growth_guest *g, const char *line, const char *text)
{
	char *answer = growth_guest_type(g, line);

	if (!strstr(answer, text))
		fail(g, "'%s' does not say \"%s\" but:\n%s", line, text, answer);
	free(answer);
}

/* ---- What QEMU does and says ---- */

static struct json_object *execute(struct growth_guest *g, const char *command,
				   struct json_object *args)
{
	struct json_object *reply = NULL;

	if (qmp_execute(vm_qmp(g->vm), command, args, &reply))
		fail(g, "%s: %s", command, qmp_error(vm_qmp(g->vm)));
	return reply;
}

void growth_guest_request(struct growth_guest *g, uint64_t bytes)
{
	struct json_object *args = json_object_new_object();

	json_object_object_add(args, "path", json_object_new_string("/machine/peripheral/mem0"));
	json_object_object_add(args, "property", json_object_new_string("requested-size"));
	json_object_object_add(args, "value", json_object_new_int64((int64_t)bytes));
	json_object_put(execute(g, "qom-set", args));
}

uint64_t growth_guest_plugged(struct growth_guest *g)
{
	struct json_object *all = execute(g, "query-memory-devices", NULL), *size;
	uint64_t bytes;

	if (json_pointer_get(all, "/0/data/size", &size))
		fail(g, "QEMU knows no memory device");
	bytes = json_object_get_uint64(size);
	json_object_put(all);
	return bytes;
}

bool growth_guest_wait(struct growth_guest *g, uint64_t bytes, int timeout_ms)
{
	int64_t deadline = deadline_in(timeout_ms);

	while (growth_guest_plugged(g) != bytes) {
		if (!deadline_left(deadline))
			return false;
		usleep(POLL_US);
	}
	return true;
}

void growth_guest_balloon(struct growth_guest *g, uint64_t taken)
{
	struct json_object *all = execute(g, "query-memory-size-summary", NULL), *base;
	uint64_t left;

	if (!json_object_object_get_ex(all, "base-memory", &base))
		fail(g, "QEMU does not know its memory");
	left = json_object_get_uint64(base) - taken;
	json_object_put(all);
	if (qmp_balloon(vm_qmp(g->vm), left))
		fail(g, "%s", qmp_error(vm_qmp(g->vm)));
	if (vm_wait_balloon(g->vm, (int64_t)left, TIMEOUT_MS))
		exit(1);
}

/* ---- What Aerostat says ---- */

static struct json_object *read_json(struct growth_guest *g, const char *line)
{
	char *text = growth_guest_type(g, line), *start = strchr(text, '{');
	struct json_object *all;

	if (start)
		start[strcspn(start, "\r\n")] = '\0';
	all = start ? json_tokener_parse(start) : NULL;
	if (!all)
		fail(g, "'%s' prints no JSON but:\n%s", line, text);
	free(text);
	return all;
}

static uint64_t number_in(struct growth_guest *g, struct json_object *object, const char *name)
{
	struct json_object *number;

	if (!json_object_object_get_ex(object, name, &number))
		fail(g, "there is no \"%s\" in %s", name, json_object_to_json_string(object));
	return json_object_get_uint64(number);
}

uint64_t growth_guest_figure(struct growth_guest *g, const char *object, const char *name)
{
	struct json_object *all = read_json(g, "show_mem -j");
	uint64_t value = number_in(g, object ? json_object_object_get(all, object) : all, name);

	json_object_put(all);
	return value;
}

static bool is_event(struct json_object *event, const char *driver, const char *name)
{
	return !strcmp(json_object_get_string(json_object_object_get(event, "driver")), driver) &&
	       !strcmp(json_object_get_string(json_object_object_get(event, "event")), name);
}

struct growth_reached growth_guest_reached(struct growth_guest *g)
{
	struct json_object *all = read_json(g, "events -j"), *events, *counts, *count;
	struct growth_reached reached = { 0, NAN };

	events = json_object_object_get(all, "events");
	for (size_t i = 0; i < json_object_array_length(events); i++) {
		struct json_object *event = json_object_array_get_idx(events, i);

		if (is_event(event, "mem", "reached"))
			reached.ms = (double)number_in(g, event, "us") / 1e3;
	}
	counts = json_object_object_get(json_object_object_get(all, "event-counts"), "mem");
	if (json_object_object_get_ex(counts, "reached", &count))
		reached.count = json_object_get_uint64(count);
	json_object_put(all);
	return reached;
}

/* A driver is ready once it has said so, and then come the regions of memory devices. */
static bool is_of_devices(struct json_object *event)
{
	return is_event(event, "virtio", "started") || is_event(event, "mem", "announced");
}

double growth_guest_ready_ms(struct growth_guest *g)
{
	struct json_object *all = read_json(g, "events -j"), *events;
	double ms = NAN;

	events = json_object_object_get(all, "events");
	for (size_t i = 0; i < json_object_array_length(events); i++) {
		struct json_object *event = json_object_array_get_idx(events, i);

		if (is_of_devices(event))
			ms = (double)number_in(g, event, "time-ns") / 1e6;
	}
	json_object_put(all);
	if (isnan(ms))
		fail(g, "no driver has started");
	return ms;
}
