/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * balloonctl dump of a whole guest: this process, with the real allocator and ring of
 * events in it, at the addresses where they are, but for the root. What is printed.
 */
#include "mm/vm_dump.h"
#include "mm/vm_events.h"
#include "tests/unit/mm/frame_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "drivers/balloon/balloon_dump.h"
#include "kernel/dump.h"
#include "kernel/lib/epitaph.h"
#include "kernel/lib/events_dump.h"
#include "mm/frame_dump.h"
#include "mm/frame_map.h"
#include "tests/unit/kernel/hen_events.h"
#include "tests/unit/tools/core_file.h"
#include "tests/unit/tools/dumped_balloon.h"
#include "tests/unit/tools/failing.h"
#include "tools/balloonctl/balloonctl.h"
#include "tools/events_dump.h"
#include "tools/frame_dump.h"

/* The fake has a signed one. */
#undef MIB
#include "tests/unit/tools/balloonctl/fake_qemu.h"

#define ROOT_PADDR 0x123000u

EVENTS_DEFINE(hen, HEN_EVENTS);

struct epitaph panic_epitaph;

/* ---- guests ---- */

static struct dump_root root;

/* A guest of 8 MiB without a frame 0 whose balloon has two MiB. */
static int begin(void **state)
{
	(void)state;
	panic_epitaph = (struct epitaph){ .version = EPITAPH_VERSION,
					  .size = sizeof(panic_epitaph) };
	root = dump_root;
	root.self = ROOT_PADDR;
	dumped_balloons[0] = (struct dumped_balloon){ true, false, 512, 512, 77, "virtio" };
	fixture_start_one(1, 4 * BLOCK_FRAMES);
	fixture_reserve(1, 99, OWNER_KERNEL);
	fixture_reserve(BLOCK_FRAMES, 512, OWNER_BALLOON);
	return 0;
}

static int make_core(void)
{
	const struct events_dump_source *sources =
		(const struct events_dump_source *)__start_event_sources;
	const struct core_piece pieces[] = {
		{ ROOT_PADDR, &root, sizeof(root) },
		{ (uintptr_t)&frame_dump, &frame_dump, sizeof(frame_dump) },
		{ (uintptr_t)&balloon_dump, &balloon_dump, sizeof(balloon_dump) },
		{ (uintptr_t)dumped_balloons, dumped_balloons, sizeof(dumped_balloons) },
		{ (uintptr_t)&vm_dump, &vm_dump, sizeof(vm_dump) },
		{ (uintptr_t)&vm_events, &vm_events, sizeof(vm_events) },
		{ frame_dump.names, (const void *)(uintptr_t)frame_dump.names,
		  OWNER_COUNT * FRAME_DUMP_NAME },
		{ (uintptr_t)&frame_map, &frame_map, sizeof(frame_map) },
		{ (uintptr_t)frame_map.free_bits, frame_map.free_bits,
		  frame_init_bytes(fixture_map()) },
		{ (uintptr_t)&panic_epitaph, &panic_epitaph, sizeof(panic_epitaph) },
		{ (uintptr_t)&events_dump, &events_dump, sizeof(events_dump) },
		{ (uintptr_t)sources, sources, sizeof(*sources) },
		{ (uintptr_t)sources[0].type, (const void *)(uintptr_t)sources[0].type,
		  sources[0].type_count * sizeof(struct event_type) },
		{ (uintptr_t)sources[0].ring, (const void *)(uintptr_t)sources[0].ring,
		  sizeof(struct event_ring) },
	};

	return core_file_make(pieces, sizeof(pieces) / sizeof(pieces[0]));
}

static int lowest_fd(void)
{
	int fd = dup(STDERR_FILENO);

	assert_true(fd >= 0);
	close(fd);
	return fd;
}

/* Runs it on a core of the guest as it is now, with an option or two, or NULL. */
static struct outcome dump(const char *option, const char *value)
{
	int fd = make_core(), before = lowest_fd();
	struct outcome end;
	char path[32];

	snprintf(path, sizeof(path), "/dev/fd/%d", fd);
	end = run_command(NULL, "dump", path, option, value, NULL);
	/* It closed what it had opened. */
	assert_int_equal(lowest_fd(), before);
	close(fd);
	return end;
}

static void assert_prints(const char *option, const char *value, int status, const char *text)
{
	struct outcome end = dump(option, value);

	assert_string_equal(end.err, "");
	assert_string_equal(end.out, text);
	assert_int_equal(end.status, status);
}

/* ---- what is printed ---- */

