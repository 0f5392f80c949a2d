/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/balloonctl/guest_qmp.c and guest_qmp_target.c against a fake QEMU:
 * what is known of a guest, and what is made of answers that cannot be.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/tools/balloonctl/fake_qemu.h"
#include "tools/balloonctl/guest.h"
#include "tools/deadline.h"

#define BIT(n) (1ull << (n))
#define PATIENCE_MS 60000

struct fixture {
	struct fake_place place;
	struct guest *guest;
	struct guest_state state;
	struct guest_stats stats;
};

static void connect_to(const struct fake_qemu *qemu, struct fixture *f)
{
	char *error;

	fake_qemu_start(qemu, &f->place);
	if (guest_open(f->place.path, deadline_in(PATIENCE_MS), &f->guest, &error))
		fail_msg("%s", error);
}

static void done(struct fixture *f)
{
	guest_close(f->guest);
	fake_qemu_stop(&f->place);
}

/* One answer to `asks`. */
#define SAYS(ask, json) \
	&(const struct fake_qemu) \
	{ \
		.answers = (const struct fake_answer[]) \
		{ \
			{ .asks = (ask), .value = (json) }, { .asks = NULL }, \
		} \
	}

static struct fixture state_of(const struct fake_qemu *qemu)
{
	struct fixture f;

	connect_to(qemu, &f);
	assert_int_equal(guest_state(f.guest, &f.state), 0);
	done(&f);
	return f;
}

static void assert_state_fails(const struct fake_qemu *qemu, int err, const char *words)
{
	struct fixture f;

	connect_to(qemu, &f);
	assert_int_equal(guest_state(f.guest, &f.state), err);
	assert_says(guest_error(f.guest), words);
	done(&f);
}

static struct fixture stats_of(const struct fake_qemu *qemu)
{
	struct fixture f;

	connect_to(qemu, &f);
	assert_int_equal(guest_stats(f.guest, &f.stats), 0);
	done(&f);
	return f;
}

/* ---- state ---- */

static void state_has_all_that_qemu_tells(void **state)
{
	struct fixture f = state_of(&(struct fake_qemu){ .left_before = 768 * MIB });

	(void)state;
	assert_true(f.state.ram == FAKE_RAM);
	assert_true(f.state.left == 768 * MIB);
	assert_true(f.state.taken == 256 * MIB);
	assert_true(f.state.has_features && f.state.driver_ok && !f.state.paused);
	assert_true(f.state.accepted == (BIT(1) | BIT(32) | BIT(33)));
	assert_true(f.state.offered == (BIT(1) | BIT(4) | BIT(29) | BIT(32) | BIT(40)));
	assert_string_equal(f.state.complaint, "");
}

static void plugged_memory_counts(void **state)
{
	struct fixture f = state_of(SAYS("query-memory-size-summary",
					 "{\"base-memory\": 1073741824, "
					 "\"plugged-memory\": 536870912}"));

	(void)state;
	assert_true(f.state.ram == FAKE_RAM + 512 * MIB);
	assert_true(f.state.taken == 512 * MIB);
}

static void driver_is_there_from_driver_ok_on(void **state)
{
	struct fixture f = state_of(&(struct fake_qemu){ .no_driver = true });

	(void)state;
	assert_true(f.state.has_features && !f.state.driver_ok);
	assert_true(f.state.accepted == 0);
	f = state_of(SAYS("x-query-virtio-status",
			  "{\"broken\": true, \"status\": {\"statuses\": "
			  "[\"VIRTIO_CONFIG_S_DRIVER_OK: Driver setup and ready\"]}}"));
	assert_true(f.state.has_features && !f.state.driver_ok);
	f = state_of(&(struct fake_qemu){ .old = true });
	assert_true(!f.state.has_features);
}

static void a_qemu_that_would_abort_is_not_asked_for_the_driver(void **state)
{
	const struct fake_answer aborts[] = { { .asks = "x-query-virtio-status", .hang_up = true },
					      { .asks = NULL } };
	struct fixture f = state_of(&(struct fake_qemu){ .version = 11, .answers = aborts });

	(void)state;
	assert_true(!f.state.has_features && f.state.has_target);
	f = state_of(&(struct fake_qemu){ .version = 10 });
	assert_true(f.state.has_features && f.state.driver_ok);
	assert_state_fails(&(struct fake_qemu){ .version = 10, .answers = aborts }, -ECONNRESET,
			   "closed");
}

