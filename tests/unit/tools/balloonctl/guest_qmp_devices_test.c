/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/balloonctl/guest_qmp_devices.c against a fake QEMU: what a machine's memory is made of,
 * by answers of every kind, and what a device is asked for.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/tools/balloonctl/fake_qemu.h"
#include "tools/balloonctl/guest.h"
#include "tools/deadline.h"

#define GIB (1024 * MIB)
#define PATIENCE_MS 60000
#define ANSWERS(...) \
	.answers = (const struct fake_answer[]) \
	{ \
		__VA_ARGS__, \
		{ \
			.asks = NULL \
		} \
	}

struct fixture {
	struct fake_place place;
	struct guest *guest;
	struct guest_state state;
	int err;
};

/* Its memory has been read. */
static struct fixture connect_to(const struct fake_qemu *qemu)
{
	struct fixture f;
	char *error;

	fake_qemu_start(qemu, &f.place);
	if (guest_open(f.place.path, deadline_in(PATIENCE_MS), &f.guest, &error))
		fail_msg("%s", error);
	f.err = guest_memory(f.guest, &f.state);
	return f;
}

static void done(struct fixture *f)
{
	guest_close(f->guest);
	fake_qemu_stop(&f->place);
}

static struct guest_state memory_of(const struct fake_qemu *qemu)
{
	struct fixture f = connect_to(qemu);

	assert_int_equal(f.err, 0);
	done(&f);
	return f.state;
}

/* With that answer to query-memory-devices. */
static struct guest_state memory_said(const char *list)
{
	return memory_of(&(struct fake_qemu){
		ANSWERS({ .asks = "\"query-memory-devices\"", .value = list }) });
}

#define VIRTIO_MEM(id, block, size, max, requested) \
	"{\"type\": \"virtio-mem\", \"data\": {\"memdev\": \"/objects/vm0\", \"id\": " id \
	", \"block-size\": " block ", \"size\": " size ", \"max-size\": " max \
	", \"requested-size\": " requested "}}"
#define GOOD VIRTIO_MEM("\"good\"", "2097152", "4194304", "1073741824", "6291456")
#define DIMM(size) "{\"type\": \"dimm\", \"data\": {\"id\": \"d0\", \"size\": " size "}}"

static void ram_is_base_dimms_and_what_is_grown(void **state)
{
	static const struct fake_mem mems[] = {
		{ .id = "m0", .block = 2 * MIB, .region = GIB, .requested = 8 * MIB },
		{ .id = "m1",
		  .block = 4 * MIB,
		  .region = GIB,
		  .plugged = 4 * MIB,
		  .step = MIB,
		  .requested = 4 * MIB },
	};
	struct guest_state is = memory_of(
		&(struct fake_qemu){ .mems = mems, .nr_mems = 2, .left_before = 768 * MIB });

	(void)state;
	assert_true(is.base == FAKE_RAM && is.dimms == 0 && is.has_grown);
	assert_true(is.grown == 12 * MIB && is.requested == 12 * MIB);
	assert_true(is.ram == FAKE_RAM + 12 * MIB && is.taken == 256 * MIB);
	assert_true(is.left == is.ram - is.taken);
	assert_int_equal(is.nr_devices, 2);
	assert_string_equal(is.devices[0].name, "m0");
	assert_true(is.devices[1].block == 4 * MIB && is.devices[1].region == GIB);
	assert_true(is.devices[1].requested == 4 * MIB && is.devices[1].plugged == 4 * MIB);
	assert_ptr_equal(guest_find_device(&is, "m1"), &is.devices[1]);
	assert_null(guest_find_device(&is, "m"));
	assert_string_equal(is.complaint, "");
}

/* QEMU's sum has virtio-mem and NVDIMMs in it, and its balloon counts neither. */
static void dimms_are_counted_one_by_one(void **state)
{
	struct guest_state is = memory_of(&(struct fake_qemu){
		.left_before = FAKE_RAM + 768 * MIB,
		ANSWERS({ .asks = "query-memory-size-summary",
			  .value =
				  "{\"base-memory\": 1073741824, \"plugged-memory\": 9663676416}" },
			{ .asks = "query-memory-devices",
			  .value = "[" DIMM("536870912") ", " GOOD ", {\"type\": \"nvdimm\", "
							 "\"data\": {\"size\": 1073741824}}, " DIMM(
								 "268435456") "]" }) });

	(void)state;
	assert_true(is.base == FAKE_RAM && is.dimms == 768 * MIB && is.grown == 4 * MIB);
	assert_true(is.taken == 0 && is.left == is.ram);
	assert_true(is.ram == FAKE_RAM + 772 * MIB);
	assert_string_equal(is.complaint, "");
}

