/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that is moved: migrated into a second QEMU or to a file and back,
 * with the balloon inflated or moving, or a migration that is cancelled.
 * The memory that it holds, its ledger and its balloon must come through.
 *
 * Before version 10 QEMU loses writes of a guest that moves while it runs, under TCG:
 * such a guest is stopped first, and what needs one that runs is skipped.
 */
#include "tests/integration/harness.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tools/deadline.h"
#include "tools/vm_migrate.h"

#define POLL_US 20000
#define HINTING "free-page-hint=on,iothread=io0"
#define IOTHREAD "-object iothread,id=io0"
/* Bytes a second: a migration never ends, or ends at once. */
#define SLOW 65536
#define FAST (1 << 30)
#define RUNNING_MOVES_FROM 10 /* QEMU's version */

/* ---- Migration ---- */

static void begin_migration(struct vm *vm, const char *where)
{
	assert_int_equal(vm_migrate_begin(vm, where), 0);
}

static void wait_migration(struct vm *vm, const char *wanted)
{
	assert_int_equal(vm_migrate_wait(vm, wanted, VM_TIMEOUT_MS), 0);
}

static void set_bandwidth(struct vm *vm, int64_t bandwidth)
{
	assert_int_equal(vm_migrate_limit(vm, bandwidth), 0);
}

static void migrate_to(struct vm *vm, const char *where)
{
	begin_migration(vm, where);
	wait_migration(vm, "completed");
}

static bool may_run(struct vm *vm)
{
	return qmp_version(vm_qmp(vm)) >= RUNNING_MOVES_FROM;
}

/* To be called before the guest moves. */
static void need_running_move(struct vm *vm)
{
	if (may_run(vm))
		return;
	print_message("skipped: QEMU %u loses writes of a guest that moves while it runs; "
		      "QEMU %d or later is needed (make test-qemu-next)\n",
		      qmp_version(vm_qmp(vm)), RUNNING_MOVES_FROM);
	skip();
}

/* One that was stopped here goes on by resume_arrived(). */
static void leave(struct vm *vm, const char *where)
{
	if (!may_run(vm))
		harness_execute(vm, "stop");
	migrate_to(vm, where);
}

static void resume_arrived(struct vm *vm)
{
	wait_migration(vm, "completed");
	if (!may_run(vm))
		harness_execute(vm, "cont");
}

/* Another machine of the same kind, waiting for a state from `where`. */
static struct vm *start_incoming(const struct guest_options *guest, const char *where)
{
	struct guest_options target = *guest;
	char extra[128];
	struct vm *vm;

	snprintf(extra, sizeof(extra), "%s -incoming defer", guest->extra ? guest->extra : "");
	target.extra = extra;
	vm = harness_start(&target);
	assert_int_equal(vm_migrate_incoming(vm, where), 0);
	return vm;
}

/* A folder of our own, for a socket or a state. */
static void make_folder(char *folder, char *file, size_t size)
{
	assert_non_null(mkdtemp(folder));
	snprintf(file, size, "%s/state", folder);
}

static void remove_folder(const char *folder, const char *file)
{
	unlink(file);
	rmdir(folder);
}

/* ---- Hinting ---- */

/* Until the owner has memory, or has none any more. */
static void wait_hinted(struct vm *vm, bool wanted)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);
	char *text = harness_command(vm, "show_mem -j");

	assert_non_null(strstr(text, "\"hinted\":"));
	while (!strstr(text, "\"hinted\":0,") != wanted && deadline_left(deadline)) {
		usleep(POLL_US);
		free(text);
		text = harness_command(vm, "show_mem -j");
	}
	if (!strstr(text, "\"hinted\":0,") != wanted)
		fail_msg("%s: %s", wanted ? "nothing was hinted" : "still hinted", text);
	free(text);
}

/*
 * So slowly that the guest hints before the migration ends; then the guest is
 * stopped, as it would release in the next round what it hinted in this one.
 */