static void device_is_found_with_an_id_and_without(void **state)
{
	const struct fake_answer anonymous[] = {
		{ .asks = "\"/machine/peripheral\"", .value = "[]" },
		{ .asks = "\"/machine/peripheral-anon\"",
		  .value = "[{\"name\": \"device[0]\", \"type\": \"child<e1000>\"}, "
			   "{\"name\": \"device[1]\", "
			   "\"type\": \"child<virtio-balloon-pci-non-transitional>\"}]" },
		{ .asks = "x-query-virtio-status\",\"arguments\":{\"path\":"
			  "\"/machine/peripheral-anon/device[1]/virtio-backend\"",
		  .value = "{}" },
		{ .asks = NULL }
	};
	struct fixture f = state_of(&(struct fake_qemu){ .answers = anonymous });

	(void)state;
	/* What is said by itself, of any other device, is that there is a driver. */
	assert_true(f.state.has_features && !f.state.driver_ok);
	f = state_of(SAYS("{\"path\":\"/machine/peripheral/b0/virtio-backend\"}", "{}"));
	assert_true(f.state.has_features && !f.state.driver_ok);
	f = state_of(&(struct fake_qemu){
		.plain = true,
		.answers = (const struct fake_answer[]){
			{ .asks = "{\"path\":\"/machine/peripheral/b0\"}", .value = "{}" },
			{ .asks = NULL } } });
	assert_true(f.state.has_features && !f.state.driver_ok);
}

static void no_device_is_an_error_of_its_own(void **state)
{
	struct fixture f;

	(void)state;
	assert_state_fails(&(struct fake_qemu){ .no_device = true }, -ENODEV, "query-balloon");
	connect_to(SAYS("qom-list", "[]"), &f);
	assert_int_equal(guest_stats(f.guest, &f.stats), -ENODEV);
	assert_int_equal(guest_set_interval(f.guest, 1), -ENODEV);
	assert_says(guest_error(f.guest), "no balloon device");
	done(&f);
}

static void impossible_amounts_are_clamped_and_complained_of(void **state)
{
	struct fixture f = state_of(SAYS("query-balloon", "{\"actual\": -17591917609984}"));

	(void)state;
	assert_true(f.state.left == 0 && f.state.taken == FAKE_RAM);
	assert_says(f.state.complaint, "-17591917609984 bytes would be left");
	f = state_of(SAYS("query-balloon", "{\"actual\": -9223372036854775808}"));
	assert_true(f.state.left == 0 && f.state.taken == FAKE_RAM);
	f = state_of(SAYS("query-balloon", "{\"actual\": 9223372036854775807}"));
	assert_true(f.state.left == FAKE_RAM && f.state.taken == 0);
	assert_says(f.state.complaint, "9223372036854775807 of 1073741824 bytes");
	f = state_of(SAYS("query-balloon", "{\"actual\": 1073741825}"));
	assert_true(f.state.left == FAKE_RAM && f.state.taken == 0);
	f = state_of(SAYS("query-balloon", "{\"actual\": -1}"));
	assert_true(f.state.left == 0 && f.state.taken == FAKE_RAM);
	f = state_of(SAYS("query-balloon", "{\"actual\": 0}"));
	assert_true(f.state.left == 0 && f.state.taken == FAKE_RAM);
	assert_string_equal(f.state.complaint, "");
}

static void answers_without_sense_are_errors(void **state)
{
	static const char *const sizes[] = {
		"{}",
		"7",
		"null",
		"[1]",
		"{\"base-memory\": 0}",
		"{\"base-memory\": -1}",
		"{\"base-memory\": \"1073741824\"}",
		"{\"base-memory\": 1e9}",
		"{\"base-memory\": 18446744073709551615}",
		"{\"base-memory\": 1, \"plugged-memory\": 9223372036854775807}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		assert_state_fails(SAYS("query-memory-size-summary", sizes[i]), -EPROTO,
				   "query-memory-size-summary");
	assert_state_fails(SAYS("query-balloon", "{\"actual\": 18446744073709551615}"), -EPROTO,
			   "query-balloon");
	assert_state_fails(SAYS("query-balloon", "{}"), -EPROTO, "query-balloon");
}

