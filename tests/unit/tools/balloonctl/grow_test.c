/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * balloonctl grow and shrink, and how set and its wait get on with virtio-mem, against a fake
 * QEMU: what is said, what is sent, and the exit statuses.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/schema/assert_fits.h"
#include "tests/unit/tools/balloonctl/fake_qemu.h"
#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/guest.h"

#define GIB (1024 * MIB)
#define ONE_MEM(...) \
	.mems = (const struct fake_mem[]){ { .id = "m0", \
					     .block = 2 * MIB, \
					     .region = 4 * GIB, \
					     __VA_ARGS__ } }, \
	.nr_mems = 1

/* A guest of 1 GiB, with 1 GiB plugged and 256 MiB in the balloon. */
#define PLUGGED .requested = GIB, .plugged = GIB
static const struct fake_qemu grown = { ONE_MEM(PLUGGED), .left_before = 768 * MIB };

static void assert_done(struct outcome got, int status, const char *out, const char *err)
{
	if (got.status != status)
		fail_msg("status %d, not %d: %s%s", got.status, status, got.out, got.err);
	assert_says(got.out, out);
	if (*err)
		assert_says(got.err, err);
	else
		assert_string_equal(got.err, "");
}

static void assert_refused(struct outcome got, int status, const char *words)
{
	assert_done(got, status, "", words);
	assert_string_equal(got.out, "");
	/* One complaint. */
	assert_true(strchr(got.err, '\n') == got.err + strlen(got.err) - 1);
}

static void growth_is_the_balloons_first(void **state)
{
	struct outcome got = RUN_AGAINST(&grown, "grow", "128M");

	(void)state;
	assert_done(got, EXIT_REACHED, "Actual       1.875 GiB left   128.0 MiB taken", "");
	assert_says(got.out, "Grown        1.000 GiB plugged   1.000 GiB requested of m0");
	got = RUN_AGAINST(&grown, "grow", "512M");
	assert_done(got, EXIT_REACHED, "Actual       2.250 GiB left       0 B taken", "");
	assert_says(got.out, "Grown        1.250 GiB plugged   1.250 GiB requested of m0");
	got = RUN_AGAINST(&grown, "grow", "--to", "5G", "--wait");
	assert_done(got, EXIT_REACHED, "Actual       5.000 GiB left       0 B taken", "");
	got = RUN_AGAINST(&grown, "grow", "--to=5G");
	assert_done(got, EXIT_REACHED, "4.000 GiB plugged", "");
}

static void shrinking_is_the_blocks_first(void **state)
{
	struct outcome got = RUN_AGAINST(&grown, "shrink", "512M", "--wait");

	(void)state;
	assert_done(got, EXIT_REACHED, "Actual       1.250 GiB left   256.0 MiB taken", "");
	assert_says(got.out, "Grown        512.0 MiB plugged   512.0 MiB requested of m0");
	got = RUN_AGAINST(&grown, "shrink", "--to", "512M", "--wait");
	assert_done(got, EXIT_REACHED, "Actual       512.0 MiB left   512.0 MiB taken", "");
	assert_says(got.out, "Grown            0 B plugged       0 B requested of m0");
}

/* The means that comes first is told first: of the two one may fail. */
static void order_is_that_of_the_plan(void **state)
{
	const struct fake_qemu no_request = {
		ONE_MEM(PLUGGED),
		.answers = (const struct fake_answer[]){ { .asks = "requested-size",
							   .error = "GenericError" },
							 { .asks = NULL } },
	};
	const struct fake_qemu no_target = {
		ONE_MEM(PLUGGED),
		.answers =
			(const struct fake_answer[]){
				{ .asks = "\"balloon\"", .times = 1, .error = "GenericError" },
				{ .asks = "requested-size", .hang_up = true },
				{ .asks = NULL } },
	};

	(void)state;
	assert_refused(RUN_AGAINST(&no_request, "grow", "2M"), EXIT_WRONG, "qom-set");
	assert_refused(RUN_AGAINST(&no_target, "grow", "2M"), EXIT_WRONG, "balloon");
	assert_refused(RUN_AGAINST(&no_target, "shrink", "2M"), EXIT_NO_CONNECT,
		       "closed the connection");
}

