/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/balloonctl/guest_qmp_hypervisor.c: a fake QEMU without a balloon, and a control block that
 * the test writes. What is read of it, what is written, and what is refused.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/hypervisor/control.h"
#include "tests/unit/tools/balloonctl/fake_qemu.h"
#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/guest.h"
#include "tools/deadline.h"

#define FRAME 4096ull
#define RAM (64 * MIB)
#define BLOCK_AT (2 * MIB)
#define FILE_SIZE (4 * MIB)
#define PATIENCE_MS 60000

static char path[] = "/tmp/aerostat-control-test-XXXXXX";
static char quoted[sizeof(path) + 2]; /* as JSON has it */
static struct hv_control_common *block;

/* What the fake says, which has no balloon of its own; the last places are a test's. */
static struct fake_answer answers[8];
static struct fake_qemu qemu;

static struct hv_control_common *map_block(int fd)
{
	void *map = mmap(NULL, sizeof(struct hv_control), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			 BLOCK_AT);

	assert_true(map != MAP_FAILED);
	return map;
}

static void fill_block(void)
{
	*block = (struct hv_control_common){ .magic = HV_CONTROL_MAGIC,
					     .version = HV_CONTROL_VERSION,
					     .page_size = HV_CONTROL_PAGE,
					     .personality = "vmware",
					     .ram_frames = RAM / FRAME,
					     .driver = HV_DRIVER_RUNS,
					     .reports = HV_NO_REPORTS };
}

static int setup(void **state)
{
	int fd;

	(void)state;
	strcpy(path + strlen(path) - 6, "XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, FILE_SIZE), 0);
	block = map_block(fd);
	close(fd);
	fill_block();
	snprintf(quoted, sizeof(quoted), "\"%s\"", path);
	memset(answers, 0, sizeof(answers));
	answers[0] = (struct fake_answer){ .asks = "\"qom-list\"", .value = "[]" };
	answers[1] = (struct fake_answer){ .asks = "hypervisor-ram\",\"property\":\"type\"",
					   .value = "\"memory-backend-file\"" };
	answers[2] = (struct fake_answer){ .asks = "hypervisor-ram\",\"property\":\"mem-path\"",
					   .value = quoted };
	answers[3] = (struct fake_answer){ .asks = "\"inject-nmi\"", .value = "{}" };
	qemu = (struct fake_qemu){ .no_device = true, .answers = answers };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	munmap(block, sizeof(struct hv_control));
	unlink(path);
	return 0;
}

struct fixture {
	struct fake_place place;
	struct guest *guest;
};

static struct fixture connect_guest(void)
{
	struct fixture f;
	char *error;

	fake_qemu_start(&qemu, &f.place);
	if (guest_open(f.place.path, deadline_in(PATIENCE_MS), &f.guest, &error))
		fail_msg("%s", error);
	return f;
}

static void done(struct fixture *f)
{
	guest_close(f->guest);
	fake_qemu_stop(&f->place);
}

static struct guest_state state_now(void)
{
	struct fixture f = connect_guest();
	struct guest_state state;

	if (guest_state(f.guest, &state))
		fail_msg("%s", guest_error(f.guest));
	done(&f);
	return state;
}

static void assert_state_fails(int err, const char *words)
{
	struct fixture f = connect_guest();
	struct guest_state state;

	assert_int_equal(guest_state(f.guest, &state), err);
	assert_says(guest_error(f.guest), words);
	done(&f);
}

static struct guest_stats stats_now(void)
{
	struct fixture f = connect_guest();
	struct guest_stats stats;

	if (guest_stats(f.guest, &stats))
		fail_msg("%s", guest_error(f.guest));
	done(&f);
	return stats;
}

/* ---- what is read ---- */

static void amounts_and_target_are_the_blocks(void **state)
{
	struct guest_state is;

	(void)state;
	block->ballooned = 3;
	block->target = 5;
	block->taken = 77; /* with spare ones, which nobody counts */
	is = state_now();
	assert_true(is.ram == RAM && is.base == RAM && is.dimms == 0);
	assert_true(is.taken == 3 * FRAME && is.left == RAM - 3 * FRAME);
	assert_true(is.has_target && is.target_left == RAM - 5 * FRAME);
	assert_false(is.lacks_balloon || is.has_features || is.paused);
	assert_string_equal(is.hypervisor, "vmware");
	assert_string_equal(is.complaint, "");
}

static void driver_is_there_or_not_or_unknown(void **state)
{
	struct guest_state is = state_now();

	(void)state;
	assert_true(is.has_driver && is.driver_ok);
	block->driver = HV_DRIVER_NONE;
	is = state_now();
	assert_true(is.has_driver && !is.driver_ok);
	block->driver = UINT64_MAX;
	is = state_now();
	assert_false(is.has_driver || is.driver_ok);
}

static void memory_that_was_added_and_dimms_are_the_guests_too(void **state)
{
	struct guest_state is;

	(void)state;
	block->added = 2;
	block->ballooned = 4;
	answers[4] = (struct fake_answer){
		.asks = "query-memory-devices",
		.value = "[{\"type\": \"dimm\", \"data\": {\"size\": 1048576}}]"
	};
	is = state_now();
	assert_true(is.base == RAM && is.dimms == MIB + 2 * FRAME);
	assert_true(is.ram == RAM + MIB + 2 * FRAME && is.taken == 4 * FRAME);
}

static void amounts_that_cannot_be_are_complained_of(void **state)
{
	static const uint64_t too_many[] = { RAM / FRAME + 1, 1ull << 52, UINT64_MAX };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct guest_state is;

		fill_block();
		block->ballooned = too_many[i];
		is = state_now();
		assert_true(is.taken == RAM && is.left == 0);
		assert_says(is.complaint, "more than all its memory");
		fill_block();
		block->target = too_many[i];
		is = state_now();
		assert_true(!is.has_target && is.taken == 0);
		assert_says(is.complaint, "the target is said to be more than all memory");
	}
	fill_block();
	block->ballooned = RAM / FRAME;
	block->target = RAM / FRAME;
	assert_string_equal(state_now().complaint, "");
}

