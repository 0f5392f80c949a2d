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

/* ---- values of a guest that was seen; false: not known ---- */

static bool read_ram(const struct metrics_guest *guest, struct value *value)
{
	return give(value, guest->sample->state.ram);
}

static bool read_base(const struct metrics_guest *guest, struct value *value)
{
	return give(value, guest->sample->state.base);
}

static bool read_dimms(const struct metrics_guest *guest, struct value *value)
{
	return give(value, guest->sample->state.dimms);
}

static bool read_grown(const struct metrics_guest *guest, struct value *value)
{
	return guest->sample->state.has_grown && give(value, guest->sample->state.grown);
}

static bool read_requested(const struct metrics_guest *guest, struct value *value)
{
	return guest->sample->state.has_grown && give(value, guest->sample->state.requested);
}

static bool read_left(const struct metrics_guest *guest, struct value *value)
{
	return give(value, guest->sample->state.left);
}

static bool read_taken(const struct metrics_guest *guest, struct value *value)
{
	return give(value, guest->sample->state.taken);
}

static bool read_target(const struct metrics_guest *guest, struct value *value)
{
	return guest->sample->state.has_target && give(value, guest->sample->state.target_left);
}

static bool read_driver(const struct metrics_guest *guest, struct value *value)
{
	return guest->sample->state.has_driver && give(value, guest->sample->state.driver_ok);
}

static bool read_paused(const struct metrics_guest *guest, struct value *value)
{
	return give(value, guest->sample->state.paused);
}

static bool read_complaint(const struct metrics_guest *guest, struct value *value)
{
	return give(value, guest->sample->state.complaint[0] != '\0');
}

static bool read_update(const struct metrics_guest *guest, struct value *value)
{
	return guest->sample->has_stats && guest->sample->stats.ever &&
	       give(value, guest->sample->stats.update);
}

static bool read_interval(const struct metrics_guest *guest, struct value *value)
{
	return guest->sample->has_stats && give(value, guest->sample->stats.interval);
}

static bool read_resident(const struct metrics_guest *guest, struct value *value)
{
	return guest->sample->has_cost && give(value, guest->sample->cost.resident);
}

static bool read_cpu(const struct metrics_guest *guest, struct value *value)
{
	return guest->sample->has_cost &&
	       give_real(value, (double)guest->sample->cost.cpu_ms / 1000);
}

/* Ages grow between two looks. */
static bool read_age(const struct metrics_guest *guest, struct value *value)
{
	return give_real(value, (double)(guest->now - guest->sample->seen) / 1000);
}

static bool read_stats_age(const struct metrics_guest *guest, struct value *value)
{
	const struct sample *sample = guest->sample;

	if (!sample->has_stats || !sample->stats.ever)
		return false;
	read_age(guest, value);
	return give_real(value, value->real + sample->stats.age);
}

struct metric {
	const char *name, *type, *help;
	bool (*read)(const struct metrics_guest *guest, struct value *value);
	unsigned stat; /* without read: a STAT_ number */
};