/* Of these nothing is known, and that is all. */
static void features_of_any_shape_do_no_harm(void **state)
{
	static const char *const shapes[] = {
		"7",
		"null",
		"[]",
		"\"x\"",
		"{\"status\": 7, \"host-features\": 7, \"guest-features\": []}",
		"{\"status\": {\"statuses\": {}}, \"guest-features\": {\"dev-features\": 7}}",
		"{\"status\": {\"statuses\": [7, null, \"\"]}, \"guest-features\": "
		"{\"dev-features\": [7, null, \"\", \"VIRTIO_F_\", \"VIRTIO_F_:\", "
		"\"VIRTIO_F_NEW: x\", \"VIRTIO_F_VERSION: x\", \"VIRTIO_F_VERSION_12: x\", "
		"\"STATS_VQ\"], \"transports\": \"VERSION_1\", "
		"\"unknown-dev-features\": -1}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct fixture f = state_of(SAYS("x-query-virtio-status", shapes[i]));

		assert_true(f.state.has_features && !f.state.driver_ok);
		assert_true(f.state.accepted == 0);
	}
}

/* ---- the target ---- */

static void assert_target_known(const struct fake_qemu *qemu, bool known)
{
	struct fixture f;

	connect_to(qemu, &f);
	assert_int_equal(guest_set_target(f.guest, 700 * MIB), 0);
	assert_int_equal(guest_state(f.guest, &f.state), 0);
	assert_int_equal(f.state.has_target, known);
	if (known)
		assert_true(f.state.target_left == 700 * MIB);
	done(&f);
}

static void target_is_read_from_the_devices_registers(void **state)
{
	(void)state;
	assert_target_known(&(struct fake_qemu){ 0 }, true);
	assert_target_known(&(struct fake_qemu){ .legacy = true }, true);
	assert_target_known(&(struct fake_qemu){ .plain = true }, true);
	assert_target_known(&(struct fake_qemu){ .unmapped = true }, false);
}

static void target_that_cannot_be_read_is_unknown(void **state)
{
	static const char *const says[] = { "\"Cannot access memory\\r\\n\"",
					    "\"\"",
					    "\"0x\"",
					    "\"0x100000001\"",
					    "\"0xzz\"",
					    "7" };

	(void)state;
	for (size_t i = 0; i < 5; i++)
		assert_target_known(SAYS("human-monitor-command", says[i]), false);
	assert_state_fails(SAYS("human-monitor-command", says[5]), -EPROTO, "xp");
	/* Registers in ports move with MSI-X, so that with it they are not read. */
	assert_target_known(
		&(struct fake_qemu){
			.legacy = true,
			.answers = (const struct fake_answer[]){ { .asks = "\"vectors\"",
								   .value = "2" },
								 { .asks = NULL } } },
		false);
	assert_target_known(SAYS("\"addr\"", "-1"), false);
	assert_target_known(SAYS("\"container\"", "7"), false);
}

static void target_beyond_all_memory_is_complained_of(void **state)
{
	struct fixture f = state_of(SAYS("xp /1wx", "\"00000000fe002000: 0xffffffff\\r\\n\""));

	(void)state;
	assert_false(f.state.has_target);
	assert_says(f.state.complaint, "17592186040320 bytes taken");
}

static void target_out_of_range_is_not_sent(void **state)
{
	struct fixture f;

	(void)state;
	connect_to(&(struct fake_qemu){ 0 }, &f);
	assert_int_equal(guest_set_target(f.guest, 0), -ERANGE);
	assert_int_equal(guest_set_target(f.guest, FAKE_RAM + 1), -ERANGE);
	assert_int_equal(guest_set_target(f.guest, UINT64_MAX), -ERANGE);
	assert_int_equal(guest_state(f.guest, &f.state), 0);
	assert_true(f.state.has_target && f.state.target_left == FAKE_RAM);
	done(&f);
}

/* ---- statistics ---- */

static void absent_statistics_are_absent(void **state)
{
	struct fixture f = stats_of(&(struct fake_qemu){ 0 });

	(void)state;
	assert_false(f.stats.ever);
	assert_int_equal(f.stats.present, 0);
	f = stats_of(SAYS("\"guest-stats\"",
			  "{\"stats\": {\"stat-free-memory\": 4096, "
			  "\"stat-swap-in\": 18446744073709551615, "
			  "\"stat-swap-out\": 18446744073709551614, \"stat-disk-caches\": -1, "
			  "\"stat-major-faults\": \"7\", \"stat-new\": 7, "
			  "\"stat-direct-reclaims\": 0}, \"last-update\": 1}"));
	assert_true(f.stats.ever);
	assert_true(f.stats.present ==
		    (BIT(STAT_FREE_MEMORY) | BIT(STAT_SWAP_OUT) | BIT(STAT_DIRECT_RECLAIMS)));
	assert_true(f.stats.value[STAT_FREE_MEMORY] == 4096);
	assert_true(f.stats.value[STAT_SWAP_OUT] == UINT64_MAX - 1);
	assert_true(f.stats.value[STAT_DIRECT_RECLAIMS] == 0);
}