static void a_ram_that_cannot_be_is_an_error(void **state)
{
	static const uint64_t wrong[] = { 0, 1ull << 50, UINT64_MAX };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		fill_block();
		block->ram_frames = wrong[i];
		assert_state_fails(-EPROTO, "makes no sense");
		fill_block();
		block->added = i ? wrong[i] : 1ull << 51;
		assert_state_fails(-EPROTO, "makes no sense");
	}
	fill_block();
	answers[4] = (struct fake_answer){
		.asks = "query-memory-devices",
		.value = "[{\"type\": \"dimm\", \"data\": {\"size\": 9223372035781033984}}]"
	};
	block->added = 1ull << 40;
	assert_state_fails(-EPROTO, "query-memory-devices");
}

static void a_name_has_letters_and_an_end(void **state)
{
	(void)state;
	memset(block->personality, 'x', sizeof(block->personality));
	assert_string_equal(state_now().hypervisor, "xxxxxxxxxxxxxxx");
	memcpy(block->personality, "v\033\377 \n", 6);
	assert_string_equal(state_now().hypervisor, "v????");
}

static void reports_have_an_age_by_the_hypervisors_clock(void **state)
{
	struct guest_stats stats;

	(void)state;
	block->reports = 7;
	block->available = 9;
	block->reported_100ns = 30000000;
	block->looked_100ns = 75000000;
	block->said = 11;
	stats = stats_now();
	assert_true(stats.way == STATS_UNASKED && stats.ever && stats.interval == 0);
	assert_true(stats.present == 1u << STAT_AVAILABLE_MEMORY);
	assert_true(stats.value[STAT_AVAILABLE_MEMORY] == 9 * FRAME);
	assert_true(stats.age == 4.5 && stats.update > 1600000000);
	assert_true(stats.has_pulse && stats.pulse == 11);
	/* A clock that goes backwards, and a count that cannot be. */
	block->looked_100ns = 1;
	block->available = UINT64_MAX;
	stats = stats_now();
	assert_true(stats.ever && stats.age == 0 && stats.present == 0);
	block->looked_100ns = UINT64_MAX;
	assert_true(stats_now().update == 0);
	block->reports = 0;
	stats = stats_now();
	assert_true(stats.way == STATS_UNASKED && !stats.ever && stats.present == 0);
}