static void migrate_hinted_to(struct vm *vm, const char *where)
{
	set_bandwidth(vm, SLOW);
	begin_migration(vm, where);
	wait_hinted(vm, true);
	harness_execute(vm, "stop");
	set_bandwidth(vm, FAST);
	wait_migration(vm, "completed");
}

/* Filled and freed memory, a pattern that stays, and a balloon of `taken`. */
static struct vm *boot_used_guest(const struct guest_options *guest, uint64_t taken)
{
	struct vm *vm = harness_boot(guest);

	harness_command_says(vm, "hold 120M", "held ");
	harness_command_says(vm, "release all", "pattern intact");
	harness_command_says(vm, "hold 24M", "held ");
	harness_take(vm, taken);
	return vm;
}

/* Where it arrived, all is as it was, and the balloon goes on. */
static void check_arrived(struct vm *vm, uint64_t taken, bool deflate_on_oom)
{
	/* The balloon says so to QMP only once the state is loaded. */
	assert_int_equal(vm_wait_balloon(vm, (int64_t)(harness_ram(vm) - taken), VM_TIMEOUT_MS), 0);
	harness_check_taken(vm, taken, deflate_on_oom);
	harness_take(vm, 130 * MIB + 5 * FRAME);
	harness_check_taken(vm, 130 * MIB + 5 * FRAME, deflate_on_oom);
	harness_command_says(vm, "release all", "pattern intact");
	harness_take(vm, 0);
	harness_check_taken(vm, 0, deflate_on_oom);
	harness_command_says(vm, "hold 180M", "held ");
	harness_command_says(vm, "release all", "pattern intact");
	harness_command_says(vm, "audit", "Ledger: ok");
}

static void move_to_another_qemu(const struct guest_options *guest, bool deflate_on_oom)
{
	char folder[] = "/tmp/aerostat-move-XXXXXX", file[64], where[80];
	const uint64_t taken = 64 * MIB + 3 * FRAME;
	struct vm *from, *to;

	make_folder(folder, file, sizeof(file));
	snprintf(where, sizeof(where), "unix:%s", file);
	from = boot_used_guest(guest, taken);
	to = start_incoming(guest, where);
	leave(from, where);
	remove_folder(folder, file);
	resume_arrived(to);
	harness_stop(from);
	if (guest->extra && strstr(guest->extra, "iothread"))
		wait_hinted(to, false);
	check_arrived(to, taken, deflate_on_oom);
	harness_stop(to);
}

static void inflated_guest_moves_to_another_qemu(void **state)
{
	(void)state;
	move_to_another_qemu(&(struct guest_options){ .machine = "pc" }, false);
	move_to_another_qemu(&(struct guest_options){ .balloon = "deflate-on-oom=on,packed=on" },
			     true);
	move_to_another_qemu(&(struct guest_options){ .balloon = "free-page-reporting=on" }, false);
}

static void hinting_guest_moves_to_another_qemu(void **state)
{
	(void)state;
	move_to_another_qemu(&(struct guest_options){ .balloon = HINTING, .extra = IOTHREAD },
			     false);
}

/* DONE comes to both, once they run again. */
static void guest_that_stopped_after_hinting_releases_it_on_both_sides(void **state)
{
	const struct guest_options guest = { .balloon = HINTING, .extra = IOTHREAD };
	char folder[] = "/tmp/aerostat-move-XXXXXX", file[64], where[80];
	const uint64_t taken = 64 * MIB + 3 * FRAME;
	struct vm *from, *to;

	(void)state;
	from = boot_used_guest(&guest, taken);
	need_running_move(from);
	make_folder(folder, file, sizeof(file));
	snprintf(where, sizeof(where), "unix:%s", file);
	to = start_incoming(&guest, where);
	migrate_hinted_to(from, where);
	remove_folder(folder, file);
	wait_migration(to, "completed");
	harness_execute(to, "cont");
	wait_hinted(to, false);
	harness_execute(from, "cont");
	wait_hinted(from, false);
	harness_stop(from);
	check_arrived(to, taken, false);
	harness_stop(to);
}