/* What the first step has asked for is not taken back when the second fails. */
static void half_a_plan_is_told(void **state)
{
	const struct fake_qemu no_request = {
		ONE_MEM(PLUGGED),
		.left_before = 768 * MIB,
		.answers = (const struct fake_answer[]){ { .asks = "requested-size",
							   .error = "GenericError" },
							 { .asks = NULL } },
	};
	const struct fake_qemu no_target = {
		ONE_MEM(PLUGGED),
		.answers = (const struct fake_answer[]){ { .asks = "\"balloon\"", .hang_up = true },
							 { .asks = NULL } },
	};

	(void)state;
	assert_refused(RUN_AGAINST(&no_request, "grow", "512M"), EXIT_WRONG,
		       "'qom-set': no; the balloon's target of 2.000 GiB left stands");
	assert_refused(RUN_AGAINST(&no_target, "shrink", "1536M"), EXIT_NO_CONNECT,
		       "; that m0 has 0 B plugged stays requested");
}

/* A device that is as it should be is not asked: it might be refused. */
static void request_that_is_followed_is_not_repeated(void **state)
{
	const struct fake_qemu qemu = {
		ONE_MEM(PLUGGED),
		.left_before = 768 * MIB,
		.answers = (const struct fake_answer[]){ { .asks = "requested-size",
							   .error = "GenericError" },
							 { .asks = NULL } },
	};
	const struct fake_qemu old_request = { ONE_MEM(.requested = 2 * GIB, .plugged = GIB,
						       .no_driver = true),
					       .left_before = 768 * MIB };

	(void)state;
	assert_done(RUN_AGAINST(&qemu, "grow", "128M", "--wait"), EXIT_REACHED,
		    "Actual       1.875 GiB left   128.0 MiB taken", "");
	assert_done(RUN_AGAINST(&old_request, "grow", "128M"), EXIT_REACHED,
		    "1.000 GiB plugged   1.000 GiB requested of m0", "");
}

static void sizes_that_cannot_be_are_refused_with_those_that_can(void **state)
{
	(void)state;
	assert_refused(
		RUN_AGAINST(&grown, "grow", "257M"), EXIT_USAGE,
		"'257M' cannot be made of the blocks of m0, which have 2M; possible: 256M or "
		"258M");
	assert_refused(RUN_AGAINST(&grown, "grow", "--to", "2049M"), EXIT_USAGE,
		       "possible: --to 2G or --to 2050M");
	assert_refused(RUN_AGAINST(&grown, "shrink", "1M"), EXIT_USAGE, "possible: 2M\n");
	assert_refused(RUN_AGAINST(&grown, "grow", "4G"), EXIT_USAGE,
		       "'4G' is too much: m0 has 1.000 GiB plugged of 4.000 GiB, and the balloon "
		       "holds 256.0 MiB; possible: grow 3328M");
	assert_refused(RUN_AGAINST(&grown, "grow", "--to", "6G"), EXIT_USAGE,
		       "possible: grow --to 5G");
	assert_refused(RUN_AGAINST(&grown, "shrink", "8G"), EXIT_USAGE,
		       "possible: shrink 1835004K");
	assert_refused(RUN_AGAINST(&grown, "shrink", "--to", "1"), EXIT_USAGE,
		       "'1' is too little: m0 has");
	assert_refused(RUN_AGAINST(&grown, "grow", "--to", "1G"), EXIT_USAGE,
		       "`balloonctl shrink --to 1G` is what you want");
	assert_refused(RUN_AGAINST(&grown, "shrink", "--to", "3G"), EXIT_USAGE,
		       "'3G' is more than the guest has now, 1.750 GiB: `balloonctl grow --to 3G`");
}