static void a_balloon_without_reports_says_so(void **state)
{
	struct guest_stats stats;

	(void)state;
	block->available = 9;
	stats = stats_now();
	assert_true(stats.way == STATS_NEVER && !stats.ever && stats.present == 0);
	assert_true(stats.has_pulse);
}

/* ---- what is written ---- */

static void a_target_is_in_frames_and_the_bell_rings(void **state)
{
	struct fixture f = connect_guest();

	(void)state;
	assert_int_equal(guest_set_target(f.guest, RAM - 6 * FRAME), 0);
	assert_int_equal(block->target, 6);
	assert_int_equal(guest_set_target(f.guest, RAM), 0);
	assert_int_equal(block->target, 0);
	assert_int_equal(guest_set_target(f.guest, RAM + 1), -ERANGE);
	assert_int_equal(guest_set_target(f.guest, FRAME), 0);
	assert_int_equal(block->target, RAM / FRAME - 1);
	done(&f);
	/* A machine that cannot ring is told all the same; a lost connection is an error. */
	answers[3].error = "GenericError";
	f = connect_guest();
	assert_int_equal(guest_set_target(f.guest, RAM - 9 * FRAME), 0);
	assert_int_equal(block->target, 9);
	done(&f);
	answers[3].hang_up = true;
	f = connect_guest();
	assert_int_equal(guest_set_target(f.guest, RAM - 8 * FRAME), -ECONNRESET);
	done(&f);
}

static void a_dimm_is_left_by_every_target(void **state)
{
	struct fixture f;

	(void)state;
	answers[4] = (struct fake_answer){
		.asks = "query-memory-devices",
		.value = "[{\"type\": \"dimm\", \"data\": {\"size\": 1048576}}]"
	};
	block->added = 2;
	f = connect_guest();
	assert_int_equal(guest_set_target(f.guest, RAM + MIB), 0);
	assert_int_equal(block->target, 2);
	assert_int_equal(guest_set_target(f.guest, MIB / 2), 0);
	assert_int_equal(block->target, RAM / FRAME + 2);
	done(&f);
}

/* ---- commands ---- */

/* A guest beside the test: it gives what is wanted, up to `most` frames, and says something. */
static pid_t start_guest(uint64_t most)
{
	volatile struct hv_control_common *own = block;
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		own->ballooned = own->target < most ? own->target : most;
		own->said++;
		usleep(1000);
	}
}

