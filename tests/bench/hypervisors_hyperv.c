/* SPDX-License-Identifier: BSD-2-Clause */
/* See hypervisors_hyperv.h. */
#include "tests/bench/hypervisors_hyperv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tests/bench/inside.h"
#include "tests/bench/samples.h"
#include "tests/hypervisor/hyperv.h"
#include "tools/qmp.h"

#define GIB (UINT64_C(1) << 30)
#define GIB_FRAMES (GIB / INSIDE_FRAME)
#define APPEND "floor=1M"

/* A guest whose free memory is named cold; no call for so long: that was the last. */
#define COLD_MEMORY "64G"
#define COLD_QUIET_US 3000000

struct guest {
	struct inside in;
	volatile struct hyperv_control *hyperv;
};

static void start(struct guest *g, const char *memory)
{
	const struct inside_options options = { .hypervisor = "hyperv",
						.memory = memory,
						.append = APPEND };

	inside_start(&g->in, &options);
	g->hyperv = hypervisor_page(g->in.hypervisor, HV_CONTROL_HYPERV);
}

static void wait_ready(struct guest *g)
{
	double deadline = inside_seconds(CLOCK_MONOTONIC) + INSIDE_TIMEOUT_MS / 1000;

	while (g->hyperv->seen.progress != HYPERV_READY) {
		if (inside_seconds(CLOCK_MONOTONIC) > deadline)
			inside_fail("the guest does not agree with Hyper-V");
		usleep(INSIDE_POLL_US);
	}
}

/* `goal`: at most so much; 0: there is none. */
static void print_row(const char *what, const struct samples *s, unsigned goal)
{
	double median = samples_median(s);

	printf("| %s | %.2f (%.2f .. %.2f) |", what, median, samples_quantile(s, 0),
	       samples_quantile(s, 1));
	if (goal > 0)
		printf(" %u | %s |\n", goal, median <= goal ? "met" : "missed");
	else
		printf(" | |\n");
}

/* ---- Requests ---- */

static void ring(struct guest *g)
{
	if (qmp_execute(vm_qmp(g->in.vm), "inject-nmi", NULL, NULL))
		inside_fail(qmp_error(vm_qmp(g->in.vm)));
}

/* The host has so many frames, and has had its last answer. */
static void reach(struct guest *g, uint64_t frames)
{
	g->in.common->target = frames;
	ring(g);
	inside_await(&g->hyperv->seen.ballooned, frames, "a target is never reached");
	inside_await(&g->hyperv->seen.waiting, 0, "a request is never answered");
}

/* From the request to its last answer, by the guest's clock. */
static double last_request_ms(struct guest *g)
{
	struct json_object *object, *us;
	double ms;
	char *text;

	inside_ask(&g->in, "hv-balloon -j", &text);
	object = json_tokener_parse(text);
	if (!object || !json_object_object_get_ex(object, "last-us", &us))
		inside_fail("the guest does not say how long its last request took");
	ms = json_object_get_double(us) / 1000;
	json_object_put(object);
	free(text);
	return ms;
}

static void measure_requests(const char *memory, uint64_t gib, unsigned rounds, unsigned goal_ms,
			     unsigned goal_messages)
{
	struct samples ms = { 0 };
	uint64_t messages = 0, before;
	char what[64];
	struct guest g;

	start(&g, memory);
	wait_ready(&g);
	for (unsigned i = 0; i < rounds; i++) {
		before = g.hyperv->seen.responses;
		reach(&g, gib * GIB_FRAMES);
		if (g.hyperv->seen.responses - before > messages)
			messages = g.hyperv->seen.responses - before;
		samples_add(&ms, last_request_ms(&g));
		reach(&g, 0);
	}
	inside_stop(&g.in);
	snprintf(what, sizeof(what), "%" PRIu64 " GiB asked for, to the last answer, ms", gib);
	print_row(what, &ms, goal_ms);
	printf("| the same, messages | %" PRIu64 " | %u | %s |\n", messages, goal_messages,
	       messages <= goal_messages ? "met" : "missed");
	samples_free(&ms);
}