static void qemu_without_the_list_has_the_sum(void **state)
{
	struct guest_state is = memory_of(
		&(struct fake_qemu){ .left_before = FAKE_RAM + 512 * MIB,
				     ANSWERS({ .asks = "query-memory-size-summary",
					       .value = "{\"base-memory\": 1073741824, "
							"\"plugged-memory\": 536870912}" }) });

	(void)state;
	assert_true(is.dimms == 512 * MIB && is.ram == FAKE_RAM + 512 * MIB && is.taken == 0);
	assert_false(is.has_grown);
	is = memory_said("[]");
	assert_true(is.ram == FAKE_RAM && !is.has_grown && !is.dimms);
}

static void device_without_an_id_has_its_place(void **state)
{
	static const struct fake_mem mems[] = {
		{ .id = "m0", .block = 2 * MIB, .region = GIB },
		{ .block = 2 * MIB, .region = GIB, .requested = 2 * MIB },
		{ .block = 2 * MIB, .region = GIB, .requested = 4 * MIB },
	};
	const struct fake_qemu qemu = { .mems = mems, .nr_mems = 3 };
	struct fixture f = connect_to(&qemu);

	(void)state;
	assert_int_equal(f.err, 0);
	assert_string_equal(f.state.devices[1].name, "/machine/peripheral-anon/device[1]");
	assert_string_equal(f.state.devices[2].name, "/machine/peripheral-anon/device[2]");
	assert_int_equal(guest_request(f.guest, f.state.devices[2].name, 6 * MIB), 0);
	assert_int_equal(guest_memory(f.guest, &f.state), 0);
	assert_true(f.state.devices[1].plugged == 2 * MIB && f.state.devices[2].plugged == 6 * MIB);
	done(&f);
}