static void end_guest(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void a_wait_ends_as_with_any_balloon(void **state)
{
	struct outcome outcome;
	pid_t pid = start_guest(RAM / FRAME - 100);

	(void)state;
	outcome = RUN_AGAINST(&qemu, "set", "48M", "--wait");
	assert_int_equal(outcome.status, EXIT_REACHED);
	assert_says(outcome.out, "Actual       48.00 MiB left   16.00 MiB taken");
	outcome = RUN_AGAINST(&qemu, "set", "1", "--wait", "--patience=1");
	assert_int_equal(outcome.status, EXIT_SHORTFALL);
	assert_says(outcome.err, "stays at 400.0 KiB left");
	end_guest(pid);
	block->driver = HV_DRIVER_NONE;
	outcome = RUN_AGAINST(&qemu, "set", "32M", "--wait", "--patience=1");
	assert_int_equal(outcome.status, EXIT_NO_DRIVER);
	outcome = RUN_AGAINST(&qemu, "set", "32M");
	assert_int_equal(outcome.status, EXIT_NO_DRIVER);
	block->driver = HV_DRIVER_RUNS;
	outcome = RUN_AGAINST(&qemu, "set", "40M", "--wait=1");
	assert_int_equal(outcome.status, EXIT_TIMEOUT);
	assert_says(outcome.err, "has not moved");
}

static void status_shows_the_kind_of_the_balloon(void **state)
{
	struct outcome outcome = RUN_AGAINST(&qemu, "status");

	(void)state;
	assert_int_equal(outcome.status, EXIT_REACHED);
	assert_says(outcome.out, "RAM          64.00 MiB\n");
	assert_says(outcome.out, "Balloon      of the hypervisor for tests, as vmware has it\n");
	assert_says(outcome.out, "Driver       in the guest\n");
	assert_says(outcome.out, "Statistics   none: this kind of balloon has none\n");
	outcome = RUN_AGAINST(&qemu, "status", "--json");
	assert_says(outcome.out, "\"driver\":true,\"hypervisor\":\"vmware\"");
	strcpy(block->personality, "hyperv");
	block->reports = 1;
	block->available = 1;
	outcome = RUN_AGAINST(&qemu, "status");
	assert_says(outcome.out, "0 s old, sent by the guest itself, which nobody asks\n");
	assert_says(outcome.out, "stat-available-memory");
}

static void what_makes_no_sense_is_refused_in_a_line(void **state)
{
	struct outcome outcome = RUN_AGAINST(&qemu, "grow", "16M");

	(void)state;
	assert_int_equal(outcome.status, EXIT_USAGE);
	assert_says(outcome.err, "a guest of vmware does not grow");
	outcome = RUN_AGAINST(&qemu, "stats", "--interval", "1");
	assert_int_equal(outcome.status, EXIT_USAGE);
	assert_says(outcome.err, "no statistics to be asked for");
	block->reports = 0;
	outcome = RUN_AGAINST(&qemu, "stats", "--interval", "1");
	assert_int_equal(outcome.status, EXIT_USAGE);
	assert_says(outcome.err, "sends statistics by itself");
}

/* Whoever does not look first is told, too. */
static void nobody_can_ask_for_statistics(void **state)
{
	struct fixture f = connect_guest();

	(void)state;
	assert_int_equal(guest_set_interval(f.guest, 1), -ENOTSUP);
	assert_says(guest_error(f.guest), "a guest of vmware cannot be asked");
	done(&f);
}

/* ---- what is refused ---- */

static void assert_refused(int status, const char *words)
{
	struct outcome outcome = RUN_AGAINST(&qemu, "status");

	assert_int_equal(outcome.status, status);
	assert_says(outcome.err, words);
	outcome = RUN_AGAINST(&qemu, "set", "32M");
	assert_int_equal(outcome.status, status);
	assert_says(outcome.err, words);
}

static void a_block_of_another_version_is_refused(void **state)
{
	char words[160];

	(void)state;
	block->version = HV_CONTROL_VERSION + 1;
	snprintf(words, sizeof(words),
		 "is of version %d with pages of 4096 bytes, and this balloonctl knows version %d",
		 HV_CONTROL_VERSION + 1, HV_CONTROL_VERSION);
	assert_refused(EXIT_NO_CONNECT, words);
	assert_int_equal(block->target, 0);
	fill_block();
	block->page_size = 65536;
	assert_refused(EXIT_NO_CONNECT, "with pages of 65536 bytes");
	assert_int_equal(block->target, 0);
}

static void memory_without_a_block_is_refused(void **state)
{
	(void)state;
	block->magic[3]++;
	assert_refused(EXIT_NO_CONNECT, "no control block in /tmp/");
	assert_int_equal(block->target, 0);
}

/* Only root can give a file away. */
static void memory_of_another_user_is_refused(void **state)
{
	(void)state;
	if (chown(path, 65534, (gid_t)-1))
		skip();
	assert_refused(EXIT_NO_CONNECT, "belongs to user 65534, not to us (user 0)");
	assert_int_equal(block->target, 0);
}

static void memory_that_is_not_there_is_refused(void **state)
{
	(void)state;
	answers[2].value = "\"/nowhere/at/all\"";
	assert_refused(EXIT_NO_CONNECT, "there is no such file");
	answers[2].value = "\"/dev/zero\"";
	assert_refused(EXIT_NO_CONNECT, "it is no file, or too small");
	answers[2].value = "\"/tmp\"";
	assert_refused(EXIT_NO_CONNECT, "Is a directory");
	answers[2].value = "7";
	assert_refused(EXIT_WRONG, "'qom-get mem-path' makes no sense");
}

static void memory_that_nobody_can_map_is_refused(void **state)
{
	(void)state;
	answers[1].value = "\"memory-backend-ram\"";
	assert_refused(EXIT_NO_CONNECT, "hypervisor-ram is a memory-backend-ram");
	answers[1].value = "7";
	assert_refused(EXIT_NO_CONNECT, "hypervisor-ram is a ,");
}

static void a_machine_without_that_memory_has_no_balloon(void **state)
{
	(void)state;
	answers[1].value = NULL;
	answers[1].error = "DeviceNotFound";
	assert_refused(EXIT_NO_DEVICE, "query-balloon");
	block->driver = HV_DRIVER_NO_BALLOON;
	answers[1].value = "\"memory-backend-file\"";
	answers[1].error = NULL;
	strcpy(block->personality, "plain");
	assert_refused(EXIT_NO_DEVICE, "its hypervisor, plain, none that balloonctl knows");
	*block->personality = '\0';
	assert_refused(EXIT_NO_DEVICE, "its hypervisor, without a name, none");
}

/* ---- memory without a name ---- */

static int make_memfd(const char *name, bool with_block)
{
	int fd = memfd_create(name, 0);
	struct hv_control_common *other;

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, FILE_SIZE), 0);
	if (!with_block)
		return fd;
	other = map_block(fd);
	*other = *block;
	other->ballooned = 21;
	munmap(other, sizeof(struct hv_control));
	return fd;
}

