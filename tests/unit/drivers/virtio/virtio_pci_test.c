/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/virtio/virtio_pci.c and virtio_pci_legacy.c: which functions are virtio,
 * by which transport each is used, and how they come and go.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/drivers/virtio/virtio_pci_fixture.h"

static void modern_device_works(void **state)
{
	struct virtio_device *device;

	(void)state;
	make_modern();
	device = probe();
	assert_int_equal(device->type, VIRTIO_ID_BALLOON);
	assert_string_equal(device->address, "0000:00:03.0");
	assert_string_equal(device->transport->name, "pci modern");
	use_device(device);
	assert_int_equal(regs.notified_at, 2 * SIM_VIRTIO_PCI_MULTIPLIER);
	/* The high half of the features arrived, too. */
	assert_true(device->offered & VIRTIO_BIT(33));
	assert_true(device->accepted == (VIRTIO_BIT(VIRTIO_F_VERSION_1) | VIRTIO_BIT(1) |
					 VIRTIO_BIT(VIRTIO_F_ACCESS_PLATFORM)));
}

static void legacy_device_works(void **state)
{
	struct virtio_device *device;

	(void)state;
	make_function(0x1002, true, VIRTIO_BIT(1) | VIRTIO_BIT(31));
	device = probe();
	assert_int_equal(device->type, VIRTIO_ID_BALLOON);
	assert_string_equal(device->transport->name, "pci legacy");
	use_device(device);
	assert_true(device->accepted == VIRTIO_BIT(1));
}