static const char figures[] = "Events since boot:\n"
			      "hen        none\n"
			      "MemTotal:             6140 kB\n"
			      "MemFree:              5744 kB\n"
			      "MemAvailable:         5744 kB\n"
			      "Balloon InflatedTotal:2048kB InflatedFree:0kB\n"
			      "Balloon target:2048kB actual:2048kB shortfall:0kB floor:308kB\n"
			      "Free, by the largest run in its block: 1024kB:1648kB 2048kB:4096kB\n"
			      "Owners:\n"
			      "  free                 5744 kB       1436 frames\n"
			      "  kernel                396 kB         99 frames\n"
			      "  frame-map               0 kB          0 frames\n"
			      "  page-records            0 kB          0 frames\n"
			      "  anonymous               0 kB          0 frames\n"
			      "  page-cache              0 kB          0 frames\n"
			      "  page-tables             0 kB          0 frames\n"
			      "  heap                    0 kB          0 frames\n"
			      "  stacks                  0 kB          0 frames\n"
			      "  virtqueues              0 kB          0 frames\n"
			      "  balloon              2048 kB        512 frames\n"
			      "  in-flight               0 kB          0 frames\n"
			      "  reported                0 kB          0 frames\n"
			      "  hinted                  0 kB          0 frames\n"
			      "  leaving                 0 kB          0 frames\n"
			      "  refused                 0 kB          0 frames\n"
			      "  unplugged               0 kB          0 frames\n"
			      "  held                    0 kB          0 frames\n"
			      "Ledger: ok (2047 frames)\n";
static const char figures_json[] =
	"{\"version\":\"" AEROSTAT_VERSION
	"\",\"ram\":8384512,\"stat-total-memory\":6287360,\"stat-free-memory\":5881856,"
	"\"stat-available-memory\":5881856,\"inflated-total\":2097152,\"inflated-free\":0,"
	"\"balloon\":{\"target\":2097152,\"actual\":2097152,\"shortfall\":0,\"floor\":315392},"
	"\"epitaph\":null,\"events\":[],\"event-counts\":{\"hen\":{\"egg\":0,\"fox-seen\":0}},"
	"\"owners\":{\"free\":5881856,\"kernel\":405504,\"frame-map\":0,"
	"\"page-records\":0,\"anonymous\":0,\"page-cache\":0,\"page-tables\":0,"
	"\"heap\":0,\"stacks\":0,\"virtqueues\":0,\"balloon\":2097152,\"in-flight\":0,"
	"\"reported\":0,\"hinted\":0,\"leaving\":0,\"refused\":0,\"unplugged\":0,\"held\":0},"
	"\"ledger\":\"ok\"}\n";

static void figures_are_printed(void **state)
{
	(void)state;
	assert_prints(NULL, NULL, EXIT_REACHED, figures);
}

static void figures_in_json_are_one_object(void **state)
{
	(void)state;
	assert_prints("--json", NULL, EXIT_REACHED, figures_json);
	assert_prints("-j", NULL, EXIT_REACHED, figures_json);
}

static void broken_ledger_has_a_status_of_its_own(void **state)
{
	struct outcome end;

	(void)state;
	frame_map.count[OWNER_KERNEL]--;
	frame_map.count[OWNER_HEAP]++;
	end = dump(NULL, NULL);
	assert_int_equal(end.status, EXIT_WRONG);
	assert_string_equal(end.err, "");
	assert_says(end.out, "\nLedger: BROKEN");
	end = dump("--json", NULL);
	assert_int_equal(end.status, EXIT_WRONG);
	assert_says(end.out, "\"ledger\":\"BROKEN");
}

static void frame_has_an_owner(void **state)
{
	(void)state;
	assert_prints("--pfn", "1", EXIT_REACHED, "Frame 0x1: kernel\n");
	assert_prints("--pfn", "0x200", EXIT_REACHED, "Frame 0x200: balloon\n");
	assert_prints("--pfn", "512", EXIT_REACHED, "Frame 0x200: balloon\n");
	assert_prints("--pfn", "0", EXIT_REACHED, "Frame 0: absent\n");
	assert_prints("--pfn", "100", EXIT_REACHED, "Frame 0x64: free\n");
}

static void frame_in_json_has_an_owner(void **state)
{
	int fd = make_core();
	struct outcome end;
	char path[32];

	(void)state;
	snprintf(path, sizeof(path), "/dev/fd/%d", fd);
	end = run_command(NULL, "dump", "--json", "--pfn", "0x201", path, NULL);
	assert_string_equal(end.out, "{\"pfn\":513,\"owner\":\"balloon\"}\n");
	assert_int_equal(end.status, EXIT_REACHED);
	close(fd);
}

/* ---- what is no good ---- */