/* The fake inherits it, as QEMU makes it. */
static void a_memfd_of_qemus_is_found_by_its_block(void **state)
{
	int others, fd, wrong;

	(void)state;
	answers[1].value = "\"memory-backend-memfd\"";
	wrong = make_memfd("something-else", true);
	others = make_memfd("memory-backend-memfd", false);
	assert_refused(EXIT_NO_CONNECT, "no control block in QEMU's memory-backend-memfd (yet)");
	fd = make_memfd("memory-backend-memfd", true);
	assert_true(state_now().taken == 21 * FRAME);
	close(fd);
	close(others);
	close(wrong);
}

static void a_memfd_of_a_qemu_in_a_container_is_out_of_reach(void **state)
{
	struct fixture f;
	struct guest_state is;

	(void)state;
	answers[1].value = "\"memory-backend-memfd\"";
	qemu.elsewhere = true;
	f = connect_guest();
	if (f.place.is_elsewhere) {
		assert_int_equal(guest_state(f.guest, &is), -EPERM);
		assert_says(guest_error(f.guest), "cannot be reached from here");
	}
	done(&f);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(amounts_and_target_are_the_blocks),
		CASE(driver_is_there_or_not_or_unknown),
		CASE(memory_that_was_added_and_dimms_are_the_guests_too),
		CASE(amounts_that_cannot_be_are_complained_of),
		CASE(a_ram_that_cannot_be_is_an_error),
		CASE(a_name_has_letters_and_an_end),
		CASE(reports_have_an_age_by_the_hypervisors_clock),
		CASE(a_balloon_without_reports_says_so),
		CASE(a_target_is_in_frames_and_the_bell_rings),
		CASE(a_dimm_is_left_by_every_target),
		CASE(a_wait_ends_as_with_any_balloon),
		CASE(status_shows_the_kind_of_the_balloon),
		CASE(what_makes_no_sense_is_refused_in_a_line),
		CASE(nobody_can_ask_for_statistics),
		CASE(a_block_of_another_version_is_refused),
		CASE(memory_without_a_block_is_refused),
		CASE(memory_of_another_user_is_refused),
		CASE(memory_that_is_not_there_is_refused),
		CASE(memory_that_nobody_can_map_is_refused),
		CASE(a_machine_without_that_memory_has_no_balloon),
		CASE(a_memfd_of_qemus_is_found_by_its_block),
		CASE(a_memfd_of_a_qemu_in_a_container_is_out_of_reach),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
