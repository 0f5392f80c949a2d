/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prometheus' text format: see metrics.h. A metric is a line in a table: its
 * name, type and help, and how to read it from a sample.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>

#include "kernel/lib/escape.h"
#include "tools/balloonctl/metrics.h"

/* Written exactly: a double has no 2^64 - 1. */
struct value {
	uint64_t whole;
	double real;
	bool is_real;
};

static bool give(struct value *value, uint64_t whole)
{
	value->whole = whole;
	return true;
}

static bool give_real(struct value *value, double real)
{
	value->real = real;
	value->is_real = true;
	return true;
}

/* ---- values from a sample of a guest that is up; false: not known ---- */

static bool read_ram(const struct sample *sample, struct value *value)
{
	return give(value, sample->state.ram);
}

static bool read_left(const struct sample *sample, struct value *value)
{
	return give(value, sample->state.left);
}

static bool read_taken(const struct sample *sample, struct value *value)
{
	return give(value, sample->state.taken);
}

static bool read_target(const struct sample *sample, struct value *value)
{
	return sample->state.has_target && give(value, sample->state.target_left);
}

static bool read_driver(const struct sample *sample, struct value *value)
{
	return sample->state.has_features && give(value, sample->state.driver_ok);
}

static bool read_paused(const struct sample *sample, struct value *value)
{
	return give(value, sample->state.paused);
}

static bool read_complaint(const struct sample *sample, struct value *value)
{
	return give(value, sample->state.complaint[0] != '\0');
}

static bool read_update(const struct sample *sample, struct value *value)
{
	return sample->has_stats && sample->stats.ever && give(value, sample->stats.update);
}

static bool read_interval(const struct sample *sample, struct value *value)
{
	return sample->has_stats && give(value, sample->stats.interval);
}

static bool read_resident(const struct sample *sample, struct value *value)
{
	return sample->has_cost && give(value, sample->cost.resident);
}

static bool read_cpu(const struct sample *sample, struct value *value)
{
	return sample->has_cost && give_real(value, (double)sample->cost.cpu_ms / 1000);
}

struct metric {
	const char *name, *type, *help;
	bool (*read)(const struct sample *sample, struct value *value);
	unsigned stat; /* without read: a STAT_ number */
};