static void assert_bad(const char *option, const char *value, const char *words)
{
	struct outcome end = dump(option, value);

	assert_int_equal(end.status, EXIT_BAD_FILE);
	assert_string_equal(end.out, "");
	assert_says(end.err, "/dev/fd/");
	assert_says(end.err, words);
}

static void damaged_parts_are_named(void **state)
{
	(void)state;
	root.frames = 1;
	assert_bad(NULL, NULL, "damaged: ");
	assert_bad("--pfn", "1", "damaged: ");
	root.frames = dump_root.frames;
	root.events = 1;
	assert_bad(NULL, NULL, "damaged: ");
	/* Who has a frame is told without them. */
	assert_prints("--pfn", "1", EXIT_REACHED, "Frame 0x1: kernel\n");
	root.events = dump_root.events;
	panic_epitaph.version++;
	assert_bad("--json", NULL, "of a newer version of Aerostat");
}

/* Who has a frame stands in an array that is not there. */
static void owner_beyond_the_dump_is_named(void **state)
{
	struct frame_map before = frame_map;

	(void)state;
	frame_map.owner_bytes = NULL;
	assert_bad("--pfn", "1", "damaged: ");
	/* A whole block has one for all its frames, elsewhere. */
	assert_prints("--pfn", "512", EXIT_REACHED, "Frame 0x200: balloon\n");
	frame_map = before;
}

/* ---- calls that fail ---- */

/* Does all that balloonctl does with a core, up to the first error. */
static int read_all(int fd, char error[CORE_ERROR_MAX])
{
	struct frame_dump_reader *frames;
	struct events_dump_reader *events;
	struct mem_figures all;
	struct core *core;
	char path[32];
	int err;

	snprintf(path, sizeof(path), "/dev/fd/%d", fd);
	err = core_open(path, &core, error);
	if (err)
		return err;
	err = frame_dump_open(core, &frames, error);
	if (!err) {
		err = frame_dump_figures(frames, &all, error);
		frame_dump_close(frames);
	}
	if (!err) {
		err = events_dump_open(core, &events, error);
		if (!err)
			events_dump_close(events);
	}
	core_close(core);
	return err;
}

/* `words` for an error, by its number; each failure is told, and nothing is left open. */
static void fail_each(enum failing kind, int err, const char *words)
{
	int fd = make_core(), before = lowest_fd(), is;
	char error[CORE_ERROR_MAX];
	const char *failed;
	unsigned n = 0;

	do {
		strcpy(error, "nothing");
		fail_nth(kind, ++n);
		is = read_all(fd, error);
		failed = failed_call();
		fail_nth(kind, 0);
		assert_int_equal(lowest_fd(), before);
		if (failed && !strcmp(failed, "elf_begin")) {
			assert_int_equal(is, -EINVAL);
			assert_int_equal(strncmp(error, "no ELF file: ", 13), 0);
		} else if (failed) {
			assert_int_equal(is, err);
			assert_says(error, words);
		}
	} while (failed);
	assert_int_equal(is, 0);
	assert_true(n > 3);
	close(fd);
}

static void short_memory_is_told(void **state)
{
	(void)state;
	fail_each(FAILING_MEMORY, -ENOMEM, "out of memory");
}

static void file_that_cannot_be_read_is_told(void **state)
{
	(void)state;
	fail_each(FAILING_CALLS, -EIO, "Input/output error");
}

static void interrupted_reading_goes_on(void **state)
{
	int fd = make_core();
	char error[CORE_ERROR_MAX];
	unsigned reads = 0;

	(void)state;
	for (unsigned n = 1; n < 100; n++) {
		int is;

		fail_with(EINTR);
		fail_nth(FAILING_CALLS, n);
		is = read_all(fd, error);
		if (!failed_call())
			break;
		if (strcmp(failed_call(), "pread") != 0)
			continue;
		assert_int_equal(is, 0);
		reads++;
	}
	fail_with(0);
	fail_nth(FAILING_CALLS, 0);
	assert_true(reads > 3);
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, fixture_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(figures_are_printed),
		TEST(figures_in_json_are_one_object),
		TEST(broken_ledger_has_a_status_of_its_own),
		TEST(frame_has_an_owner),
		TEST(frame_in_json_has_an_owner),
		TEST(damaged_parts_are_named),
		TEST(owner_beyond_the_dump_is_named),
		TEST(short_memory_is_told),
		TEST(file_that_cannot_be_read_is_told),
		TEST(interrupted_reading_goes_on),
	};

	return cmocka_run_group_tests_name("balloonctl/dump_shows", tests, NULL, NULL);
}