static void inflated_guest_is_saved_and_restored(void **state)
{
	char folder[] = "/tmp/aerostat-save-XXXXXX", file[64], where[96];
	const uint64_t taken = 96 * MIB + FRAME;
	const struct guest_options guest = { .balloon = "deflate-on-oom=off" };
	struct vm *vm;

	(void)state;
	make_folder(folder, file, sizeof(file));
	vm = boot_used_guest(&guest, taken);
	snprintf(where, sizeof(where), "exec:cat > %s", file);
	leave(vm, where);
	harness_stop(vm);
	snprintf(where, sizeof(where), "exec:cat %s", file);
	vm = start_incoming(&guest, where);
	resume_arrived(vm);
	remove_folder(folder, file);
	check_arrived(vm, taken, false);
	harness_stop(vm);
}

/* So slowly that it cannot end before it is cancelled. */
static void cancelled_migration_leaves_nothing_hinted(void **state)
{
	struct vm *vm = boot_used_guest(
		&(struct guest_options){ .balloon = HINTING, .extra = IOTHREAD }, 32 * MIB);

	(void)state;
	set_bandwidth(vm, SLOW);
	for (int i = 0; i < 3; i++) {
		begin_migration(vm, "exec:cat > /dev/null");
		wait_hinted(vm, true);
		harness_command_says(vm, "audit", "Ledger: ok");
		harness_execute(vm, "migrate_cancel");
		wait_migration(vm, "cancelled");
		wait_hinted(vm, false);
		harness_check_taken(vm, 32 * MIB, false);
	}
	harness_take(vm, 100 * MIB);
	harness_command_says(vm, "release all", "pattern intact");
	harness_stop(vm);
}

/* In milliseconds: so short that a busy guest's move does not end, or long on any machine. */
static void allow_pause(struct vm *vm, int ms)
{
	assert_int_equal(vm_migrate_limit_pause(vm, ms), 0);
}

/* What a migration has done by now: how often it has asked for dirty pages, and bytes sent. */
struct progress {
	int64_t syncs, bytes;
};

static struct progress wait_syncs(struct vm *vm, int64_t wanted)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);
	struct progress progress = { 0 };

	while (progress.syncs < wanted) {
		struct json_object *reply = NULL, *ram, *number;

		if (!deadline_left(deadline))
			fail_msg("round %jd of the migration does not come", (intmax_t)wanted);
		assert_qmp(vm, qmp_execute(vm_qmp(vm), "query-migrate", NULL, &reply));
		if (json_object_object_get_ex(reply, "ram", &ram)) {
			assert_true(json_object_object_get_ex(ram, "dirty-sync-count", &number));
			progress.syncs = json_object_get_int64(number);
			assert_true(json_object_object_get_ex(ram, "transferred", &number));
			progress.bytes = json_object_get_int64(number);
		}
		json_object_put(reply);
		usleep(POLL_US);
	}
	return progress;
}

/* Rounds that follow the first send what is busy, and not what was hinted: no poison is there. */
static void check_rounds(struct vm *vm)
{
	struct progress first, last;
	int64_t most;

	first = wait_syncs(vm, 2);
	last = wait_syncs(vm, first.syncs + 4);
	most = (last.syncs - first.syncs + 1) * (int64_t)(64 * MIB);
	if (last.bytes - first.bytes > most)
		fail_msg("%jd bytes in %jd rounds, at most %jd were dirty",
			 (intmax_t)(last.bytes - first.bytes), (intmax_t)(last.syncs - first.syncs),
			 (intmax_t)most);
}

