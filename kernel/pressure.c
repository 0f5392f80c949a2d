/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory pressure as this guest feels it: see pressure.h. */
#include "kernel/pressure.h"

#include <assert.h>
#include <string.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon_account.h"
#include "drivers/balloon/balloon_reclaim.h"
#include "kernel/task/task.h"
#include "kernel/vm/vm.h"
#include "mm/vm_events.h"

#define NOTE_NS (100 * NS_PER_MS) /* between two readings that nobody asked for */

static struct {
	bool started;
	struct readings readings;
	struct reading newest;
	uint64_t read_ns; /* when that was taken */
	uint64_t start_ns;
} pressure;

/* ---- Readings ---- */

static void read_books(struct reading *reading)
{
	const struct vm_events *events = &vm_events;
	const uint64_t values[READING_VALUES] = {
		[READING_OOM_KILLS] = events->oom_kills,
		[READING_STALLS] = events->stalls,
		[READING_ASYNC_SCANS] = pfn_to_paddr(events->async_scanned),
		[READING_DIRECT_SCANS] = pfn_to_paddr(events->direct_scanned),
		[READING_ASYNC_RECLAIMS] = pfn_to_paddr(events->async_reclaimed),
		[READING_DIRECT_RECLAIMS] = pfn_to_paddr(events->direct_reclaimed),
		[READING_SWAP_IN] = events->swap_in_bytes,
		[READING_SWAP_OUT] = events->swap_out_bytes,
		[READING_MAJOR_FAULTS] = events->major_faults,
		[READING_REFAULTS] = pfn_to_paddr(events->refaults),
		[READING_LIMIT_STALLS] = events->limit_stalls,
		[READING_BALLOON_STALLS] = events->balloon_stalls,
		[READING_DISK_STALLS] = events->disk_stalls,
	};
	struct balloon_account account;

	balloon_account(&account);
	*reading = (struct reading){ 0 };
	for (unsigned i = 0; i < READING_TOTAL; i++)
		reading_set(reading, i, values[i]);
	reading_set(reading, READING_TOTAL, pfn_to_paddr(account.total));
}

static void take_reading(void)
{
	uint64_t now_ns = clock_ns();

	read_books(&pressure.newest);
	readings_add(&pressure.readings, &pressure.newest, now_ns / NS_PER_MS);
	pressure.read_ns = now_ns;
}

void pressure_note(void)
{
	if (pressure.started && clock_ns() - pressure.read_ns >= NOTE_NS)
		take_reading();
}

void pressure_start(void)
{
	memset(&pressure, 0, sizeof(pressure));
	pressure.started = true;
	pressure.start_ns = clock_ns();
	take_reading();
}

/* ---- The balloon's waits ---- */

size_t pressure_reclaim(unsigned order)
{
	bool some = vm_psi.some.on, full = vm_psi.full.on;
	size_t freed;

	psi_set(&vm_psi, 1, false, clock_ns());
	freed = balloon_reclaim(order);
	/* Nobody has run, so it is as it was. */
	psi_set(&vm_psi, some, !full, clock_ns());
	pressure_note();
	return freed;
}

/* ---- What it comes to ---- */

/* Whether something has moved since a reading that is too old to judge by. */
static bool is_out_of_date(void)
{
	struct reading now;

	if (clock_ns() - pressure.read_ns <= READINGS_MOST_MS * NS_PER_MS)
		return false;
	read_books(&now);
	for (unsigned i = 0; i < READING_TOTAL; i++)
		if (now.value[i] != pressure.newest.value[i])
			return true;
	return false;
}

void pressure_look(struct pressure *look)
{
	const struct readings *readings = &pressure.readings;
	uint64_t now_ns;

	assert(pressure.started);
	if (is_out_of_date()) {
		take_reading();
		task_sleep_until(clock_ns() + READINGS_LEAST_MS * NS_PER_MS);
	}
	take_reading();
	if (readings->over_ms == 0) {
		task_sleep_until(pressure.start_ns + READINGS_LEAST_MS * NS_PER_MS);
		take_reading();
	}
	now_ns = pressure.read_ns;
	*look = (struct pressure){
		.situation = readings->situation,
		.for_ms = now_ns / NS_PER_MS - readings->since_ms,
		.over_ms = readings->over_ms,
		.moved = readings->moved,
		.oom_kills = vm_events.oom_kills,
	};
	psi_read(&vm_psi, now_ns, &look->some, &look->full);
}
