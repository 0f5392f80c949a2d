/* SPDX-License-Identifier: BSD-2-Clause */
/* The balloon benchmark's tables and goals: see balloon_report.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "tests/bench/balloon_report.h"
#include "tests/bench/figures.h"

static const struct {
	const char *key, *title;
	int decimals;
} metrics[METRICS] = {
	[READY] = { "ready-ms", "process start to balloon ready, ms", 1 },
	[INFLATE] = { "inflate-gib-per-s", "inflate 2 GiB, GiB/s", 2 },
	[DEFLATE] = { "deflate-gib-per-s", "deflate 2 GiB, GiB/s", 2 },
	[HOST_BACK] = { "host-back-ms", "until the host has 99 % of 2 GiB back, ms", 1 },
	[BACK_FREE] = { "back-free", "share really back, by the host's free memory", 3 },
	[BACK_BLOCKS] = { "back-st-blocks", "share really back, by st_blocks of a memory file", 3 },
	[BACK_HUGETLB] = { "back-hugetlb", "share really back of 2 MiB hugetlb pages", 3 },
	[IDLE] = { "idle-mib", "host memory of the idle guest beyond QEMU's own, MiB", 1 },
	[IDLE_RAM] = { "idle-ram-mib", "of that, guest RAM, MiB", 1 },
	[STEP_MEDIAN] = { "step-median-ms", "target change of 1 MiB, median, ms", 2 },
	[STEP_P99] = { "step-p99-ms", "target change of 1 MiB, p99, ms", 2 },
	[WRITES] = { "config-writes-per-gib", "config-space writes per GiB inflated", 1 },
	[CPU] = { "cpu-s-per-gib", "QEMU's processor seconds per GiB inflated", 3 },
	[CPU_DEFLATE] = { "cpu-s-per-gib-deflated", "QEMU's processor seconds per GiB deflated",
			  3 },
};

/* A bound on a figure, or on its ratio to the device's alone. */
static const struct goal {
	enum metric metric;
	enum subject subject;
	bool of_device, at_least;
	double bound;
} goals[] = {
	{ READY, PORTABLE, true, false, 1.2 },
	{ INFLATE, PORTABLE, true, true, 0.95 },
	{ INFLATE, WHOLE_BLOCK, true, true, 0.95 },
	{ INFLATE, RANGE_FIRST, true, true, 1.8 },
	{ DEFLATE, PORTABLE, true, true, 0.95 },
	{ DEFLATE, WHOLE_BLOCK, true, true, 0.95 },
	{ DEFLATE, RANGE_FIRST, true, true, 0.95 },
	{ HOST_BACK, RANGE_FIRST, false, false, 50 },
	{ BACK_FREE, PORTABLE, false, true, 0.99 },
	{ BACK_FREE, WHOLE_BLOCK, false, true, 0.99 },
	{ BACK_FREE, RANGE_FIRST, false, true, 0.99 },
	{ BACK_BLOCKS, PORTABLE, false, true, 0.99 },
	{ BACK_BLOCKS, WHOLE_BLOCK, false, true, 0.99 },
	{ BACK_BLOCKS, RANGE_FIRST, false, true, 0.99 },
	{ BACK_HUGETLB, WHOLE_BLOCK, false, true, 1 },
	{ BACK_HUGETLB, RANGE_FIRST, false, true, 1 },
	{ IDLE, PORTABLE, false, false, 4 },
	{ IDLE, RANGE_FIRST, false, false, 4 },
	{ STEP_MEDIAN, PORTABLE, false, false, 0.6 },
	{ STEP_MEDIAN, RANGE_FIRST, false, false, 0.6 },
	{ STEP_P99, PORTABLE, false, false, 2 },
	{ STEP_P99, RANGE_FIRST, false, false, 2 },
	{ WRITES, PORTABLE, false, false, 8 },
	{ WRITES, WHOLE_BLOCK, false, false, 8 },
	{ WRITES, RANGE_FIRST, false, false, 8 },
	{ CPU, PORTABLE, false, false, 0.33 },
	{ CPU, WHOLE_BLOCK, false, false, 0.33 },
	{ CPU, RANGE_FIRST, false, false, 0.17 },
};
#define GOALS (sizeof(goals) / sizeof(goals[0]))

static double median(const struct results *r, enum metric metric, enum subject subject)
{
	return samples_median(&r->of[metric][subject]);
}

static bool is_measured(const struct results *r, enum metric metric)
{
	for (enum subject s = 0; s < SUBJECTS; s++)
		if (r->of[metric][s].count > 0)
			return true;
	return false;
}

/* A goal bounds the figure, or its ratio to the device's. */
static double achieved(const struct results *r, const struct goal *g)
{
	double value = median(r, g->metric, g->subject);

	return g->of_device ? value / median(r, g->metric, DEVICE) : value;
}

static const char *verdict(const struct results *r, const struct goal *g)
{
	double is = achieved(r, g);

	if (isnan(is))
		return "not measured";
	return (g->at_least ? is >= g->bound : is <= g->bound) ? "met" : "missed";
}