/* One that goes between two questions. */
static void device_that_has_gone_is_none(void **state)
{
	static const struct fake_mem mems[] = { { .block = 2 * MIB, .region = GIB } };
	static const struct fake_answer gone[][2] = {
		{ { .asks = "\"memdev\"", .error = "DeviceNotFound" } },
		{ { .asks = "\"memdev\"", .value = "\"/objects/other\"" } },
		{ { .asks = "\"memdev\"", .value = "7" } },
		{ { .asks = "peripheral-anon", .error = "DeviceNotFound" } },
		{ { .asks = "peripheral-anon", .value = "{}" } },
		{ { .asks = "peripheral-anon", .value = "[7, {\"type\": 7}]" } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
		struct guest_state is = memory_of(
			&(struct fake_qemu){ .mems = mems, .nr_mems = 1, .answers = gone[i] });

		assert_true(is.nr_devices == 0 && is.ram == FAKE_RAM && !*is.complaint);
	}
}

static void connection_that_ends_is_told(void **state)
{
	static const struct fake_mem mems[] = { { .block = 2 * MIB, .region = GIB } };
	static const char *const asks[] = { "query-memory-devices", "peripheral-anon", "memdev" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct fixture f = connect_to(
			&(struct fake_qemu){ .mems = mems,
					     .nr_mems = 1,
					     ANSWERS({ .asks = asks[i], .hang_up = true }) });

		assert_int_equal(f.err, -ECONNRESET);
		done(&f);
	}
}

/* Each makes no sense, beside one that does. */
static void devices_that_cannot_be_are_complained_of(void **state)
{
	static const struct {
		const char *device, *words;
	} bad[] = {
		{ VIRTIO_MEM("\"bad\"", "0", "0", "4096", "0"), "bad makes no sense: its block" },
		{ VIRTIO_MEM("\"bad\"", "3", "0", "3", "0"), "its block is no power of two" },
		{ VIRTIO_MEM("\"bad\"", "-2097152", "0", "2097152", "0"), "its block" },
		{ VIRTIO_MEM("\"bad\"", "\"2M\"", "0", "2097152", "0"), "its block" },
		{ VIRTIO_MEM("\"bad\"", "2097152", "4194304", "2097152", "0"), "more plugged" },
		{ VIRTIO_MEM("\"bad\"", "2097152", "0", "2097152", "4194304"), "or requested" },
		{ VIRTIO_MEM("\"bad\"", "2097152", "-2097152", "2097152", "0"), "more plugged" },
		{ VIRTIO_MEM("\"bad\"", "2097152", "0", "\"4G\"", "0"), "more plugged" },
		{ VIRTIO_MEM("\"bad\"", "2097152", "0", "18446744073707454464", "0"),
		  "it can bring" },
		{ VIRTIO_MEM("\"bad\"", "2097152", "0", "2097152", "[]"), "or requested" },
		{ VIRTIO_MEM("\"bad\"", "2097152", "1", "2097152", "0"), "no multiples" },
		{ VIRTIO_MEM("\"bad\"", "2097152", "0", "2097152", "1"), "no multiples" },
		{ VIRTIO_MEM("\"bad\"", "2097152", "0", "2097153", "0"), "no multiples" },
		{ VIRTIO_MEM("\"good\"", "2097152", "0", "2097152", "0"), "two of this name" },
		{ "{\"type\": \"virtio-mem\", \"data\": {\"id\": \"bad\"}}", "its block" },
		{ VIRTIO_MEM("\"bad\"", "1", "9223372036854775807", "9223372036854775807", "0"),
		  "more than there can be" },
		{ VIRTIO_MEM("\"bad\"", "1", "0", "9223372036854775807", "9223372036854775807"),
		  "more than there can be" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char list[1024];
		struct guest_state is;

		snprintf(list, sizeof(list), "[" GOOD ", %s]", bad[i].device);
		is = memory_said(list);
		assert_says(is.complaint, bad[i].words);
		assert_true(is.nr_devices == 1 && is.grown == 4 * MIB && is.requested == 6 * MIB);
		assert_true(is.left + is.taken == is.ram && is.ram == FAKE_RAM + 4 * MIB);
	}
}

static void name_that_does_not_fit_is_none(void **state)
{
	char list[1024], name[GUEST_MEM_NAME + 1] = "";
	struct guest_state is;

	(void)state;
	memset(name, 'x', GUEST_MEM_NAME);
	for (size_t cut = 0; cut < 2; cut++) {
		name[GUEST_MEM_NAME - cut] = '\0';
		snprintf(list, sizeof(list),
			 "[" VIRTIO_MEM("\"%s\"", "4096", "4096", "4096", "4096") "]", name);
		is = memory_said(list);
		assert_int_equal(is.nr_devices, cut);
		assert_true(is.has_grown);
		assert_string_equal(is.complaint,
				    cut ? ""
					: "the virtio-mem device  makes no sense: it has no name");
	}
}

static void answers_without_sense_are_refused(void **state)
{
	static const char *const lists[] = { "7",
					     "{}",
					     "[" DIMM("-1") "]",
					     "[" DIMM("\"1G\"") "]",
					     "[{\"type\": \"dimm\"}]",
					     "[" DIMM("9223372036854775808") "]",
					     "[" DIMM("9223372036854775807") ", " DIMM("1") "]",
					     "[" DIMM("9223372036854775807") "]",
					     "[" VIRTIO_MEM("\"m\"", "1", "9223372036854775807",
							    "9223372036854775807", "0") "]" };

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct fixture f = connect_to(&(struct fake_qemu){
			ANSWERS({ .asks = "query-memory-devices", .value = lists[i] }) });

		assert_int_equal(f.err, -EPROTO);
		assert_says(guest_error(f.guest), "QEMU's answer to 'query-memory-devices'");
		done(&f);
	}
	/* What is no device of ours is nothing. */
	assert_true(memory_said("[7, null, {}, {\"type\": 7}, {\"type\": \"sgx-epc\"}]").ram ==
		    FAKE_RAM);
}

static void more_devices_than_there_is_room_for_are_in_the_sums(void **state)
{
	struct fake_mem mems[GUEST_MEM_DEVICES + 1];
	char names[GUEST_MEM_DEVICES + 1][8];
	struct fixture f;

	(void)state;
	for (size_t i = 0; i <= GUEST_MEM_DEVICES; i++) {
		snprintf(names[i], sizeof(names[i]), "m%zu", i);
		mems[i] = (struct fake_mem){
			.id = names[i], .block = MIB, .region = MIB, .requested = MIB
		};
	}
	f = connect_to(&(struct fake_qemu){ .mems = mems, .nr_mems = GUEST_MEM_DEVICES + 1 });
	assert_int_equal(f.err, 0);
	assert_int_equal(f.state.nr_devices, GUEST_MEM_DEVICES);
	assert_int_equal(f.state.nr_unlisted, 1);
	assert_true(f.state.grown == (GUEST_MEM_DEVICES + 1) * MIB);
	assert_string_equal(f.state.devices[GUEST_MEM_DEVICES - 1].name, "m15");
	/* It is there, for all that we know. */
	assert_int_equal(guest_request(f.guest, "m16", 0), -ENODEV);
	assert_says(guest_error(f.guest), "no virtio-mem device m16 among those that balloonctl");
	done(&f);
	f = connect_to(&(struct fake_qemu){ .mems = mems, .nr_mems = GUEST_MEM_DEVICES });
	assert_int_equal(f.state.nr_unlisted, 0);
	assert_int_equal(guest_request(f.guest, "m16", 0), -ENODEV);
	assert_null(strstr(guest_error(f.guest), "among"));
	done(&f);
}

static void only_sizes_that_can_be_are_requested(void **state)
{
	static const struct fake_mem mems[] = { { .id = "m0", .block = 2 * MIB, .region = GIB } };
	struct fixture f = connect_to(&(struct fake_qemu){ .mems = mems, .nr_mems = 1 });

	(void)state;
	assert_int_equal(guest_request(f.guest, "m0", GIB), 0);
	assert_int_equal(guest_request(f.guest, "m0", GIB + 2 * MIB), -ERANGE);
	assert_says(guest_error(f.guest), "m0 can bring 1073741824 bytes at most");
	assert_int_equal(guest_request(f.guest, "m0", MIB), -ERANGE);
	assert_says(guest_error(f.guest), "m0 plugs blocks of 2097152 bytes");
	assert_int_equal(guest_request(f.guest, "m0", 3 * MIB), -ERANGE);
	assert_int_equal(guest_request(f.guest, "m1", MIB), -ENODEV);
	assert_says(guest_error(f.guest), "no virtio-mem device m1");
	assert_int_equal(guest_memory(f.guest, &f.state), 0);
	assert_true(f.state.requested == GIB && f.state.grown == GIB);
	assert_int_equal(guest_request(f.guest, "m0", 0), 0);
	assert_int_equal(guest_memory(f.guest, &f.state), 0);
	assert_true(f.state.grown == 0);
	done(&f);
}

static void refusal_of_qemu_is_told(void **state)
{
	static const struct fake_mem mems[] = { { .id = "m0", .block = 2 * MIB, .region = GIB } };
	struct fixture f = connect_to(&(struct fake_qemu){
		.mems = mems,
		.nr_mems = 1,
		ANSWERS({ .asks = "requested-size", .error = "GenericError" }) });
	bool driver_ok;

	(void)state;
	assert_int_equal(guest_request(f.guest, "m0", 2 * MIB), -EREMOTEIO);
	assert_says(guest_error(f.guest), "qom-set");
	assert_int_equal(guest_find_driver(f.guest, "m1", &driver_ok), -ENODEV);
	done(&f);
	f = connect_to(&(struct fake_qemu){ ANSWERS({ .asks = "devices", .hang_up = true }) });
	assert_int_equal(guest_request(f.guest, "m0", 2 * MIB), -ENOTCONN);
	assert_int_equal(guest_find_driver(f.guest, "m0", &driver_ok), -ENOTCONN);
	done(&f);
}

static void driver_of_a_device_is_its_own(void **state)
{
	static const struct fake_mem mems[] = {
		{ .id = "m0", .block = MIB, .region = MIB, .no_driver = true },
		{ .block = MIB, .region = MIB },
	};
	struct fixture f = connect_to(&(struct fake_qemu){ .mems = mems, .nr_mems = 2 });
	bool driver_ok = true;

	(void)state;
	assert_int_equal(guest_find_driver(f.guest, "m0", &driver_ok), 0);
	assert_false(driver_ok);
	assert_int_equal(guest_find_driver(f.guest, f.state.devices[1].name, &driver_ok), 0);
	assert_true(driver_ok);
	done(&f);
	f = connect_to(&(struct fake_qemu){ .mems = mems, .nr_mems = 2, .old = true });
	assert_int_equal(guest_find_driver(f.guest, "m0", &driver_ok), -ENOTSUP);
	assert_false(driver_ok);
	done(&f);
}

/* Of devices that were just read, no more is asked than whether each has a driver. */
static void drivers_of_all_devices_are_found_without_another_look(void **state)
{
	static const struct fake_mem mems[] = {
		{ .id = "m0", .block = MIB, .region = MIB, .no_driver = true },
		{ .id = "m1", .block = MIB, .region = MIB },
	};
	struct fake_qemu qemu = { .mems = mems,
				  .nr_mems = 2,
				  ANSWERS({ .asks = "query-memory-size-summary",
					    .value = "{\"base-memory\": 1073741824}",
					    .times = 1 },
					  { .asks = "query-memory-size-summary",
					    .hang_up = true }) };
	struct fixture f = connect_to(&qemu);

	(void)state;
	assert_int_equal(f.err, 0);
	assert_int_equal(guest_find_drivers(f.guest, &f.state), 0);
	assert_true(f.state.devices[0].has_driver && !f.state.devices[0].driver_ok);
	assert_true(f.state.devices[1].has_driver && f.state.devices[1].driver_ok);
	done(&f);
	qemu.old = true;
	f = connect_to(&qemu);
	assert_int_equal(guest_find_drivers(f.guest, &f.state), 0);
	assert_false(f.state.devices[0].has_driver || f.state.devices[1].has_driver);
	done(&f);
}

/* Its memory can be read, though there is nothing that could take of it. */
static void machine_without_a_balloon_has_memory(void **state)
{
	static const struct fake_mem mems[] = {
		{ .id = "m0", .block = MIB, .region = MIB, .requested = MIB }
	};
	struct fixture f = connect_to(
		&(struct fake_qemu){ .mems = mems, .nr_mems = 1, .no_device = true });

	(void)state;
	assert_int_equal(f.err, 0);
	assert_true(f.state.lacks_balloon && f.state.left == FAKE_RAM + MIB && !f.state.taken);
	assert_int_equal(guest_state(f.guest, &f.state), -ENODEV);
	assert_says(guest_error(f.guest), "balloon");
	done(&f);
}

/* The device's register says what is taken; what is grown is left beside it. */
static void target_is_of_the_whole(void **state)
{
	static const struct fake_mem mems[] = {
		{ .id = "m0", .block = MIB, .region = GIB, .requested = 512 * MIB }
	};
	struct fixture f = connect_to(&(struct fake_qemu){ .mems = mems, .nr_mems = 1 });

	(void)state;
	assert_int_equal(guest_set_target(f.guest, 768 * MIB), 0);
	assert_int_equal(guest_set_target(f.guest, FAKE_RAM + 1), -ERANGE);
	assert_int_equal(guest_memory(f.guest, &f.state), 0);
	assert_true(f.state.has_target && f.state.target_left == 1280 * MIB);
	assert_true(f.state.left == 1280 * MIB && f.state.taken == 256 * MIB);
	done(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(ram_is_base_dimms_and_what_is_grown),
		cmocka_unit_test(dimms_are_counted_one_by_one),
		cmocka_unit_test(qemu_without_the_list_has_the_sum),
		cmocka_unit_test(device_without_an_id_has_its_place),
		cmocka_unit_test(device_that_has_gone_is_none),
		cmocka_unit_test(connection_that_ends_is_told),
		cmocka_unit_test(devices_that_cannot_be_are_complained_of),
		cmocka_unit_test(name_that_does_not_fit_is_none),
		cmocka_unit_test(answers_without_sense_are_refused),
		cmocka_unit_test(more_devices_than_there_is_room_for_are_in_the_sums),
		cmocka_unit_test(only_sizes_that_can_be_are_requested),
		cmocka_unit_test(refusal_of_qemu_is_told),
		cmocka_unit_test(driver_of_a_device_is_its_own),
		cmocka_unit_test(drivers_of_all_devices_are_found_without_another_look),
		cmocka_unit_test(machine_without_a_balloon_has_memory),
		cmocka_unit_test(target_is_of_the_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