static void transitional_device_is_used_as_modern(void **state)
{
	(void)state;
	make_function(0x1002, false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	sim_virtio_pci_add_modern(&regs);
	assert_string_equal(probe()->transport->name, "pci modern");
	use_device(virtio_devices());
}

static void transitional_device_of_any_revision_is_taken(void **state)
{
	(void)state;
	make_function(0x1002, true, 0);
	pci.revision = 7;
	probe();
}

static void transitional_device_with_bad_capabilities_is_used_as_legacy(void **state)
{
	(void)state;
	make_function(0x1002, true, VIRTIO_BIT(1));
	add_vendor(1, BAR, BAR_SIZE - 32, 56);
	add_vendor(2, BAR, NOTIFY, 0x1000);
	add_vendor(3, BAR, ISR, 1);
	assert_string_equal(probe()->transport->name, "pci legacy");
	use_device(virtio_devices());
}

/* 4.1.2.1: both ranges to their ends; a transitional one tells its type elsewhere. */
static void types_are_told_by_ids(void **state)
{
	static const struct {
		uint16_t id, subsystem, type;
	} cases[] = {
		{ 0x1000, 1, 1 },  { 0x103f, 9, 9 },	  { 0x1041, 0x1100, 1 },
		{ 0x107f, 5, 63 }, { 0x1045, 0x1100, 5 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		make_function(cases[i].id, false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
		pci.subsystem = cases[i].subsystem;
		pci.address = (struct pci_address){ 0x12, 31, 7 };
		sim_virtio_pci_add_modern(&regs);
		assert_int_equal(probe()->type, cases[i].type);
		assert_string_equal(virtio_devices()->address, "0000:12:1f.7");
	}
	/* A type of 0 is none. */
	make_function(0x1040, false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	sim_virtio_pci_add_modern(&regs);
	assert_int_equal(virtio_pci_probe(), 0);
	assert_false(enabled);
}

/* 4.1.4.10: after 20 bytes of registers, or 24 with MSI-X. */
static void ports_are_used_to_their_ends(void **state)
{
	struct virtio_device *device;

	(void)state;
	make_function(0x1002, true, 0);
	device = probe();
	assert_int_equal(device->transport->config_size(device), PORTS_SIZE - 20);
	make_function(0x1002, true, 0);
	pci.bar[0].size = 23;
	assert_left_alone("BAR 0 has no usable ports");
	make_function(0x1002, true, 0);
	pci.bar[0].size = 24;
	device = probe();
	assert_int_equal(device->transport->config_size(device), 4);
}

/* One line says which function it is, and what is missing for either interface. */
static void left_alone_is_said_in_full(void **state)
{
	(void)state;
	make_function(0x1002, true, 0);
	pci.bar[0].kind = PCI_BAR_MEMORY32;
	assert_left_alone("virtio: 0000:00:03.0: [1af4:1002] left alone: no usable common "
			  "capability; BAR 0 is no block of ports");
	make_function(0x1045, false, 0);
	assert_left_alone("virtio: 0000:00:03.0: [1af4:1045] left alone: no usable common "
			  "capability; not transitional");
}

static void other_functions_are_not_virtio(void **state)
{
	static const uint16_t ids[] = { 0x0fff, 0x1080, 0x1110 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		make_function(ids[i], false, 0);
		assert_int_equal(virtio_pci_probe(), 0);
		assert_false(enabled);
		assert_int_equal(sim_log_warnings, 0);
	}
	make_modern();
	pci.vendor = 0x8086;
	assert_int_equal(virtio_pci_probe(), 0);
	assert_int_equal(sim_log_warnings, 0);
	assert_false(enabled);
}

static void probing_again_starts_anew(void **state)
{
	(void)state;
	make_modern();
	for (unsigned i = 0; i < 100; i++)
		probe();
	assert_null(virtio_devices()->next);
	assert_null(sim_irq_line->next);
}

static void interrupt_once_more(struct sim_virtio *virtio)
{
	virtio->isr = VIRTIO_ISR_QUEUE;
}

/* And an interrupt that the line still has is taken off it. */
static void device_is_reset_by_the_probe(void **state)
{
	(void)state;
	make_modern();
	sim.status = 15;
	sim.on_reset = interrupt_once_more;
	probe();
	assert_int_equal(sim.status, 0);
	assert_int_equal(sim.isr, 0);
	sim.on_reset = NULL;
}

static void transitional_device_without_ports_is_left_alone(void **state)
{
	(void)state;
	make_function(0x1002, true, 0);
	pci.bar[0].kind = PCI_BAR_MEMORY32;
	assert_left_alone("BAR 0 is no block of ports");
	make_function(0x1002, true, 0);
	pci.bar[0].address = 0;
	assert_left_alone("BAR 0 has no usable ports");
	make_function(0x1002, true, 0);
	pci.bar[0].address = 0xfff0;
	assert_left_alone("BAR 0 has no usable ports");
	make_function(0x1002, true, 0);
	pci.bar[0].size = 16;
	assert_left_alone("BAR 0 has no usable ports");
	make_function(0x1002, true, 0);
	pci.bar[0].address = 0x10001 - pci.bar[0].size;
	assert_left_alone("BAR 0 has no usable ports");
}

static void queue_that_is_in_use_already_is_an_error(void **state)
{
	static struct virtq queue;

	(void)state;
	for (unsigned legacy = 0; legacy < 2; legacy++) {
		if (legacy)
			make_function(0x1002, true, 0);
		else
			make_modern();
		probe();
		assert_int_equal(virtio_negotiate(virtio_devices(), 0), 0);
		sim.queue[0].enabled = true;
		sim.queue[0].desc = 0x1000;
		assert_int_equal(virtq_create(virtio_devices(), 0, &queue), -EIO);
		sim.queue[0].enabled = false;
		sim.refuse_queues = true;
		assert_int_equal(virtq_create(virtio_devices(), 0, &queue), -EIO);
		assert_int_equal(sim_frame_in_use(), 0);
	}
}

static unsigned config_writes;

static void count_config_write(struct sim_virtio *virtio, size_t offset)
{
	(void)virtio;
	assert_int_equal(offset, 8);
	config_writes++;
}

/* 5.5.6.2.1 wants that of a legacy balloon. */
static void config_of_four_bytes_is_written_at_once(void **state)
{
	struct virtio_device *device;

	(void)state;
	for (unsigned legacy = 0; legacy < 2; legacy++) {
		if (legacy)
			make_function(0x1002, true, 0);
		else
			make_modern();
		device = probe();
		assert_int_equal(virtio_negotiate(device, 0), 0);
		sim.on_config_write = count_config_write;
		config_writes = 0;
		device->transport->config_write32(device, 8, 0x44332211);
		assert_int_equal(config_writes, 1);
		assert_int_equal(sim_virtio_config32(&sim, 8), 0x44332211);
		assert_int_equal(device->transport->config_read32(device, 8), 0x44332211);
	}
}

/* ---- Coming and going ---- */

static unsigned probes, removals;
static const char *broken_at_removal;

static int count_probe(struct virtio_device *device)
{
	(void)device;
	probes++;
	return 0;
}

static void count_removal(struct virtio_device *device)
{
	removals++;
	broken_at_removal = device->broken;
}

static void a_function_comes_and_goes(void **state)
{
	static struct virtio_driver driver = { .type = VIRTIO_ID_BALLOON,
					       .probe = count_probe,
					       .remove = count_removal };

	(void)state;
	make_modern();
	pci.vendor = 0;
	assert_int_equal(virtio_pci_probe(), 0);
	probes = removals = 0;
	assert_int_equal(virtio_register_driver(&driver), -ENODEV);
	pci.vendor = 0x1af4;
	/* More often than there are entries. */
	for (unsigned i = 1; i <= 40; i++) {
		bool gone = i % 2;

		virtio_pci_add(&pci);
		assert_int_equal(probes, i);
		assert_ptr_equal(virtio_devices()->driver, &driver);
		virtio_pci_remove(&pci, gone);
		virtio_pci_remove(&pci, gone);
		assert_int_equal(removals, i);
		assert_true(gone == !!broken_at_removal);
		assert_null(virtio_devices());
		assert_null(sim_irq_line);
	}
	driver.type = 0; /* for the other tests it is not there */
}

#define MOST 16 /* devices that there is room for */

/* Of many that are there, that one goes that is meant; and there is room for so many. */
static void many_functions_come_and_go_one_by_one(void **state)
{
	static struct pci_device more[MOST];
	static const char *const left[] = { "0000:00:02.0", "0000:00:0b.0" };

	(void)state;
	make_modern();
	pci.vendor = 0;
	for (unsigned i = 0; i < MOST; i++) {
		more[i] = pci;
		more[i].vendor = 0x1af4;
		more[i].address.device = (uint8_t)i;
		virtio_pci_add(&more[i]);
	}
	assert_int_equal(sim_log_warnings, 0);
	pci.vendor = 0x1af4;
	virtio_pci_add(&pci);
	assert_int_equal(sim_log_warnings, 1);
	assert_string_equal(sim_log_warning,
			    "virtio: more than 16 devices: the others are left alone");
	for (unsigned i = 0; i < MOST; i++)
		if (i != 2 && i != 11)
			virtio_pci_remove(&more[i], i % 2);
	assert_string_equal(virtio_devices()->address, left[0]);
	assert_string_equal(virtio_devices()->next->address, left[1]);
	assert_null(virtio_devices()->next->next);
	/* A probe drops what is not there any more, wherever it was noted. */
	assert_int_equal(virtio_pci_probe(), 1);
	assert_string_equal(virtio_devices()->address, "0000:00:03.0");
	assert_null(virtio_devices()->next);
	pci.next = &more[5];
	assert_int_equal(virtio_pci_probe(), 2);
	assert_string_equal(virtio_devices()->next->address, "0000:00:05.0");
	pci.next = NULL;
	assert_int_equal(virtio_pci_probe(), 1);
}

/* Nothing of it reaches the device. */
static void queue_too_high_for_a_legacy_device_is_refused(void **state)
{
	struct virtq high = { .desc = (void *)(uintptr_t)(UINT64_C(1) << 44), .size = 128 };
	struct virtio_device *device;

	(void)state;
	make_function(0x1002, true, 0);
	device = probe();
	assert_int_equal(virtio_negotiate(device, 0), 0);
	high.device = device;
	assert_int_equal(device->transport->queue_enable(device, &high), -EINVAL);
	assert_int_equal(sim_log_warnings, 1);
	assert_false(sim.queue[0].enabled);
}

static void gone_device_is_an_error_everywhere(void **state)
{
	static struct virtq queue;
	struct virtio_device *device;

	(void)state;
	make_modern();
	device = probe();
	assert_int_equal(virtio_negotiate(device, 0), 0);
	sim.gone = true;
	assert_int_equal(virtq_create(device, 0, &queue), -EIO);
	assert_true(virtio_needs_reset(device));
	assert_int_equal(virtio_negotiate(device, 0), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(modern_device_works),
		CASE(legacy_device_works),
		CASE(transitional_device_is_used_as_modern),
		CASE(transitional_device_of_any_revision_is_taken),
		CASE(transitional_device_with_bad_capabilities_is_used_as_legacy),
		CASE(types_are_told_by_ids),
		CASE(ports_are_used_to_their_ends),
		CASE(left_alone_is_said_in_full),
		CASE(other_functions_are_not_virtio),
		CASE(probing_again_starts_anew),
		CASE(device_is_reset_by_the_probe),
		CASE(transitional_device_without_ports_is_left_alone),
		CASE(queue_that_is_in_use_already_is_an_error),
		CASE(config_of_four_bytes_is_written_at_once),
		CASE(many_functions_come_and_go_one_by_one),
		CASE(queue_too_high_for_a_legacy_device_is_refused),
		CASE(gone_device_is_an_error_everywhere),
		CASE(a_function_comes_and_goes),
	};

	return cmocka_run_group_tests_name("virtio_pci", tests, NULL, NULL);
}
