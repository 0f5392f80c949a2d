/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of a workload; see stress.h. */
#include "kernel/stress.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "arch/clock.h"
#include "kernel/course.h"
#include "kernel/lib/log.h"
#include "kernel/stress_page.h"
#include "kernel/task/task.h"
#include "kernel/vm/vm.h"

/* Touches before others may run. */
#define TURN 64

/* With a rate, so many turns a second: few enough to cost nothing, and often enough to be even. */
#define PACES 50

/* The cache is read by pieces of this many pages. */
#define PIECE 32

static struct workload {
	bool used;
	struct stress_info info;
	uint64_t state;	     /* of its random numbers */
	uint64_t pass_start; /* of the present `pages` touches */
	uint8_t *memory;
	int err; /* of its beginning */
	bool begun;
	struct wait_queue beginning;
} workloads[VM_USERS_MAX];

static const char *const pattern_names[] = {
	[STRESS_SEQUENTIAL] = "seq",
	[STRESS_LOOP] = "loop",
	[STRESS_RANDOM] = "rand",
	[STRESS_ZIPF] = "zipf",
};

const char *stress_pattern_name(enum stress_pattern pattern)
{
	return pattern_names[pattern];
}

int stress_parse_pattern(const char *name, enum stress_pattern *pattern)
{
	for (unsigned i = 0; i < ARRAY_SIZE(pattern_names); i++) {
		if (strcmp(name, pattern_names[i]) == 0) {
			*pattern = (enum stress_pattern)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* ---- Which page is next ---- */

/* The next page, counted from the first; false: all were touched, and that was all. */
static bool next_page(struct workload *w, uint64_t *page)
{
	const struct stress_want *want = &w->info.want;
	uint64_t touched = w->info.touched;
	uint64_t passes = want->pattern == STRESS_SEQUENTIAL ? 1 : want->passes;

	w->info.done = passes > 0 && touched / want->pages >= passes;
	if (w->info.done)
		return false;
	if (touched < want->pages || want->pattern == STRESS_LOOP) {
		*page = touched % want->pages;
		return true;
	}
	*page = want->pattern == STRESS_RANDOM ? stress_random(&w->state, want->pages)
					       : stress_zipf(&w->state, want->pages);
	return true;
}

/* ---- Touching ---- */

static void verify(struct workload *w, uint64_t page, const uint8_t *bytes)
{
	if (stress_page_is_right(bytes, w->info.want.seed, page)) {
		w->info.verified++;
		return;
	}
	w->info.wrong++;
	vm_page_is_wrong(page);
}

/* Written with its name at its first touch; written again, and verified when it came back. */
static void write_page(struct workload *w, uint64_t page, uint8_t *bytes)
{
	const struct stress_want *want = &w->info.want;

	if (w->info.touched >= want->pages) {
		stress_page_touch(bytes);
		if (vm_page_came_back(page))
			verify(w, page, bytes);
	} else if (want->cache) {
		stress_page_fill(bytes, want->seed, page);
	} else {
		stress_page_name(bytes, want->seed, page);
	}
}

static void touch(struct workload *w, uint64_t page)
{
	const struct stress_want *want = &w->info.want;
	uint8_t *bytes = w->memory + page * FRAME_SIZE;

	if (want->cache && !want->writes)
		(void)*(volatile uint8_t *)bytes;
	else
		write_page(w, page, bytes);
}

static bool is_in_order(enum stress_pattern pattern)
{
	return pattern == STRESS_SEQUENTIAL || pattern == STRESS_LOOP;
}

static bool touch_next(struct workload *w)
{
	const struct stress_want *want = &w->info.want;
	uint64_t page;

	if (!next_page(w, &page))
		return false;
	if (want->cache && page % PIECE == 0 && is_in_order(want->pattern))
		vm_user_will_touch(page, min_u64(PIECE, want->pages - page));
	touch(w, page);
	if (++w->info.touched % want->pages == 0) {
		w->info.pass_ns = clock_ns() - w->pass_start;
		w->pass_start = clock_ns();
	}
	return true;
}

/* ---- Its life ---- */

/* Waits until `due` touches may have been made, by its rate. */
static void keep_pace(const struct workload *w, uint64_t start)
{
	uint64_t rate = w->info.want.rate;
	uint64_t due;

	if (rate == 0) {
		task_yield();
		return;
	}
	due = start + w->info.touched / rate * NS_PER_S + w->info.touched % rate * NS_PER_S / rate;
	if (due > clock_ns())
		vm_user_sleep_until(due);
	else
		task_yield();
}

static void live(struct workload *w)
{
	uint64_t rate = w->info.want.rate, start = clock_ns();
	uint64_t turn = rate == 0 ? TURN : max_u64(1, min_u64(TURN, rate / PACES));
	bool more = true;

	w->pass_start = start;
	while (!vm_user_is_doomed()) {
		for (uint64_t i = 0; i < turn && more; i++)
			more = touch_next(w);
		if (more)
			keep_pace(w, start);
		else
			vm_user_wait_for_end();
	}
}

/* ---- A course ---- */

/* Has as many pages as a point says: the first of them are new, or the last ones go. */
static void resize(struct workload *w, uint64_t *pages, uint64_t wanted)
{
	while (*pages < wanted && !vm_user_is_doomed()) {
		for (unsigned i = 0; i < TURN && *pages < wanted; i++, (*pages)++) {
			stress_page_name(w->memory + *pages * FRAME_SIZE, w->info.want.seed,
					 *pages);
			w->info.touched++;
		}
		task_yield();
	}
	if (*pages > wanted) {
		vm_user_discard(wanted, *pages - wanted);
		*pages = wanted;
	}
}

static void play(struct workload *w)
{
	struct course course = *w->info.want.course;
	uint64_t start = clock_ns(), pages = 0;
	struct course_point point;

	while (course_next(&course, &point) && !vm_user_is_doomed()) {
		vm_user_sleep_until(start + point.time_ms * NS_PER_MS / w->info.want.speed);
		if (point.known)
			resize(w, &pages, align_up(point.bytes, FRAME_SIZE) / FRAME_SIZE);
	}
}

/* By itself or in the middle of a touch. */
static void ended(unsigned task, const char *why)
{
	for (struct workload *w = workloads; w < workloads + VM_USERS_MAX; w++) {
		if (!w->used || w->info.task != task)
			continue;
		log_info("stress: task %u has ended: %s", task, why ? why : "its course is over");
		w->used = false;
	}
}

static void run(void *arg)
{
	struct workload *w = arg;
	struct vm_want want = {
		.kind = w->info.want.cache ? VM_CACHE : VM_ANONYMOUS,
		.pages = w->info.want.pages,
		.limit = w->info.want.limit,
		.writes = w->info.want.writes,
		.ended = ended,
	};

	w->err = vm_user_begin(&want, &w->memory);
	w->info.task = task_id();
	w->begun = true;
	task_wake(&w->beginning);
	if (w->err)
		return;
	if (w->info.want.course)
		play(w);
	else
		live(w);
	vm_user_end();
}

static struct workload *free_workload(void)
{
	for (struct workload *w = workloads; w < workloads + VM_USERS_MAX; w++)
		if (!w->used)
			return w;
	return NULL;
}

/* Whether another workload writes its name into the pages that this one wants to write. */
static bool is_written_otherwise(const struct stress_want *want)
{
	for (const struct workload *w = workloads; w < workloads + VM_USERS_MAX; w++)
		if (w->used && w->info.want.writes && want->writes &&
		    w->info.want.seed != want->seed)
			return true;
	return false;
}

static const char *task_name(const struct stress_want *want)
{
	if (want->course)
		return "stress-course";
	return want->cache ? "stress-cache" : "stress-anon";
}

int stress_start(const struct stress_want *want, unsigned *task)
{
	struct workload *w = free_workload();
	int err;

	if (!w)
		return -EAGAIN;
	if (is_written_otherwise(want))
		return -EBUSY;
	*w = (struct workload){
		.used = true,
		.info.want = *want,
		.state = want->seed,
	};
	err = task_create(task_name(want), TASK_PRIORITY_BACKGROUND, run, w);
	if (!err) {
		while (!w->begun)
			task_await(&w->beginning, &w->begun, NS_PER_S);
		err = w->err;
	}
	if (err)
		w->used = false;
	*task = w->info.task;
	return err;
}

int stress_stop(unsigned task)
{
	for (struct workload *w = workloads; w < workloads + VM_USERS_MAX; w++)
		if (w->used && w->info.task == task)
			return vm_user_doom(task, "stopped");
	return -ESRCH;
}

bool stress_next(unsigned after, struct stress_info *info)
{
	const struct workload *best = NULL;

	for (const struct workload *w = workloads; w < workloads + VM_USERS_MAX; w++)
		if (w->used && w->info.task > after && (!best || w->info.task < best->info.task))
			best = w;
	if (best)
		*info = best->info;
	return best;
}
