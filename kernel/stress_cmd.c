/* SPDX-License-Identifier: BSD-2-Clause */
/* stress, kill. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/phys_map.h"
#include "kernel/course.h"
#include "kernel/lib/command.h"
#include "kernel/lib/hooks.h"
#include "kernel/lib/parse.h"
#include "kernel/stress.h"
#include "kernel/stress_words.h"
#include "kernel/task/task.h"
#include "kernel/vm/vm.h"
#include "mm/frame.h"
#include "mm/ledger.h"
#include "mm/memory.h"
#include "mm/vm_events.h"

#define SPEED_MAX 1000

/* Ctrl-C wakes nobody, and neither does the end of a workload. */
#define WAIT_LOOK_NS (20 * NS_PER_MS)

/* ---- stress anon, stress cache ---- */

static void print(const struct stress_info *info)
{
	const struct stress_want *want = &info->want;
	char size[FORMAT_SIZE_MAX];

	printf("stress %u: %s %s, %s, seed %" PRIu64 ": %" PRIu64 " touches", info->task,
	       want->course  ? "course"
	       : want->cache ? "cache"
			     : "anon",
	       format_size(want->pages * FRAME_SIZE, size), stress_pattern_name(want->pattern),
	       want->seed, info->touched);
	if (info->done)
		printf(", done");
	if (info->pass_ns > 0)
		printf(", the last pass in %" PRIu64 ".%06" PRIu64 " s", info->pass_ns / NS_PER_S,
		       info->pass_ns % NS_PER_S / 1000);
	if (info->verified > 0)
		printf(", %" PRIu64 " pages verified", info->verified);
	if (info->wrong > 0)
		printf(", %" PRIu64 " WRONG", info->wrong);
	printf("\n");
}

/* There is no cache, or it is smaller. */
static void explain_cache(void)
{
	struct vm_figures figures;

	vm_figures(&figures);
	if (figures.cache)
		printf("stress: the cache's disk %s has %" PRIu64 " kB; write no more\n",
		       figures.cache, figures.cache_pages * FRAME_KIB);
	else
		printf("stress: there is no cache; boot with cache=SERIAL of a disk\n");
}

/* Says why a workload did not start. */
static void explain(int err, const struct stress_want *want)
{
	if (err == -EAGAIN)
		printf("stress: there are as many workloads, or tasks, as there can be; stop "
		       "one\n");
	else if (err == -ENODEV)
		explain_cache();
	else if (err == -EROFS)
		printf("stress: the cache's disk is read-only; leave out --write\n");
	else if (err == -EBUSY)
		printf("stress: another workload writes these pages with another --seed; use "
		       "its seed, or stop it\n");
	else if (err == -EINVAL)
		printf("stress: %" PRIu64 " kB are more than a workload can have, %" PRIu64 " kB\n",
		       want->pages * FRAME_KIB, VM_PAGES_MAX * FRAME_KIB);
	else
		printf("stress: no memory for a task\n");
}

static int start(const struct stress_want *want)
{
	struct stress_info info = { .want = *want };
	int err = stress_start(want, &info.task);

	if (err)
		explain(err, want);
	else
		print(&info);
	/* The words were right, and the shell need not say what they are. */
	return err == -EINVAL ? -ERANGE : err;
}

static int stress_memory(int argc, char **argv, bool cache)
{
	struct stress_want want = { .cache = cache, .seed = 1 };
	int err = stress_parse(argc, argv, &want);

	return err ? err : start(&want);
}

/* ---- stress huge ---- */

/* Blocks one after the other, chained by their first words; all given back at the end. */
static int stress_huge(int argc, char **argv)
{
	uint64_t wanted, had = 0;
	pfn_t pfn, chain = PFN_NONE;

	if (argc != 3)
		return -EINVAL;
	if (stress_parse_number("huge", argv[2], &wanted))
		return -ERANGE;
	if (wanted == 0) {
		printf("stress: huge 0 is no block; write 1 or more\n");
		return -ERANGE;
	}
	while (had < wanted && !frame_alloc(BLOCK_ORDER, OWNER_HELD, &pfn)) {
		*(pfn_t *)phys_to_virt(pfn_to_paddr(pfn)) = chain;
		chain = pfn;
		had++;
	}
	while (chain != PFN_NONE) {
		pfn = chain;
		chain = *(pfn_t *)phys_to_virt(pfn_to_paddr(pfn));
		frame_free(pfn, BLOCK_FRAMES, OWNER_HELD);
	}
	printf("stress: %" PRIu64 " of %" PRIu64 " blocks of 2 MiB could be had\n", had, wanted);
	return had == wanted ? 0 : -ENOMEM;
}

/* ---- stress oom ---- */

/* More than there can be: memory, and the swap disk. */
static int stress_oom(int argc)
{
	struct stress_want want = { .seed = 1 };

	if (argc != 2)
		return -EINVAL;
	want.pages = ledger_managed() + vm_events.swap_total + BLOCK_FRAMES;
	return start(&want);
}

/* ---- stress course ---- */

/* Finds the course that the loader brought, or says what is wrong with it. */
static int open_course(struct course *course, struct stress_want *want)
{
	struct course_extent extent;
	char why[COURSE_WHY_MAX];
	size_t size;
	const char *text = memory_module(&size);

	if (!text && size > 0) {
		printf("stress: the course's %zu bytes lie where they cannot be kept; give the "
		       "guest more memory\n",
		       size);
		return -ENOENT;
	}
	if (!text) {
		printf("stress: there is no course; start with COURSE=FILE, which balloonctl "
		       "record wrote\n");
		return -ENOENT;
	}
	if (course_open(course, text, size, &extent, why)) {
		printf("stress: the course cannot be played: %s\n", why);
		return -EINVAL;
	}
	want->pages = extent.bytes_max / FRAME_SIZE + 1;
	printf("stress: %" PRIu64 " points, %" PRIu64 ".%03" PRIu64 " s, at most %" PRIu64 " kB\n",
	       extent.points, extent.last_ms / 1000, extent.last_ms % 1000, extent.bytes_max / KIB);
	return 0;
}