static void busy_guest_moves_with_hints_and_poison(void **state)
{
	const struct guest_options guest = {
		.mem = "1G", .append = "poison=a5", .balloon = HINTING, .extra = IOTHREAD
	};
	char folder[] = "/tmp/aerostat-move-XXXXXX", file[64], where[80];
	struct vm *from, *to;

	(void)state;
	from = harness_boot(&guest);
	need_running_move(from);
	make_folder(folder, file, sizeof(file));
	snprintf(where, sizeof(where), "unix:%s", file);
	harness_command_says(from, "balloon", "PAGE_POISON");
	harness_command_says(from, "hold 24M", "held ");
	harness_command_says(from, "hold 24M busy", "held ");
	to = start_incoming(&guest, where);
	set_bandwidth(from, FAST / 4);
	allow_pause(from, 1);
	begin_migration(from, where);
	check_rounds(from);
	allow_pause(from, 2000);
	wait_migration(from, "completed");
	remove_folder(folder, file);
	wait_migration(to, "completed");
	harness_stop(from);
	wait_hinted(to, false);
	harness_command_says(to, "held", "rewritten");
	harness_command_says(to, "release all", "pattern intact");
	harness_command_says(to, "hold 900M 9", "held ");
	harness_command_says(to, "release all", "pattern intact");
	harness_command_says(to, "audit", "Ledger: ok");
	harness_stop(to);
}

/* ---- While the balloon moves ---- */

/*
 * On the way from `begin` to `end`: the target is sent and the migration
 * begins at once, so that it ends somewhere on the way or after it. The other side
 * finds the target in the device, and does the rest of the work.
 */
static void move_in_mid_move(const struct guest_options *guest, uint64_t begin, uint64_t end)
{
	char folder[] = "/tmp/aerostat-move-XXXXXX", file[64], where[80];
	struct vm *from, *to;

	make_folder(folder, file, sizeof(file));
	snprintf(where, sizeof(where), "unix:%s", file);
	from = boot_used_guest(guest, begin);
	to = start_incoming(guest, where);
	harness_set_target(from, end);
	leave(from, where);
	remove_folder(folder, file);
	resume_arrived(to);
	harness_stop(from);
	check_arrived(to, end, false);
	harness_stop(to);
}

static void guest_moves_while_it_inflates_and_deflates(void **state)
{
	const uint64_t large = 1536 * MIB + FRAME, small = 3 * FRAME;

	(void)state;
	move_in_mid_move(&(struct guest_options){ .mem = "2G" }, small, large);
	move_in_mid_move(&(struct guest_options){ .mem = "2G", .balloon = "packed=on" }, large,
			 small);
}

/*
 * Stopped on the way, so that work is left for the other side for certain:
 * the state that moves is that of the middle.
 */
static void move_stopped_on_the_way(uint64_t begin, uint64_t end)
{
	const struct guest_options guest = { .mem = "2G" };
	char folder[] = "/tmp/aerostat-move-XXXXXX", file[64], where[80];
	struct vm *from, *to;

	make_folder(folder, file, sizeof(file));
	snprintf(where, sizeof(where), "unix:%s", file);
	from = boot_used_guest(&guest, begin);
	to = start_incoming(&guest, where);
	harness_stop_on_the_way(from, begin, end);
	migrate_to(from, where);
	remove_folder(folder, file);
	wait_migration(to, "completed");
	harness_stop(from);
	harness_execute(to, "cont");
	check_arrived(to, end, false);
	harness_stop(to);
}

static void guest_that_stopped_on_the_way_goes_on_in_another_qemu(void **state)
{
	(void)state;
	move_stopped_on_the_way(3 * FRAME, 1536 * MIB + FRAME);
	move_stopped_on_the_way(1536 * MIB + FRAME, 3 * FRAME);
}

int move_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(inflated_guest_moves_to_another_qemu),
		TEST(hinting_guest_moves_to_another_qemu),
		TEST(guest_that_stopped_after_hinting_releases_it_on_both_sides),
		TEST(inflated_guest_is_saved_and_restored),
		TEST(cancelled_migration_leaves_nothing_hinted),
		TEST(busy_guest_moves_with_hints_and_poison),
		TEST(guest_moves_while_it_inflates_and_deflates),
		TEST(guest_that_stopped_on_the_way_goes_on_in_another_qemu),
	};

	return cmocka_run_group_tests_name("move", tests, NULL, NULL);
}
