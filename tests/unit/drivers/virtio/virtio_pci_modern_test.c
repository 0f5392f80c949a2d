/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers/virtio/virtio_pci_modern.c: capabilities, good and bad, and notifications. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/drivers/virtio/virtio_pci_fixture.h"

static void each_missing_structure_is_named(void **state)
{
	static const char *const why[] = { NULL, "common", "notify", "ISR" };

	(void)state;
	for (uint8_t missing = 1; missing <= 3; missing++) {
		make_modern();
		for (unsigned at = 0x40; at < regs.free_config; at += 20)
			if (config_space[at + 3] == missing)
				config_space[at + 3] = 99;
		assert_left_alone(why[missing]);
	}
}

static void modern_device_without_capabilities_is_left_alone(void **state)
{
	(void)state;
	make_function(0x1045, false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	assert_left_alone("not transitional");
}

static void device_without_config_has_an_empty_one(void **state)
{
	struct virtio_device *device;

	(void)state;
	make_function(0x1045, false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	add_vendor(2, BAR, NOTIFY, 0x1000);
	add_vendor(3, BAR, ISR, 1);
	add_vendor(1, BAR, COMMON, 56);
	device = probe();
	assert_int_equal(virtio_negotiate(device, 0), 0);
	assert_int_equal(virtio_config_read32(device, 0), 0);
	virtio_config_write32(device, 0, 1);
}

/*
 * A capability that is no good stands in front of a good one of its type: it
 * must be passed over, and the device work with the other one.
 */
static void assert_passed_over(uint8_t type, uint8_t bar, uint32_t offset, uint32_t length)
{
	make_function(0x1045, false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	add_vendor(type, bar, offset, length);
	sim_virtio_pci_add_modern(&regs);
	probe();
	use_device(virtio_devices());
}

static void bad_capabilities_are_passed_over(void **state)
{
	(void)state;
	for (uint8_t type = 1; type <= 4; type++) {
		assert_passed_over(type, 6, 0, 0x100);
		assert_passed_over(type, 255, 0, 0x100);
		assert_passed_over(type, 1, 0, 0x100); /* no such BAR */
		assert_passed_over(type, 0, 0, 0x10);  /* ports */
		assert_passed_over(type, BAR, 0, 0);
		assert_passed_over(type, BAR, BAR_SIZE, 0x100);
		assert_passed_over(type, BAR, 0x1000, BAR_SIZE);
		assert_passed_over(type, BAR, 0xfffffffc, 0x100); /* wraps in 32 bits */
		assert_passed_over(type, BAR, 0x100, 0xffffffff);
	}
	assert_passed_over(1, BAR, 0, 55);
	assert_passed_over(1, BAR, 2, 0x100);
	assert_passed_over(2, BAR, NOTIFY, 1);
	assert_passed_over(2, BAR, NOTIFY + 1, 0x100);
	assert_passed_over(4, BAR, DEVICE + 2, 0x100);
}

/* QEMU's modern-pio-notify: ports and memory, in either order. Without memory there is none. */
static void notifying_by_ports_as_well_is_no_fault(void **state)
{
	(void)state;
	for (unsigned first = 0; first < 2; first++) {
		make_function(0x1045, false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
		if (first)
			add_vendor(2, 0, 0, 4);
		sim_virtio_pci_add_modern(&regs);
		if (!first)
			add_vendor(2, 0, 0, 4);
		sim_log_reset();
		probe();
		assert_int_equal(sim_log_debugs, 0);
		assert_int_equal(sim_log_warnings, 0);
		use_device(virtio_devices());
	}
	make_function(0x1045, false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	add_vendor(1, BAR, COMMON, 0x1000);
	add_vendor(2, 0, 0, 4);
	assert_left_alone("no usable notify capability");
	/* Other structures are of no use in ports. */
	make_function(0x1045, false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	add_vendor(1, 0, 0, 0x10);
	sim_virtio_pci_add_modern(&regs);
	sim_log_reset();
	probe();
	assert_int_equal(sim_log_debugs, 1);
}

static void unassigned_bar_is_passed_over(void **state)
{
	(void)state;
	make_function(0x1045, false, 0);
	pci.bar[2] = (struct pci_bar){ PCI_BAR_MEMORY32, false, 0, BAR_SIZE };
	add_vendor(1, 2, COMMON, 0x1000);
	sim_virtio_pci_add_modern(&regs);
	probe();
}

static void first_usable_capability_of_a_type_wins(void **state)
{
	(void)state;
	make_modern();
	add_vendor(1, BAR, 0x2000, 0x1000);
	add_vendor(2, BAR, 0x1000, 0x1000);
	probe();
	use_device(virtio_devices());
}

static void capability_that_is_too_short_is_passed_over(void **state)
{
	unsigned at;

	(void)state;
	make_function(0x1045, false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	at = add_vendor(2, BAR, 0x100, 0x100);
	config_space[at + 2] = 19; /* no room for the multiplier */
	at = add_vendor(1, BAR, 0x100, 0x100);
	config_space[at + 2] = 15;
	sim_virtio_pci_add_modern(&regs);
	probe();
	use_device(virtio_devices());
}

/* To the last byte, and not beyond. */
static void capability_may_end_with_config_space(void **state)
{
	(void)state;
	for (uint8_t size = 16; size <= 17; size++) {
		make_function(0x1045, false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
		add_vendor(1, BAR, COMMON, 56);
		add_vendor(2, BAR, NOTIFY, 0x1000);
		regs.free_config = 0xf0;
		config_space[add_vendor(3, BAR, ISR, 1) + 2] = size;
		if (size == 16)
			probe();
		else
			assert_left_alone("no usable ISR capability");
	}
}

/* 4 KiB of config, and 4 MiB of notifications, are enough. */
static void windows_are_as_large_as_their_capabilities(void **state)
{
	static const uint32_t sizes[][2] = {
		{ 1, 1 }, { 0xffc, 0xffc }, { 0x1000, 0x1000 }, { 0x2000, 0x1000 }
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct virtio_device *device;

		make_function(0x1045, false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
		add_vendor(4, BAR, 0, sizes[i][0]);
		sim_virtio_pci_add_modern(&regs);
		device = probe();
		assert_int_equal(device->transport->config_size(device), sizes[i][1]);
	}
}

/* Whoever looks into dmesg for a reason finds one line for each. */
static void bad_capability_is_told_to_who_asks(void **state)
{
	(void)state;
	make_modern();
	probe();
	assert_int_equal(sim_log_debugs, 0);
	make_function(0x1045, false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	add_vendor(1, BAR, 2, 56);
	config_space[add_vendor(3, BAR, ISR, 1) + 2] = 15;
	sim_virtio_pci_add_modern(&regs);
	probe();
	assert_int_equal(sim_log_debugs, 2);
}

static void capability_at_the_end_of_config_space_is_passed_over(void **state)
{
	static const uint8_t places[] = { 0xf4, 0xfc };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		make_modern();
		regs.free_config = places[i];
		config_space[sim_virtio_pci_add_capability(&regs, 0x09, 2) + 2] = 2;
		probe();
	}
	make_function(0x1045, false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	regs.free_config = 0xec;
	config_space[add_vendor(2, BAR, 0x100, 0x100) + 2] = 32;
	regs.free_config = 0x40;
	sim_virtio_pci_add_modern(&regs);
	probe();
	use_device(virtio_devices());
}

static void capability_list_without_end_ends(void **state)
{
	(void)state;
	make_function(0x1045, false, 0);
	config_space[add_vendor(1, BAR, COMMON, 56) + 1] = 0x40;
	assert_left_alone("no usable notify capability");
}

static void multiplier_that_is_no_even_power_of_two_is_passed_over(void **state)
{
	static const uint32_t bad[] = { 1, 3, 6, 0xffffffff };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		make_modern();
		set32(0x40 + 20 + 16, bad[i]);
		assert_left_alone("no usable notify capability");
	}
}

static void multiplier_of_zero_puts_all_notifications_at_one_place(void **state)
{
	(void)state;
	make_modern();
	set32(0x40 + 20 + 16, 0);
	probe();
	use_device(virtio_devices());
	assert_int_equal(regs.notified_at, 0);
}

static void notify_offset_must_lie_within_its_capability(void **state)
{
	static struct virtq queue;

	(void)state;
	make_modern();
	set32(0x40 + 20 + 12, 0x105);
	regs.notify_offsets[0] = 0x40;
	regs.notify_offsets[1] = 0x41;
	regs.notify_offsets[2] = 0xffff;
	probe();
	assert_int_equal(virtio_negotiate(virtio_devices(), 0), 0);
	assert_int_equal(virtq_create(virtio_devices(), 1, &queue), -EINVAL);
	assert_int_equal(virtq_create(virtio_devices(), 2, &queue), -EINVAL);
	assert_int_equal(sim_frame_in_use(), 0);
	assert_int_equal(sim_log_warnings, 2);
	assert_int_equal(virtq_create(virtio_devices(), 0, &queue), 0);
	virtio_ready(virtio_devices());
	assert_int_equal(virtq_add(&queue, &(struct virtq_buffer){ .length = 4 }, 1, &queue), 0);
	virtq_kick(&queue);
	assert_int_equal(regs.notified_at, 0x100);
}

/* 4.1.5.2: 32 bits, which need room and alignment; sim_virtio checks what they say. */
static void notification_data_goes_to_the_notify_address(void **state)
{
	static const uint64_t formats[] = { 0, VIRTIO_BIT(VIRTIO_F_RING_PACKED) };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		make_function(0x1045, false,
			      VIRTIO_BIT(VIRTIO_F_VERSION_1) | VIRTIO_BIT(1) | formats[i] |
				      VIRTIO_BIT(VIRTIO_F_NOTIFICATION_DATA));
		sim_virtio_pci_add_modern(&regs);
		use_device(probe());
		assert_int_equal(regs.notified_at, 2 * SIM_VIRTIO_PCI_MULTIPLIER);
	}
}

static void notification_data_needs_room_and_alignment(void **state)
{
	static struct virtq queue;

	(void)state;
	make_function(0x1045, false,
		      VIRTIO_BIT(VIRTIO_F_VERSION_1) | VIRTIO_BIT(VIRTIO_F_NOTIFICATION_DATA));
	sim_virtio_pci_add_modern(&regs);
	set32(0x40 + 20 + 12, 0x106);
	set32(0x40 + 20 + 16, 2);
	regs.notify_offsets[0] = 0x81; /* 2 bytes into a word */
	regs.notify_offsets[1] = 0x82; /* 2 bytes of room */
	regs.notify_offsets[2] = 0x80;
	probe();
	assert_int_equal(virtio_negotiate(virtio_devices(), 0), 0);
	assert_int_equal(virtq_create(virtio_devices(), 0, &queue), -EINVAL);
	assert_non_null(strstr(sim_log_warning, "not aligned"));
	assert_int_equal(virtq_create(virtio_devices(), 1, &queue), -EINVAL);
	assert_non_null(strstr(sim_log_warning, "beyond"));
	assert_int_equal(virtq_create(virtio_devices(), 2, &queue), 0);
	virtio_ready(virtio_devices());
	assert_int_equal(virtq_add(&queue, &(struct virtq_buffer){ .length = 4 }, 1, &queue), 0);
	virtq_kick(&queue);
	assert_int_equal(regs.notified_at, 0x100);
}

static void notify_offset_is_computed_in_64_bits(void **state)
{
	static struct virtq queue;

	(void)state;
	make_modern();
	set32(0x40 + 20 + 16, 0x80000000);
	regs.notify_offsets[0] = 2; /* times 2^31 is 0 in 32 bits */
	probe();
	assert_int_equal(virtio_negotiate(virtio_devices(), 0), 0);
	assert_int_equal(virtq_create(virtio_devices(), 0, &queue), -EINVAL);
}

static void queue_beyond_num_queues_is_not_selected(void **state)
{
	static struct virtq queue;

	(void)state;
	make_modern();
	regs.num_queues = 1;
	probe();
	assert_int_equal(virtio_negotiate(virtio_devices(), 0), 0);
	assert_int_equal(virtq_create(virtio_devices(), 1, &queue), -ENODEV);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(each_missing_structure_is_named),
		CASE(modern_device_without_capabilities_is_left_alone),
		CASE(device_without_config_has_an_empty_one),
		CASE(bad_capabilities_are_passed_over),
		CASE(notifying_by_ports_as_well_is_no_fault),
		CASE(unassigned_bar_is_passed_over),
		CASE(first_usable_capability_of_a_type_wins),
		CASE(capability_that_is_too_short_is_passed_over),
		CASE(capability_may_end_with_config_space),
		CASE(windows_are_as_large_as_their_capabilities),
		CASE(bad_capability_is_told_to_who_asks),
		CASE(capability_at_the_end_of_config_space_is_passed_over),
		CASE(capability_list_without_end_ends),
		CASE(multiplier_that_is_no_even_power_of_two_is_passed_over),
		CASE(multiplier_of_zero_puts_all_notifications_at_one_place),
		CASE(notify_offset_must_lie_within_its_capability),
		CASE(notify_offset_is_computed_in_64_bits),
		CASE(notification_data_goes_to_the_notify_address),
		CASE(notification_data_needs_room_and_alignment),
		CASE(queue_beyond_num_queues_is_not_selected),
	};

	return cmocka_run_group_tests_name("virtio_pci_modern", tests, NULL, NULL);
}