static int stress_course(int argc, char **argv)
{
	static struct course course;
	struct stress_want want = { .seed = 1, .speed = 1, .course = &course };
	int err = 0;

	if (argc == 4 && strcmp(argv[2], "--speed") == 0)
		err = stress_parse_number("--speed", argv[3], &want.speed);
	else if (argc != 2)
		return -EINVAL;
	if (!err && (want.speed == 0 || want.speed > SPEED_MAX)) {
		printf("stress: --speed %s is not from 1 to %d\n", argv[3], SPEED_MAX);
		err = -ERANGE;
	}
	if (!err)
		err = open_course(&course, &want);
	return err == -EINVAL ? -EIO : err ? err : start(&want);
}

/* ---- stress stop, kill ---- */

static int stop(const char *name, const char *word)
{
	uint64_t task;

	if (parse_u64(word, &task) || task > UINT32_MAX) {
		printf("%s: %s is no task's number; `ps` lists them\n", name, word);
		return -ERANGE;
	}
	if (!stress_stop((unsigned)task))
		return 0;
	printf("%s: task %s is no workload; `stress` lists them\n", name, word);
	return -ESRCH;
}

static int stop_all(void)
{
	struct stress_info info = { .task = 0 };

	while (stress_next(info.task, &info))
		stress_stop(info.task);
	return 0;
}

static int list(void)
{
	struct stress_info info = { .task = 0 };
	bool any = false;

	for (; stress_next(info.task, &info); any = true)
		print(&info);
	if (!any)
		printf("no workload runs\n");
	return 0;
}

/* ---- stress wait ---- */

/* Finds a workload that is not done; false: there is none. */
static bool find_busy(struct stress_info *info)
{
	for (info->task = 0; stress_next(info->task, info);)
		if (!info->done)
			return true;
	return false;
}

static bool is_endless(const struct stress_info *info)
{
	return !info->want.course && info->want.passes == 0 &&
	       info->want.pattern != STRESS_SEQUENTIAL;
}

/* Until each workload has done its part, or has ended. Says what they have come to. */
static int wait_for_all(const char *seconds)
{
	struct stress_info info;
	uint64_t ns = 0, end;

	if (seconds && parse_seconds(seconds, &ns)) {
		printf("stress: %s is no time; write a number of seconds, as 10 or 0.5\n", seconds);
		return -ERANGE;
	}
	end = seconds ? clock_ns() + ns : DEADLINE_NEVER;
	while (find_busy(&info) && clock_ns() < end && !lib_interrupted()) {
		if (!seconds && is_endless(&info)) {
			printf("stress: task %u touches pages for ever; start it with --passes N, "
			       "or say for how many seconds to wait\n",
			       info.task);
			return -ERANGE;
		}
		task_sleep_until(min_u64(end, clock_ns() + WAIT_LOOK_NS));
	}
	list();
	if (lib_interrupted())
		return -EINTR;
	return find_busy(&info) ? -ETIMEDOUT : 0;
}

static int cmd_stress(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (argc == 1)
		return list();
	if (strcmp(what, "anon") == 0 || strcmp(what, "cache") == 0)
		return stress_memory(argc, argv, what[0] == 'c');
	if (strcmp(what, "huge") == 0)
		return stress_huge(argc, argv);
	if (strcmp(what, "oom") == 0)
		return stress_oom(argc);
	if (strcmp(what, "course") == 0)
		return stress_course(argc, argv);
	if (strcmp(what, "stop") == 0 && argc == 3)
		return strcmp(argv[2], "all") == 0 ? stop_all() : stop("stress", argv[2]);
	if (strcmp(what, "wait") == 0 && argc <= 3)
		return wait_for_all(argv[2]);
	return -EINVAL;
}
COMMAND("stress", "[anon|cache SIZE [OPTIONS] | huge N|oom|course|wait | stop ID|all]",
	"workloads that make memory short, or their list",
	"anon touches memory of its own, which goes to the swap disk if memory is short;\n"
	"cache touches pages of the disk that cache= names, and with --write writes them.\n"
	"  --pattern seq   all pages once, in order (the default)\n"
	"            loop  again and again\n"
	"            rand  once in order, then any page\n"
	"            zipf  once in order, then some pages far more often than others\n"
	"  --passes N      after N times as many touches as there are pages all is held\n"
	"  --touch RATE    touches a second; else as many as there can be\n"
	"  --limit SIZE    of anon: no more of it is in memory at a time\n"
	"  --seed N        another order of touches (1)\n"
	"course has as much memory in use as a guest once had, by the file that\n"
	"COURSE=FILE names, which `balloonctl record` wrote; --speed N: N times as fast.\n"
	"wait [SECONDS] returns when all have done their part, or have ended; it fails if\n"
	"one has not when the time is up. Ctrl-C ends it.\n"
	"huge takes N blocks of 2 MiB and gives them back; oom takes more than there is.\n"
	"Pages that come back from a disk are verified: a wrong byte is told and counted.",
	cmd_stress);

static int cmd_kill(int argc, char **argv)
{
	if (argc != 2)
		return -EINVAL;
	return stop("kill", argv[1]);
}
COMMAND("kill", "ID", "end a workload", NULL, cmd_kill);
