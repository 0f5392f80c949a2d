/* SPDX-License-Identifier: BSD-2-Clause */
/* The growth benchmark's table and goals: see growth_report.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "tests/bench/figures.h"
#include "tests/bench/growth_report.h"

/* The goal bounds Aerostat's figure: from above, but for NO_FREE. */
static const struct {
	const char *key, *title;
	int decimals;
	double goal;
} metrics[GROWTH_METRICS] = {
	[PLUG] = { "plug-ms", "4 GiB more, ms", 2, 5 },
	[UNPLUG] = { "unplug-ms", "4 GiB that were used and freed less, ms", 1, 20 },
	[UNPLUG_BACK] = { "unplug-back-ms", "the same, until the host has 99 % of it, ms", 1, 20 },
	[EVERY_SECOND] = { "every-second-ms", "2 GiB less, every second block being in use, ms", 1,
			   60 },
	[BALLOONED] = { "ballooned-ms", "2 GiB less beside a balloon of 0.5 GiB, ms", 1, 100 },
	[MOVED_OUT] = { "moved-out-ms", "2 GiB less, 0.5 GiB of them being in the balloon, ms", 1,
			100 },
	[NO_FREE] = { "no-free-frame", "growing without a free frame, of 100 times", 0, 100 },
	[BOOT] = { "boot-ms", "1 TiB announced: a longer boot than with 2 MiB, ms", 2, 1 },
	[BOOT_MEMORY] = { "boot-mib", "1 TiB announced: less memory than without, MiB", 2, 2 },
};

const char *growth_metric_title(enum growth_metric metric)
{
	return metrics[metric].title;
}

static double median(const struct growth_results *r, enum growth_metric m, enum growth_kind k)
{
	return samples_median(&r->of[m][k]);
}

static const char *verdict(const struct growth_results *r, enum growth_metric m)
{
	double is = median(r, m, AEROSTAT);

	if (isnan(is))
		return "not measured";
	return (m == NO_FREE ? is >= metrics[m].goal : is <= metrics[m].goal) ? "met" : "missed";
}

/* ---- Markdown ---- */

static void print_row(const struct growth_results *r, enum growth_metric m)
{
	printf("| %s | ", metrics[m].title);
	for (enum growth_kind k = 0; k < GROWTH_KINDS; k++) {
		figures_print_samples(&r->of[m][k], metrics[m].decimals);
		printf(" | ");
	}
	printf("%s %g | %s |\n", m == NO_FREE ? "at least" : "at most", metrics[m].goal,
	       verdict(r, m));
}

void growth_report_text(const struct growth_results *r, const struct growth_circumstances *c)
{
	printf("%s; %s; %s; %s%s.\n%u rounds of all in turn; `%s`\n\n", c->common.host, c->qemu,
	       c->common.date, c->linux_version[0] ? "Linux " : "no Linux guest", c->linux_version,
	       c->rounds, c->common.command);
	printf("| median (least .. most)");
	for (enum growth_kind k = 0; k < GROWTH_KINDS; k++)
		printf(" | %s", growth_kind_name(k));
	printf(" | goal | |\n|---|---|---|---|---|---|\n");
	for (enum growth_metric m = 0; m < GROWTH_METRICS; m++)
		print_row(r, m);
}

/* ---- JSON ---- */

static struct json_object *metric_object(const struct growth_results *r, enum growth_metric m)
{
	struct json_object *all = json_object_new_object();

	for (enum growth_kind k = 0; k < GROWTH_KINDS; k++)
		if (r->of[m][k].count > 0)
			json_object_object_add(all, growth_kind_key(k),
					       figures_samples(&r->of[m][k]));
	json_object_object_add(all, m == NO_FREE ? "at-least" : "at-most",
			       figures_number(metrics[m].goal));
	json_object_object_add(all, "verdict", json_object_new_string(verdict(r, m)));
	return all;
}

void growth_report_json(const struct growth_results *r, const struct growth_circumstances *c)
{
	struct json_object *all = json_object_new_object();
	struct json_object *figures = json_object_new_object();

	json_object_object_add(all, "host", json_object_new_string(c->common.host));
	json_object_object_add(all, "qemu", json_object_new_string(c->qemu));
	json_object_object_add(all, "linux",
			       c->linux_version[0] ? json_object_new_string(c->linux_version)
						   : NULL);
	json_object_object_add(all, "date", json_object_new_string(c->common.date));
	json_object_object_add(all, "command", json_object_new_string(c->common.command));
	json_object_object_add(all, "rounds", json_object_new_int((int)c->rounds));
	for (enum growth_metric m = 0; m < GROWTH_METRICS; m++)
		json_object_object_add(figures, metrics[m].key, metric_object(r, m));
	json_object_object_add(all, "figures", figures);
	printf("%s\n", json_object_to_json_string_ext(all, JSON_C_TO_STRING_PRETTY));
	json_object_put(all);
}