/* The names of the statistics are QMP's, with Prometheus' units at their end. */
static const struct metric metrics[] = {
	{ "balloon_age_seconds", "gauge",
	  "How old the values of this guest are; its statistics are older.", read_age, 0 },
	{ "balloon_ram_bytes", "gauge", "Memory that the host gave to the guest.", read_ram, 0 },
	{ "balloon_base_bytes", "gauge", "Of this, what cannot be unplugged.", read_base, 0 },
	{ "balloon_dimms_bytes", "gauge", "Of this, what is in DIMMs.", read_dimms, 0 },
	{ "balloon_grown_bytes", "gauge", "Of this, what virtio-mem devices have plugged.",
	  read_grown, 0 },
	{ "balloon_requested_bytes", "gauge", "What is requested of virtio-mem devices.",
	  read_requested, 0 },
	{ "balloon_left_bytes", "gauge", "Memory left to the guest.", read_left, 0 },
	{ "balloon_taken_bytes", "gauge", "Memory that the balloon holds.", read_taken, 0 },
	{ "balloon_target_left_bytes", "gauge", "Memory to be left to the guest.", read_target, 0 },
	{ "balloon_driver_ok", "gauge", "Whether a driver runs in the guest.", read_driver, 0 },
	{ "balloon_paused", "gauge", "Whether the guest is paused.", read_paused, 0 },
	{ "balloon_implausible", "gauge", "Whether something that was said could not be.",
	  read_complaint, 0 },
	{ "balloon_stats_update_timestamp_seconds", "gauge",
	  "When the guest last sent statistics, in Unix time.", read_update, 0 },
	{ "balloon_stats_age_seconds", "gauge", "How old the guest's statistics are.",
	  read_stats_age, 0 },
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
static void write_label(FILE *file, const char *label, const char *text)
{
	char shown[ESCAPE_MAX];

	fprintf(file, "%s=\"", label);
	for (; *text; text++) {
		size_t len = escape_byte((unsigned char)*text, shown);

		for (size_t i = 0; i < len; i++) {
			if (shown[i] == '\\' || shown[i] == '"')
				fputc('\\', file);
			fputc(shown[i], file);
		}
	}
	fputc('"', file);
}

static void write_name(FILE *file, const char *name, const struct metrics_guest *guest)
{
	fprintf(file, "%s{", name);
	write_label(file, "guest", guest->name);
	fputs("} ", file);
}

static enum condition condition_of(const struct metrics_guest *guest)
{
	enum condition condition = sample_condition(guest->sample);

	return guest->hangs && condition != CONDITION_PENDING ? CONDITION_NO_ANSWER : condition;
}

/* A guest without a balloon is there, and so is one that serves somebody else. */
static bool is_there(const struct metrics_guest *guest)
{
	enum condition condition = condition_of(guest);

	return condition == CONDITION_UP || condition == CONDITION_BUSY ||
	       condition == CONDITION_NO_BALLOON;
}

/* What QEMU says is true of a guest that has panicked, too. */
static bool has_values(const struct metrics_guest *guest)
{
	return guest->sample->seen &&
	       (is_there(guest) || condition_of(guest) == CONDITION_PANICKED);
}

/* Old values are better than none only as long as the guest is known to be there. */
static bool read_value(const struct metric *metric, const struct metrics_guest *guest,
		       struct value *value)
{
	*value = (struct value){ 0 };
	if (!has_values(guest))
		return false;
	if (metric->read)
		return metric->read(guest, value);
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
		write_name(file, metric->name, &guests[i]);
		if (value.is_real)
			fprintf(file, "%.3f\n", value.real);
		else
			fprintf(file, "%" PRIu64 "\n", value.whole);
	}
}

static void write_build(FILE *file)
{
	write_head(file, "balloon_build_info", "gauge", "Of what version this exporter is.");
	fputs("balloon_build_info{", file);
	write_label(file, "version", AEROSTAT_VERSION);
	fputs("} 1\n", file);
}

static void write_up(FILE *file, const struct metrics_guest *guests, size_t count)
{
	write_head(file, "balloon_up", "gauge", "Whether the guest is there, busy or not.");
	for (size_t i = 0; i < count; i++) {
		write_name(file, "balloon_up", &guests[i]);
		fputs(is_there(&guests[i]) ? "1\n" : "0\n", file);
	}
}

static void write_states(FILE *file, const struct metrics_guest *guests, size_t count)
{
	write_head(file, "balloon_guest_state", "gauge",
		   "What the last look at the guest has found: one of these is 1.");
	for (size_t i = 0; i < count; i++) {
		for (enum condition c = 0; c < CONDITIONS; c++) {
			fputs("balloon_guest_state{", file);
			write_label(file, "guest", guests[i].name);
			fputc(',', file);
			write_label(file, "state", condition_word(c));
			fputs(c == condition_of(&guests[i]) ? "} 1\n" : "} 0\n", file);
		}
	}
}

void metrics_write(FILE *file, const struct metrics_guest *guests, size_t count)
{
	assert(guests || !count);
	write_build(file);
	write_up(file, guests, count);
	write_states(file, guests, count);
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++)
		write_metric(file, &metrics[i], guests, count);
}