/* ---- Markdown ---- */

static void print_table(const struct results *r)
{
	printf("| median (least .. most)");
	for (enum subject s = 0; s < SUBJECTS; s++)
		printf(" | %s", subject_name(s));
	printf(" |\n|---");
	for (enum subject s = 0; s < SUBJECTS; s++)
		printf("|---");
	printf("|\n");
	for (enum metric m = 0; m < METRICS; m++) {
		if (!is_measured(r, m))
			continue;
		printf("| %s", metrics[m].title);
		for (enum subject s = 0; s < SUBJECTS; s++) {
			printf(" | ");
			figures_print_samples(&r->of[m][s], metrics[m].decimals);
		}
		printf(" |\n");
	}
}

static void print_goal(const struct results *r, const struct goal *g)
{
	double value = median(r, g->metric, g->subject);

	if (isnan(value))
		return;
	printf("| %s | %s | ", metrics[g->metric].title, subject_key(g->subject));
	figures_print(value, metrics[g->metric].decimals);
	printf(" | ");
	figures_print(value / median(r, g->metric, DEVICE), 2);
	printf(" | ");
	figures_print(value / median(r, g->metric, LINUX), 2);
	printf(" | %s %g%s | %s |\n", g->at_least ? "at least" : "at most", g->bound,
	       g->of_device ? " x device alone" : "", verdict(r, g));
}

void balloon_report_text(const struct results *r, const struct balloon_circumstances *c)
{
	printf("%s; %s; %s; Linux %s.\n", c->common.host, c->qemu, c->common.date,
	       c->linux_version);
	printf("%u rounds of all in turn; %.0f %% of RAM on transparent huge pages; `%s`\n\n",
	       c->rounds, c->huge_share * 100, c->common.command);
	print_table(r);
	printf("\nDevice alone: no guest, this program is the driver, with the best of its ways of "
	       "writing page numbers; its changes of 1 MiB are QMP's round trip, its start and its "
	       "idle memory those of a kernel that prints one byte. QEMU's own memory is that of "
	       "QEMU stopped before the first instruction, without a kernel.\n");
	printf("\n| Aerostat against the goals | strategy | is | / device alone | / Linux | goal | "
	       "|\n"
	       "|---|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < GOALS; i++)
		print_goal(r, &goals[i]);
	if (!is_measured(r, BACK_HUGETLB))
		printf("\nhugetlb was left out: it needs %llu free huge pages (sysctl "
		       "vm.nr_hugepages).\n",
		       GUEST_BYTES >> 21);
}

/* ---- JSON ---- */

static struct json_object *metric_object(const struct samples s[SUBJECTS])
{
	struct json_object *all = json_object_new_object();

	for (enum subject i = 0; i < SUBJECTS; i++)
		if (s[i].count > 0)
			json_object_object_add(all, subject_key(i), figures_samples(&s[i]));
	return all;
}

static struct json_object *goal_object(const struct results *r, const struct goal *g)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "metric", json_object_new_string(metrics[g->metric].key));
	json_object_object_add(o, "subject", json_object_new_string(subject_key(g->subject)));
	json_object_object_add(o, "of", g->of_device ? json_object_new_string("device") : NULL);
	json_object_object_add(o, g->at_least ? "at-least" : "at-most", figures_number(g->bound));
	json_object_object_add(o, "is", figures_number(achieved(r, g)));
	json_object_object_add(o, "verdict", json_object_new_string(verdict(r, g)));
	return o;
}

static void add_circumstances(struct json_object *all, const struct balloon_circumstances *c)
{
	json_object_object_add(all, "host", json_object_new_string(c->common.host));
	json_object_object_add(all, "qemu", json_object_new_string(c->qemu));
	json_object_object_add(all, "linux", json_object_new_string(c->linux_version));
	json_object_object_add(all, "date", json_object_new_string(c->common.date));
	json_object_object_add(all, "command", json_object_new_string(c->common.command));
	json_object_object_add(all, "rounds", json_object_new_int((int)c->rounds));
	json_object_object_add(all, "huge-page-share", figures_number(c->huge_share));
}

void balloon_report_json(const struct results *r, const struct balloon_circumstances *c)
{
	struct json_object *all = json_object_new_object();
	struct json_object *figures = json_object_new_object();
	struct json_object *bounds = json_object_new_array();

	add_circumstances(all, c);
	for (enum metric m = 0; m < METRICS; m++)
		json_object_object_add(figures, metrics[m].key, metric_object(r->of[m]));
	for (size_t i = 0; i < GOALS; i++)
		json_object_array_add(bounds, goal_object(r, &goals[i]));
	json_object_object_add(all, "figures", figures);
	json_object_object_add(all, "goals", bounds);
	printf("%s\n", json_object_to_json_string_ext(all, JSON_C_TO_STRING_PRETTY));
	json_object_put(all);
}