/* The names of the statistics are QMP's, with Prometheus' units at their end. */
static const struct metric metrics[] = {
	{ "balloon_ram_bytes", "gauge", "Memory that the host gave to the guest.", read_ram, 0 },
	{ "balloon_left_bytes", "gauge", "Memory left to the guest.", read_left, 0 },
	{ "balloon_taken_bytes", "gauge", "Memory that the balloon holds.", read_taken, 0 },
	{ "balloon_target_left_bytes", "gauge", "Memory to be left to the guest.", read_target, 0 },
	{ "balloon_driver_ok", "gauge", "Whether a driver runs in the guest.", read_driver, 0 },
	{ "balloon_paused", "gauge", "Whether the guest is paused.", read_paused, 0 },
	{ "balloon_implausible", "gauge", "Whether something that was said could not be.",
	  read_complaint, 0 },
	{ "balloon_stats_update_timestamp_seconds", "gauge",
	  "When the guest last sent statistics, in Unix time.", read_update, 0 },
	{ "balloon_stats_interval_seconds", "gauge",
	  "How often the guest is asked for statistics; 0: never.", read_interval, 0 },
	{ "balloon_host_memory_bytes", "gauge", "Memory of the host that QEMU occupies (Pss).",
	  read_resident, 0 },
	{ "balloon_host_cpu_seconds_total", "counter", "Processor time of QEMU.", read_cpu, 0 },
	{ "balloon_stat_swap_in_bytes_total", "counter", "Guest: memory swapped in.", NULL,
	  STAT_SWAP_IN },
	{ "balloon_stat_swap_out_bytes_total", "counter", "Guest: memory swapped out.", NULL,
	  STAT_SWAP_OUT },
	{ "balloon_stat_major_faults_total", "counter", "Guest: page faults that needed a disk.",
	  NULL, STAT_MAJOR_FAULTS },
	{ "balloon_stat_minor_faults_total", "counter", "Guest: other page faults.", NULL,
	  STAT_MINOR_FAULTS },
	{ "balloon_stat_free_memory_bytes", "gauge", "Guest: memory that is not used at all.", NULL,
	  STAT_FREE_MEMORY },
	{ "balloon_stat_total_memory_bytes", "gauge", "Guest: all memory that it counts.", NULL,
	  STAT_TOTAL_MEMORY },
	{ "balloon_stat_available_memory_bytes", "gauge",
	  "Guest: memory that could be used without swapping.", NULL, STAT_AVAILABLE_MEMORY },
	{ "balloon_stat_disk_caches_bytes", "gauge", "Guest: memory that caches files.", NULL,
	  STAT_DISK_CACHES },
	{ "balloon_stat_htlb_pgalloc_total", "counter", "Guest: huge pages allocated.", NULL,
	  STAT_HTLB_PGALLOC },
	{ "balloon_stat_htlb_pgfail_total", "counter",
	  "Guest: allocations of huge pages that failed.", NULL, STAT_HTLB_PGFAIL },
	{ "balloon_stat_oom_kills_total", "counter", "Guest: kills for want of memory.", NULL,
	  STAT_OOM_KILLS },
	{ "balloon_stat_alloc_stalls_total", "counter", "Guest: allocations that had to wait.",
	  NULL, STAT_ALLOC_STALLS },
	{ "balloon_stat_async_scans_total", "counter", "Guest: pages scanned in the background.",
	  NULL, STAT_ASYNC_SCANS },
	{ "balloon_stat_direct_scans_total", "counter", "Guest: pages scanned by allocations.",
	  NULL, STAT_DIRECT_SCANS },
	{ "balloon_stat_async_reclaims_total", "counter",
	  "Guest: pages reclaimed in the background.", NULL, STAT_ASYNC_RECLAIMS },
	{ "balloon_stat_direct_reclaims_total", "counter", "Guest: pages reclaimed by allocations.",
	  NULL, STAT_DIRECT_RECLAIMS },
};

/* A person has typed the name: bytes that are not plain text come as \xNN. */
static void write_labels(FILE *file, const char *name)
{
	char shown[ESCAPE_MAX];

	fputs("{guest=\"", file);
	for (; *name; name++) {
		size_t len = escape_byte((unsigned char)*name, shown);

		for (size_t i = 0; i < len; i++) {
			if (shown[i] == '\\' || shown[i] == '"')
				fputc('\\', file);
			fputc(shown[i], file);
		}
	}
	fputs("\"} ", file);
}

static bool is_up(const struct metrics_guest *guest)
{
	return guest->sample->number && !guest->sample->err && !guest->hangs;
}

static bool read_value(const struct metric *metric, const struct metrics_guest *guest,
		       struct value *value)
{
	*value = (struct value){ 0 };
	if (!is_up(guest))
		return false;
	if (metric->read)
		return metric->read(guest->sample, value);
	return sample_stat(guest->sample, metric->stat, &value->whole);
}

static void write_head(FILE *file, const char *name, const char *type, const char *help)
{
	fprintf(file, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_metric(FILE *file, const struct metric *metric,
			 const struct metrics_guest *guests, size_t count)
{
	bool has_head = false;
	struct value value;

	for (size_t i = 0; i < count; i++) {
		if (!read_value(metric, &guests[i], &value))
			continue;
		if (!has_head)
			write_head(file, metric->name, metric->type, metric->help);
		has_head = true;
		fputs(metric->name, file);
		write_labels(file, guests[i].name);
		if (value.is_real)
			fprintf(file, "%.3f\n", value.real);
		else
			fprintf(file, "%" PRIu64 "\n", value.whole);
	}
}

void metrics_write(FILE *file, const struct metrics_guest *guests, size_t count)
{
	assert(guests || !count);
	write_head(file, "balloon_up", "gauge", "Whether the guest is there and answers.");
	for (size_t i = 0; i < count; i++) {
		fputs("balloon_up", file);
		write_labels(file, guests[i].name);
		fputs(is_up(&guests[i]) ? "1\n" : "0\n", file);
	}
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++)
		write_metric(file, &metrics[i], guests, count);
}