static void size_that_changes_nothing_is_refused(void **state)
{
	const struct fake_qemu qemu = { ONE_MEM(.requested = 0), .left_before = 768 * MIB };

	(void)state;
	assert_refused(RUN_AGAINST(&qemu, "shrink", "1", "--wait"), EXIT_USAGE,
		       "'1' would change nothing by the balloon's pages; possible: 4K\n");
	assert_refused(RUN_AGAINST(&qemu, "shrink", "--to", "805306367", "--wait"), EXIT_USAGE,
		       "possible: --to 786428K or --to 768M\n");
	assert_done(RUN_AGAINST(&qemu, "shrink", "4K", "--wait"), EXIT_REACHED, "Actual", "");
}

static void arguments_are_checked_before_a_guest_is_asked(void **state)
{
	static const char *const words[][4] = {
		{ "grow", NULL, NULL, "one size is wanted, as in `balloonctl grow 512M`" },
		{ "grow", "1G", "1G", "one size is wanted" },
		{ "shrink", "--to=1G", "1G", "one size is wanted" },
		{ "shrink", "--to", NULL, "one size is wanted, as in `balloonctl shrink 512M`" },
		{ "grow", "lots", NULL, "'lots' is no size" },
		{ "grow", "+1G", NULL, "'+1G' is no size" },
		{ "grow", "0", NULL, "'0' is nothing" },
		{ "grow", "9999999T", NULL, "'9999999T' is more than any guest has" },
		{ "grow", "1G", "--patience=3", "--patience goes with --wait" },
		{ "grow", "1G", "--wait=soon", "--wait=soon: whole seconds are wanted" },
		{ "grow", "1G", "--wait=0", "--wait=0: whole seconds are wanted" },
		{ "grow", "1G", "--device", "--device wants a value" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct outcome got = run_command("/nonexistent/x.qmp", words[i][0], words[i][1],
						 words[i][1] ? words[i][2] : NULL, NULL);

		assert_refused(got, EXIT_USAGE, words[i][3]);
	}
}

static void device_is_chosen(void **state)
{
	static const struct fake_mem mems[] = {
		{ .id = "m0",
		  .block = 2 * MIB,
		  .region = GIB,
		  .plugged = 2 * MIB,
		  .requested = 2 * MIB },
		{ .id = "m1", .block = 4 * MIB, .region = GIB },
	};
	const struct fake_qemu two = { .mems = mems, .nr_mems = 2 };
	const struct fake_qemu none = { .left_before = 768 * MIB };
	struct outcome got;

	(void)state;
	assert_refused(RUN_AGAINST(&two, "grow", "8M"), EXIT_USAGE,
		       "several virtio-mem devices: say which by --device=ID, one of m0, m1");
	assert_refused(RUN_AGAINST(&two, "grow", "8M", "--device=m2"), EXIT_USAGE,
		       "no virtio-mem device 'm2': it has m0, m1");
	got = RUN_AGAINST(&two, "grow", "8M", "--device=m1", "--wait");
	assert_done(got, EXIT_REACHED, "Actual       1.010 GiB left", "");
	assert_says(got.out, "8.000 MiB requested of m1");
	assert_refused(RUN_AGAINST(&two, "grow", "6M", "--device", "m1"), EXIT_USAGE,
		       "blocks of m1, which have 4M");
	assert_refused(RUN_AGAINST(&none, "grow", "1G"), EXIT_NO_DEVICE,
		       "no virtio-mem device to grow by; its balloon can give back by `balloonctl "
		       "give 256M`");
	assert_refused(RUN_AGAINST(&none, "shrink", "1G"), EXIT_NO_DEVICE,
		       "no virtio-mem device to shrink by; its balloon takes memory by");
	assert_refused(RUN_AGAINST(&(struct fake_qemu){ 0 }, "grow", "1G"), EXIT_NO_DEVICE,
		       "its balloon holds nothing that it could give back");
	assert_refused(RUN_AGAINST(&(struct fake_qemu){ .no_device = true }, "grow", "1G"),
		       EXIT_NO_DEVICE, "no virtio-mem device to grow by\n");
}

/* One that is not listed is there, for all that we know. */
static void device_beyond_the_list_is_not_denied(void **state)
{
	struct fake_mem mems[GUEST_MEM_DEVICES + 1];
	char names[GUEST_MEM_DEVICES + 1][8];
	struct fake_qemu qemu = { .mems = mems, .nr_mems = GUEST_MEM_DEVICES + 1 };

	(void)state;
	for (size_t i = 0; i <= GUEST_MEM_DEVICES; i++) {
		snprintf(names[i], sizeof(names[i]), "m%zu", i);
		mems[i] = (struct fake_mem){ .id = names[i], .block = MIB, .region = MIB };
	}
	assert_refused(RUN_AGAINST(&qemu, "grow", "1M", "--device=m16"), EXIT_USAGE,
		       "no virtio-mem device 'm16' among those that balloonctl lists: m0, m1, m2, "
		       "m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15\n");
	qemu.nr_mems--;
	assert_refused(RUN_AGAINST(&qemu, "grow", "1M", "--device=m16"), EXIT_USAGE,
		       "no virtio-mem device 'm16': it has m0, m1, m2, ");
}

/* Only a device that makes no sense is there: nothing is asked of it. */
static void device_that_cannot_be_is_complained_of(void **state)
{
	const struct fake_qemu odd = { ONE_MEM(.plugged = 3, .no_driver = true) };

	(void)state;
	assert_refused(RUN_AGAINST(&odd, "grow", "1G"), EXIT_WRONG, "m0 makes no sense");
}

static void json_has_the_same(void **state)
{
	struct outcome got = RUN_AGAINST(&grown, "grow", "512M", "--json", "--wait=50");

	(void)state;
	assert_fits("balloonctl-set", got.out);
	assert_done(got, EXIT_REACHED, "\"status\":0,\"outcome\":\"reached\"", "");
	assert_says(got.out, "\"left\":2415919104");
	got = RUN_AGAINST(&grown, "shrink", "512M", "--json");
	assert_says(got.out, "\"outcome\":\"set\"");
}

/* ---- those that do not do it ---- */

static void request_that_nobody_sees_is_told(void **state)
{
	const struct fake_qemu no_driver = { ONE_MEM(.no_driver = true) };
	const struct fake_qemu old = { ONE_MEM(.no_driver = true), .old = true };
	const struct fake_qemu panicked = { ONE_MEM(.no_driver = true), .panicked = true };
	const struct fake_qemu no_balloon_driver = { ONE_MEM(PLUGGED), .no_driver = true,
						     .left_before = 768 * MIB,
						     .lefts = (const int64_t[]){ 768 * MIB },
						     .nr_lefts = 1 };

	(void)state;
	assert_done(RUN_AGAINST(&no_driver, "grow", "2M"), EXIT_NO_DRIVER,
		    "2.000 MiB requested of m0",
		    "m0 has its request, but no driver runs it in the guest");
	assert_done(RUN_AGAINST(&no_driver, "grow", "2M", "--wait", "--patience=1"), EXIT_NO_DRIVER,
		    "", "no driver runs m0 in the guest");
	assert_done(RUN_AGAINST(&no_driver, "grow", "2M", "--wait=5"), EXIT_NO_DRIVER, "",
		    "no driver runs m0 in the guest");
	assert_done(RUN_AGAINST(&old, "grow", "2M"), EXIT_REACHED, "2.000 MiB requested", "");
	assert_done(RUN_AGAINST(&panicked, "grow", "2M"), EXIT_TIMEOUT, "",
		    "the guest has panicked");
	assert_done(RUN_AGAINST(&no_balloon_driver, "grow", "2M"), EXIT_NO_DRIVER, "",
		    "it is requested, but no balloon driver runs in the guest");
	/* Nothing is left to do for one. */
	assert_done(RUN_AGAINST(&no_driver, "shrink", "2M", "--wait"), EXIT_REACHED, "", "");
}

/* A balloon that has moved says nothing of the device's driver. */
static void driver_of_the_device_is_looked_for_though_the_balloon_moved(void **state)
{
	static const int64_t lefts[] = { 768 * MIB, 900 * MIB, GIB };
	const struct fake_qemu qemu = { ONE_MEM(.no_driver = true), .lives = true,
					.left_before = 768 * MIB, .lefts = lefts, .nr_lefts = 3 };

	(void)state;
	assert_done(RUN_AGAINST(&qemu, "grow", "512M", "--wait", "--patience=1"), EXIT_NO_DRIVER,
		    "Actual       1.000 GiB left", "no driver runs m0 in the guest");
	assert_done(RUN_AGAINST(&qemu, "grow", "512M", "--wait=5"), EXIT_NO_DRIVER, "",
		    "no driver runs m0 in the guest");
}

static void guest_that_stays_short_is_asked_whether_it_lives(void **state)
{
	const struct fake_qemu lives = { ONE_MEM(PLUGGED, .least = 512 * MIB), .lives = true };
	const struct fake_qemu silent = { ONE_MEM(PLUGGED, .least = GIB) };
	const struct fake_qemu no_balloon = { ONE_MEM(PLUGGED, .least = GIB), .no_device = true };
	const struct fake_qemu moved = { ONE_MEM(PLUGGED, .least = 512 * MIB, .step = 256 * MIB),
					 .no_device = true };
	struct outcome got;

	(void)state;
	got = RUN_AGAINST(&lives, "shrink", "1G", "--wait", "--patience=1");
	assert_done(
		got, EXIT_SHORTFALL, "Grown        512.0 MiB plugged",
		"shortfall of 512.0 MiB: nothing has moved for 1 s, the guest stays at 1.500 GiB "
		"left; m0 has 512.0 MiB plugged, and 0 B are requested");
	got = RUN_AGAINST(&silent, "shrink", "1G", "--wait", "--patience=1");
	assert_done(
		got, EXIT_TIMEOUT, "",
		"no sign of life: nothing has moved for 1 s, and the guest does not answer when "
		"asked for statistics; the guest last reported 2.000 GiB left; m0 has 1.000 GiB");
	got = RUN_AGAINST(&no_balloon, "shrink", "1G", "--wait", "--patience=1");
	assert_done(got, EXIT_TIMEOUT, "Grown", "a guest without a balloon cannot be asked");
	got = RUN_AGAINST(&moved, "shrink", "1G", "--wait", "--patience=1");
	assert_done(got, EXIT_SHORTFALL, "", "shortfall of 512.0 MiB");
	got = RUN_AGAINST(&silent, "shrink", "1G", "--wait=1");
	assert_done(got, EXIT_TIMEOUT, "", "time is up after 1 s, and the guest has not moved");
}

/* QEMU from 11 on does not tell of drivers, and no other sign is one that there is none. */
static void shortfall_does_not_claim_a_driver_that_cannot_be_seen(void **state)
{
	static const char unknown[] = "(whether it has a driver, this QEMU does not tell)";
	const struct fake_qemu old = { ONE_MEM(.no_driver = true), .old = true, .lives = true };
	const struct fake_qemu moved = { ONE_MEM(PLUGGED, .least = 512 * MIB, .step = 256 * MIB),
					 .old = true, .lives = true };
	struct outcome got;

	(void)state;
	assert_done(RUN_AGAINST(&old, "grow", "2M", "--wait", "--patience=1"), EXIT_SHORTFALL,
		    "2.000 MiB requested of m0", unknown);
	got = RUN_AGAINST(&moved, "shrink", "1G", "--wait", "--patience=1");
	assert_done(got, EXIT_SHORTFALL, "", "shortfall of 512.0 MiB");
	assert_null(strstr(got.err, unknown));
	assert_says(run_command(NULL, "grow", "--help", NULL).out, "as far as QEMU tells");
}

static struct outcome grow_while(const char *migration, bool paused)
{
	const struct fake_qemu qemu = {
		ONE_MEM(.most = 4 * MIB, .step = 2 * MIB),
		.lives = true,
		.paused = paused,
		.answers = (const struct fake_answer[]){ { .asks = "\"query-migrate\"",
							   .value = migration },
							 { .asks = NULL } },
	};

	return RUN_AGAINST(&qemu, "grow", "8M", "--wait", "--patience=1");
}

/* Until it is over QEMU lets no device plug anything: the guest cannot help that. */
static void migration_is_no_shortfall(void **state)
{
	(void)state;
	assert_done(
		grow_while("{\"status\": \"active\", \"ram\": {}}", false), EXIT_TIMEOUT,
		"Grown        4.000 MiB plugged",
		"QEMU moves the guest, and requests wait until that is over: 1.004 GiB left; m0 "
		"has 4.000 MiB plugged, and 8.000 MiB are requested");
	assert_done(grow_while("{\"status\": \"postcopy-active\"}", false), EXIT_TIMEOUT, "",
		    "QEMU moves the guest");
	assert_done(grow_while("{}", false), EXIT_SHORTFALL, "", "shortfall of 4.000 MiB");
	assert_done(grow_while("{\"status\": \"failed\"}", false), EXIT_SHORTFALL, "",
		    "shortfall of 4.000 MiB");
	assert_done(grow_while("{\"status\": \"completed\"}", true), EXIT_TIMEOUT, "",
		    "the guest is paused");
}

/* A QEMU that does not tell is asked no more, and one that is gone is. */
static void question_for_a_migration_may_fail(void **state)
{
	const struct fake_qemu gone = {
		ONE_MEM(.most = 4 * MIB),
		.lives = true,
		.answers = (const struct fake_answer[]){ { .asks = "\"query-migrate\"",
							   .hang_up = true },
							 { .asks = NULL } },
	};

	(void)state;
	assert_done(grow_while(NULL, false), EXIT_SHORTFALL, "", "shortfall of 4.000 MiB");
	assert_done(RUN_AGAINST(&gone, "grow", "8M", "--wait", "--patience=1"), EXIT_NO_CONNECT, "",
		    "closed the connection");
}

static void guest_without_a_balloon_grows_and_shrinks(void **state)
{
	const struct fake_qemu qemu = { ONE_MEM(PLUGGED), .no_device = true };

	(void)state;
	assert_done(RUN_AGAINST(&qemu, "grow", "1G", "--wait"), EXIT_REACHED,
		    "Grown        2.000 GiB plugged", "");
	assert_done(RUN_AGAINST(&qemu, "shrink", "--to", "1G", "--wait"), EXIT_REACHED,
		    "Grown            0 B plugged", "");
	assert_refused(RUN_AGAINST(&qemu, "shrink", "2G"), EXIT_USAGE,
		       "and there is no balloon; possible: shrink 1G");
}

static void request_of_somebody_else_ends_the_wait(void **state)
{
#define OTHER(size) \
	"[{\"type\": \"virtio-mem\", \"data\": {\"id\": \"m0\", \"block-size\": 2097152, " \
	"\"size\": 0, \"max-size\": 4294967296, \"requested-size\": " size "}}]"
	const struct fake_qemu changed = {
		ONE_MEM(.no_driver = true),
		.answers = (const struct fake_answer[]){ { .asks = "query-memory-devices",
							   .times = 3,
							   .value = OTHER("2097152") },
							 { .asks = "query-memory-devices",
							   .value = OTHER("4194304") },
							 { .asks = NULL } },
	};
	const struct fake_qemu gone = {
		ONE_MEM(.no_driver = true),
		.answers = (const struct fake_answer[]){ { .asks = "query-memory-devices",
							   .times = 3,
							   .value = OTHER("2097152") },
							 { .asks = "query-memory-devices",
							   .value = "[]" },
							 { .asks = NULL } },
	};

	(void)state;
	assert_done(RUN_AGAINST(&changed, "grow", "2M", "--wait"), EXIT_WRONG, "",
		    "somebody else has set another target meanwhile");
	assert_done(RUN_AGAINST(&gone, "grow", "2M", "--wait"), EXIT_WRONG, "",
		    "the device m0 is no longer in the machine");
}

/* ---- set, take and give beside it ---- */

static void amounts_of_set_are_of_the_whole(void **state)
{
	(void)state;
	assert_done(RUN_AGAINST(&grown, "set", "1.5G", "--wait"), EXIT_REACHED,
		    "Actual       1.500 GiB left   512.0 MiB taken", "");
	assert_done(RUN_AGAINST(&grown, "take", "512M", "--wait"), EXIT_REACHED,
		    "Actual       1.500 GiB left   512.0 MiB taken", "");
	assert_done(RUN_AGAINST(&grown, "give", "--all", "--wait"), EXIT_REACHED,
		    "Actual       2.000 GiB left       0 B taken", "");
	assert_done(RUN_AGAINST(&grown, "take", "--all"), EXIT_REACHED,
		    "Actual       1.000 GiB left   1.000 GiB taken", "");
}

static void balloon_cannot_take_what_is_grown(void **state)
{
	(void)state;
	assert_refused(RUN_AGAINST(&grown, "set", "1G"), EXIT_USAGE,
		       "'1G' is too little to leave: 1.000 GiB of the guest's memory are plugged");
	assert_refused(RUN_AGAINST(&grown, "take", "1.5G"), EXIT_USAGE,
		       "'1.5G' is too much to take: 1.000 GiB of");
	assert_refused(
		RUN_AGAINST(&grown, "set", "4096"), EXIT_USAGE,
		"only `balloonctl shrink` gives back; its balloon can take the other 1.000 GiB");
	assert_done(RUN_AGAINST(&grown, "set", "1048580K"), EXIT_REACHED, "taken", "");
}

/* A guest that plugs meanwhile has not been given another target. */
static void growth_in_mid_wait_is_no_other_target(void **state)
{
	static const int64_t lefts[] = { 900 * MIB, 800 * MIB, 700 * MIB, 600 * MIB, 512 * MIB };
	const struct fake_qemu plugging = { ONE_MEM(.requested = GIB, .step = 64 * MIB),
					    .lefts = lefts, .nr_lefts = 5 };

	(void)state;
	assert_done(RUN_AGAINST(&plugging, "take", "512M", "--wait"), EXIT_REACHED,
		    "512.0 MiB taken", "");
}

/* Four looks at the machine without it, two before the target is set; then it is there. */
#define DIMM_COMES \
	.answers = (const struct fake_answer[]) \
	{ \
		{ .asks = "query-memory-devices", .times = 4, .value = "[]" }, \
			{ .asks = "query-memory-devices", \
			  .value = "[{\"type\": \"dimm\", \"data\": {\"size\": 268435456}}]" }, \
			{ .asks = NULL }, \
	}

static const int64_t lefts_with_a_dimm[] = { 900 * MIB, 800 * MIB, 800 * MIB, 768 * MIB };

/* QEMU's balloon keeps what it is to take when a DIMM comes. */
static void dimm_in_mid_wait_is_no_other_target(void **state)
{
	const struct fake_qemu qemu = { DIMM_COMES, .lefts = lefts_with_a_dimm, .nr_lefts = 4 };

	(void)state;
	assert_done(RUN_AGAINST(&qemu, "take", "512M", "--wait"), EXIT_REACHED,
		    "Actual       768.0 MiB left   512.0 MiB taken", "");
}

/* The guest has what was asked of its balloon, and not what it was to have in all. */
static void plugging_in_mid_wait_is_told_and_is_not_the_target(void **state)
{
	static const int64_t lefts[] = { 900 * MIB, 700 * MIB, 576 * MIB };
	const struct fake_qemu unplugging = { ONE_MEM(.plugged = GIB, .step = 64 * MIB),
					      .lefts = lefts, .nr_lefts = 3 };
	const struct fake_qemu dimm = { DIMM_COMES, .lefts = lefts_with_a_dimm, .nr_lefts = 4 };

	(void)state;
	assert_done(RUN_AGAINST(&unplugging, "set", "1536M", "--wait"), EXIT_WRONG, "Actual",
		    "256.0 MiB less is plugged now than when the target was set: the guest has "
		    "1.250 GiB left, and not 1.500 GiB");
	assert_done(RUN_AGAINST(&dimm, "set", "512M", "--wait"), EXIT_WRONG, "Actual",
		    "256.0 MiB more is plugged now than when the target was set: the guest has "
		    "768.0 MiB left, and not 512.0 MiB");
}

/* As it is for the other device of a guest that grows. */
static void other_device_in_mid_wait_is_told(void **state)
{
	static const struct fake_mem mems[] = {
		{ .id = "m0", .block = 2 * MIB, .region = GIB, .step = 2 * MIB },
		{ .id = "m1",
		  .block = 2 * MIB,
		  .region = GIB,
		  .plugged = GIB,
		  .requested = GIB - 16 * MIB,
		  .step = 4 * MIB },
	};
	const struct fake_qemu qemu = { .mems = mems, .nr_mems = 2 };

	(void)state;
	assert_done(RUN_AGAINST(&qemu, "grow", "8M", "--device=m0", "--wait"), EXIT_WRONG,
		    "8.000 MiB plugged", "less is plugged now than when the target was set");
}

/* A request that is never followed: what is left is right, and stays so. */
static void request_that_stands_is_waited_for_and_no_longer(void **state)
{
	const struct fake_qemu stuck = { ONE_MEM(.plugged = GIB, .least = GIB) };
	const struct fake_qemu paused = { ONE_MEM(.plugged = GIB, .least = GIB), .paused = true };

	(void)state;
	assert_done(RUN_AGAINST(&stuck, "set", "1536M", "--wait", "--patience=1"), EXIT_REACHED,
		    "Actual       1.500 GiB left", "");
	assert_done(RUN_AGAINST(&stuck, "set", "1536M", "--wait=1"), EXIT_TIMEOUT,
		    "Actual       1.500 GiB left",
		    "time is up; the target is reached, but virtio-mem, which has 1.000 GiB "
		    "plugged and 0 B requested, is still to change what is left");
	assert_done(RUN_AGAINST(&paused, "set", "1536M", "--wait", "--patience=1"), EXIT_TIMEOUT,
		    "Actual       1.500 GiB left",
		    "the guest is paused; the target is reached, but virtio-mem");
	assert_done(RUN_AGAINST(&stuck, "set", "1536M"), EXIT_REACHED, "Actual       1.500 GiB",
		    "virtio-mem has 1.000 GiB plugged and 0 B requested: what is left to the guest "
		    "will change as much");
	assert_done(RUN_AGAINST(&stuck, "take", "512M"), EXIT_REACHED, "512.0 MiB taken", "");
	assert_done(RUN_AGAINST(&stuck, "take", "512M", "--wait=1"), EXIT_REACHED, "", "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(growth_is_the_balloons_first),
		cmocka_unit_test(shrinking_is_the_blocks_first),
		cmocka_unit_test(order_is_that_of_the_plan),
		cmocka_unit_test(half_a_plan_is_told),
		cmocka_unit_test(request_that_is_followed_is_not_repeated),
		cmocka_unit_test(sizes_that_cannot_be_are_refused_with_those_that_can),
		cmocka_unit_test(size_that_changes_nothing_is_refused),
		cmocka_unit_test(arguments_are_checked_before_a_guest_is_asked),
		cmocka_unit_test(device_is_chosen),
		cmocka_unit_test(device_beyond_the_list_is_not_denied),
		cmocka_unit_test(device_that_cannot_be_is_complained_of),
		cmocka_unit_test(json_has_the_same),
		cmocka_unit_test(request_that_nobody_sees_is_told),
		cmocka_unit_test(driver_of_the_device_is_looked_for_though_the_balloon_moved),
		cmocka_unit_test(guest_that_stays_short_is_asked_whether_it_lives),
		cmocka_unit_test(shortfall_does_not_claim_a_driver_that_cannot_be_seen),
		cmocka_unit_test(migration_is_no_shortfall),
		cmocka_unit_test(question_for_a_migration_may_fail),
		cmocka_unit_test(guest_without_a_balloon_grows_and_shrinks),
		cmocka_unit_test(request_of_somebody_else_ends_the_wait),
		cmocka_unit_test(amounts_of_set_are_of_the_whole),
		cmocka_unit_test(balloon_cannot_take_what_is_grown),
		cmocka_unit_test(growth_in_mid_wait_is_no_other_target),
		cmocka_unit_test(dimm_in_mid_wait_is_no_other_target),
		cmocka_unit_test(plugging_in_mid_wait_is_told_and_is_not_the_target),
		cmocka_unit_test(other_device_in_mid_wait_is_told),
		cmocka_unit_test(request_that_stands_is_waited_for_and_no_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