/* ---- The bus ---- */

static void measure_bus(unsigned rounds)
{
	struct samples ms = { 0 };

	for (unsigned i = 0; i < rounds; i++) {
		uint64_t us;
		struct guest g;
		char *text, *at;

		start(&g, "256M");
		wait_ready(&g);
		inside_ask(&g.in, "vmbus", &text);
		at = strstr(text, "connected in ");
		if (!at || sscanf(at, "connected in %" SCNu64, &us) != 1)
			inside_fail("the guest does not say how soon its bus was up");
		samples_add(&ms, (double)us / 1000);
		free(text);
		inside_stop(&g.in);
	}
	print_row("VMBus connected, with all its offers, ms", &ms, 50);
	samples_free(&ms);
}

/* ---- Cold memory ---- */

/* Until there are no more calls for a while. */
static void wait_for_hints(struct guest *g)
{
	double deadline = inside_seconds(CLOCK_MONOTONIC) + INSIDE_TIMEOUT_MS / 1000;
	uint64_t calls = 0;

	while (calls == 0 || calls != g->hyperv->seen.hints) {
		calls = g->hyperv->seen.hints;
		if (inside_seconds(CLOCK_MONOTONIC) > deadline)
			inside_fail("no memory is named cold");
		usleep(COLD_QUIET_US);
	}
}

/* From the first call to the last, by the host's clock: half of what is left goes in each. */
static void measure_cold(unsigned rounds)
{
	struct samples rate = { 0 };
	double per_range = 0, median;

	for (unsigned i = 0; i < rounds; i++) {
		const volatile struct hyperv_seen *seen;
		double gib, seconds;
		struct guest g;

		start(&g, COLD_MEMORY);
		wait_ready(&g);
		wait_for_hints(&g);
		seen = &g.hyperv->seen;
		gib = (double)seen->hint_frames / GIB_FRAMES;
		seconds = (double)(seen->hint_last_100ns - seen->hint_first_100ns) / 1e7;
		if (seconds <= 0)
			inside_fail("all memory was named cold in one call");
		samples_add(&rate, gib / seconds);
		per_range = gib * 1024 / (double)seen->hint_ranges;
		inside_stop(&g.in);
	}
	median = samples_median(&rate);
	printf("| memory named cold, GiB/s | %.0f (%.0f .. %.0f) | 500 | %s |\n", median,
	       samples_quantile(&rate, 0), samples_quantile(&rate, 1),
	       median >= 500 ? "met" : "missed");
	printf("| the same, MiB in a range | %.0f | | |\n", per_range);
	samples_free(&rate);
}

/* ---- The prompt ---- */

static void measure_prompt(const char *what, const char *hypervisor, unsigned rounds, unsigned goal)
{
	const struct inside_options options = { .hypervisor = hypervisor,
						.memory = "256M",
						.append = APPEND };
	struct samples ms = { 0 };

	for (unsigned i = 0; i < rounds; i++) {
		struct inside in;

		inside_start(&in, &options);
		samples_add(&ms, in.prompt_seconds * 1000);
		inside_stop(&in);
	}
	print_row(what, &ms, goal);
	samples_free(&ms);
}

void hyperv_measure(unsigned rounds)
{
	printf("\n| Hyper-V: median (least .. most) | | goal | |\n|---|---:|---:|---|\n");
	measure_requests("2G", 1, rounds, 5, 1);
	measure_requests("18G", 16, rounds, 0, 2);
	measure_bus(rounds);
	measure_cold(rounds);
	measure_prompt("QEMU's start to the prompt, 256 MiB, ms", "hyperv", rounds, 200);
	measure_prompt("the same inside `plain`", "plain", rounds, 200);
	measure_prompt("the same without a hypervisor", NULL, rounds, 0);
}