static void age_is_by_this_machines_clock(void **state)
{
	long long now = (long long)time(NULL);
	char said[64];
	struct fixture f;

	(void)state;
	snprintf(said, sizeof(said), "{\"stats\": {}, \"last-update\": %lld}", now - 100);
	f = stats_of(SAYS("\"guest-stats\"", said));
	assert_true(f.stats.ever && f.stats.age >= 100 && f.stats.age < 400);
	assert_true(f.stats.update == (uint64_t)now - 100);
	/* A clock that was put back makes nothing younger than now. */
	snprintf(said, sizeof(said), "{\"stats\": {}, \"last-update\": %lld}", now + 10000);
	f = stats_of(SAYS("\"guest-stats\"", said));
	assert_true(f.stats.ever && f.stats.age >= 0 && f.stats.age <= 0);
}

static void statistics_of_any_shape_do_no_harm(void **state)
{
	static const char *const shapes[] = { "7",
					      "null",
					      "[]",
					      "{}",
					      "{\"last-update\": -1}",
					      "{\"last-update\": 5}",
					      "{\"last-update\": 5, \"stats\": 7}",
					      "{\"last-update\": 5, \"stats\": [7]}" };

	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct fixture f = stats_of(SAYS("\"guest-stats\"", shapes[i]));

		assert_int_equal(f.stats.present, 0);
	}
}

/* ---- cost and memory ---- */

static void cost_is_that_of_the_process_behind_the_socket(void **state)
{
	struct guest_cost cost;
	struct fixture f;

	(void)state;
	connect_to(&(struct fake_qemu){ 0 }, &f);
	/* The socket was made by this very process, which is larger than a page. */
	assert_int_equal(guest_cost(f.guest, &cost), 0);
	assert_true(cost.resident > 4096 && cost.resident < 1ull << 40);
	done(&f);
}

static void memory_is_what_qemu_writes(void **state)
{
	char memory[9] = "";
	struct fixture f;
	bool ran;

	(void)state;
	connect_to(&(struct fake_qemu){ 0 }, &f);
	/* This QEMU gives nothing away while the guest runs. */
	assert_int_equal(guest_peek(f.guest, 0, memory, 8), -EREMOTEIO);
	assert_int_equal(guest_halt(f.guest, &ran), 0);
	assert_true(ran);
	assert_int_equal(guest_peek(f.guest, 4096, memory, 8), 0);
	assert_string_equal(memory, "ZZZZZZZZ");
	assert_int_equal(guest_halt(f.guest, &ran), 0);
	assert_false(ran);
	assert_int_equal(guest_resume(f.guest), 0);
	assert_int_equal(guest_peek(f.guest, 0, memory, 8), -EREMOTEIO);
	done(&f);
}

static void memory_is_asked_for_by_place_and_size(void **state)
{
	static const struct fake_answer answers[] = {
		{ .asks = "\"val\":1099511627776,\"size\":262144,\"filename\":\"/proc/",
		  .error = "Right" },
		{ .asks = "pmemsave", .error = "Wrong" },
		{ .asks = NULL },
	};
	static char memory[GUEST_PEEK_MAX];
	struct fixture f;

	(void)state;
	connect_to(&(struct fake_qemu){ .answers = answers }, &f);
	assert_int_equal(guest_peek(f.guest, 1ull << 40, memory, sizeof(memory)), -EREMOTEIO);
	assert_string_equal(guest_error(f.guest), "QEMU refuses 'pmemsave': no");
	assert_int_equal(guest_peek(f.guest, 1ull << 40, memory, 1), -EREMOTEIO);
	done(&f);
}

static void memory_that_was_not_written_is_no_memory(void **state)
{
	char memory[8];
	struct fixture f;

	(void)state;
	connect_to(SAYS("pmemsave", "{}"), &f);
	assert_int_equal(guest_peek(f.guest, 0, memory, 8), -EPROTO);
	assert_string_equal(guest_error(f.guest),
			    "QEMU has handed over 0 bytes of memory instead of 8");
	done(&f);
}

static void memory_of_a_guest_that_has_gone_is_not_read(void **state)
{
	static const struct fake_answer answers[] = { { .asks = "query-status", .hang_up = true },
						      { .asks = NULL } };
	struct fixture f;
	char memory[8];
	bool ran;

	(void)state;
	connect_to(&(struct fake_qemu){ .answers = answers }, &f);
	assert_true(guest_halt(f.guest, &ran) < 0);
	assert_int_equal(guest_peek(f.guest, 0, memory, 8), -ENOTCONN);
	assert_string_equal(guest_error(f.guest), "not connected to QEMU");
	done(&f);
}

static void guest_that_cannot_be_halted_is_an_error(void **state)
{
	static const struct fake_answer answers[] = {
		{ .asks = "\"stop\"", .error = "GenericError" },
		{ .asks = "\"cont\"", .error = "GenericError" },
		{ .asks = NULL },
	};
	struct fixture f;
	bool ran;

	(void)state;
	connect_to(&(struct fake_qemu){ .answers = answers }, &f);
	assert_int_equal(guest_halt(f.guest, &ran), -EREMOTEIO);
	assert_string_equal(guest_error(f.guest), "QEMU refuses 'stop': no");
	assert_int_equal(guest_resume(f.guest), -EREMOTEIO);
	assert_string_equal(guest_error(f.guest), "QEMU refuses 'cont': no");
	done(&f);
	/* It stands still already: nothing is to be done. */
	connect_to(&(struct fake_qemu){ .answers = answers, .paused = true }, &f);
	assert_int_equal(guest_halt(f.guest, &ran), 0);
	assert_false(ran);
	done(&f);
}

/* It was on its way out when it was halted: QEMU ends it meanwhile, and lets it run no more. */
static void guest_that_ended_while_it_was_halted_need_not_run_on(void **state)
{
	static const struct {
		const char *status;
		int err;
	} cases[] = {
		{ "{\"running\": false, \"status\": \"shutdown\"}", 0 },
		{ "{\"running\": false, \"status\": \"internal-error\"}", 0 },
		{ "{\"running\": false, \"status\": \"paused\"}", -EREMOTEIO },
		{ "{\"running\": false, \"status\": null}", -EREMOTEIO },
		{ "{}", -EREMOTEIO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct fake_answer answers[] = {
			{ .asks = "query-status", .times = 1, .value = "{\"running\": true}" },
			{ .asks = "query-status", .value = cases[i].status },
			{ .asks = "\"cont\"", .error = "GenericError" },
			{ .asks = NULL },
		};
		struct fixture f;
		bool ran;

		connect_to(&(struct fake_qemu){ .answers = answers }, &f);
		assert_int_equal(guest_halt(f.guest, &ran), 0);
		assert_true(ran);
		assert_int_equal(guest_resume(f.guest), cases[i].err);
		if (cases[i].err)
			assert_string_equal(guest_error(f.guest), "QEMU refuses 'cont': no");
		done(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(state_has_all_that_qemu_tells),
		cmocka_unit_test(plugged_memory_counts),
		cmocka_unit_test(driver_is_there_from_driver_ok_on),
		cmocka_unit_test(a_qemu_that_would_abort_is_not_asked_for_the_driver),
		cmocka_unit_test(device_is_found_with_an_id_and_without),
		cmocka_unit_test(no_device_is_an_error_of_its_own),
		cmocka_unit_test(impossible_amounts_are_clamped_and_complained_of),
		cmocka_unit_test(answers_without_sense_are_errors),
		cmocka_unit_test(features_of_any_shape_do_no_harm),
		cmocka_unit_test(target_is_read_from_the_devices_registers),
		cmocka_unit_test(target_that_cannot_be_read_is_unknown),
		cmocka_unit_test(target_beyond_all_memory_is_complained_of),
		cmocka_unit_test(target_out_of_range_is_not_sent),
		cmocka_unit_test(absent_statistics_are_absent),
		cmocka_unit_test(age_is_by_this_machines_clock),
		cmocka_unit_test(statistics_of_any_shape_do_no_harm),
		cmocka_unit_test(cost_is_that_of_the_process_behind_the_socket),
		cmocka_unit_test(memory_is_what_qemu_writes),
		cmocka_unit_test(memory_is_asked_for_by_place_and_size),
		cmocka_unit_test(memory_that_was_not_written_is_no_memory),
		cmocka_unit_test(memory_of_a_guest_that_has_gone_is_not_read),
		cmocka_unit_test(guest_that_cannot_be_halted_is_an_error),
		cmocka_unit_test(guest_that_ended_while_it_was_halted_need_not_run_on),
	};

	return cmocka_run_group_tests_name("balloonctl/guest_qmp", tests, NULL, NULL);
}
