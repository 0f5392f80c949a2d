/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers/virtio/virtio_pci_irq.c: INTx, messages, and how one gives way to the other. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/drivers/virtio/virtio_pci_fixture.h"

static void interrupt_of_another_device_is_not_claimed(void **state)
{
	struct virtio_device *device;

	(void)state;
	make_modern();
	device = probe();
	assert_false(sim_irq_line->handle(sim_irq_line));
	assert_int_equal(device->interrupt_count, 0);
	sim.isr = VIRTIO_ISR_QUEUE | VIRTIO_ISR_CONFIG;
	assert_true(sim_irq_line->handle(sim_irq_line));
	assert_int_equal(device->interrupt_count, 1);
	assert_true(device->config_changed);
	assert_false(sim_irq_line->handle(sim_irq_line));
}

static void interrupt_with_a_gone_device_wakes_but_is_not_claimed(void **state)
{
	(void)state;
	make_modern();
	probe();
	sim.gone = true;
	assert_false(sim_irq_line->handle(sim_irq_line));
	assert_int_equal(sim_time_wakes, 1);
	assert_int_equal(virtio_devices()->interrupt_count, 0);
	assert_false(virtio_devices()->config_changed);
}

static void device_without_interrupt_pin_is_said_to_be_polled(void **state)
{
	(void)state;
	make_modern();
	pci.interrupt_pin = 0;
	assert_int_equal(virtio_pci_probe(), 1);
	assert_null(sim_irq_line);
	assert_int_equal(sim_log_warnings, 1);
	assert_string_equal(sim_log_warning,
			    "virtio: 0000:00:03.0: has no interrupt pin: it will be polled");
	assert_string_equal(virtio_devices()->interrupts_by, "nothing");
}

/* ---- MSI-X ---- */

static void add_msix(unsigned count)
{
	sim_virtio_pci_add_msix(&regs, count);
	pci.bar[TABLE_BAR] = (struct pci_bar){ PCI_BAR_MEMORY32, false, 0xfe000000,
					       SIM_VIRTIO_PCI_TABLE_SIZE };
}

static void msix_left_on_by_the_firmware_is_turned_off(void **state)
{
	(void)state;
	make_modern();
	add_msix(2);
	pci_write16(&pci, regs.msix + 2, 0xc001);
	pci.bar[TABLE_BAR].address = 0; /* there is no way to use it */
	assert_int_equal(virtio_pci_probe(), 1);
	assert_int_equal(pci_read16(&pci, regs.msix + 2), 0x4001);
}

static void msix_has_one_vector_for_config_and_one_for_queues(void **state)
{
	(void)state;
	for (unsigned legacy = 0; legacy < 2; legacy++) {
		struct virtio_device *device;

		make_either(legacy);
		add_msix(3);
		device = probe();
		assert_null(sim_irq_line);
		assert_string_equal(device->interrupts_by,
				    "MSI-X, vectors 64 (config), 65 (queues)");
		assert_false(device->shared_interrupt);
		use_device(device);
		/* A second life: the reset had taken the vectors. */
		use_device(device);
		assert_int_equal(regs.config_vector, SIM_VIRTIO_PCI_NO_VECTOR);
	}
}

static void msix_with_one_vector_means_both(void **state)
{
	static struct virtq queue;

	(void)state;
	for (unsigned legacy = 0; legacy < 2; legacy++) {
		struct virtio_device *device;

		make_either(legacy);
		add_msix(1);
		device = probe();
		assert_string_equal(device->interrupts_by, "MSI-X, vector 64");
		assert_true(device->shared_interrupt);
		assert_int_equal(virtio_negotiate(device, 0), 0);
		assert_int_equal(virtq_create(device, 2, &queue), 0);
		virtio_ready(device);
		assert_int_equal(regs.config_vector, 0);
		assert_int_equal(regs.queue_vector[2], 0);
		sim_virtio_interrupt(&sim, VIRTIO_ISR_QUEUE);
		assert_int_equal(device->interrupt_count, 1);
		assert_true(device->config_changed);
		sim_virtio_set_config32(&sim, 0, 5);
		assert_int_equal(device->interrupt_count, 2);
		assert_int_equal(virtio_config_read32(device, 0), 5);
		virtio_break(device, "end of test");
		virtq_destroy(&queue);
	}
}

/* Each way in which it cannot be had; INTx works then. */
static void msix_that_does_not_work_leaves_intx(void **state)
{
	(void)state;
	for (unsigned legacy = 0; legacy < 2; legacy++) {
		for (unsigned how = 0; how < 5; how++) {
			make_either(legacy);
			add_msix(2);
			if (how == 0)
				pci.bar[TABLE_BAR].size = SIM_VIRTIO_PCI_TABLE + 2 * 16 - 1;
			else if (how == 1)
				set32(regs.msix + 4, SIM_VIRTIO_PCI_TABLE | 7);
			else if (how == 2)
				pci.bar[TABLE_BAR].address = 0;
			else if (how == 3)
				sim_irq_messages_left = 0;
			else
				enable_is_refused = true;
			assert_int_equal(virtio_pci_probe(), 1);
			assert_int_equal(sim_log_warnings, 1);
			assert_non_null(
				strstr(sim_log_warning, "virtio: 0000:00:03.0: no MSI-X: error -"));
			assert_non_null(sim_irq_line);
			assert_int_equal(sim_irq_messages(), 0);
			assert_string_equal(virtio_devices()->interrupts_by, "INTx");
			use_device(virtio_devices());
		}
	}
}

static void table_that_just_fits_is_used(void **state)
{
	(void)state;
	make_modern();
	add_msix(2);
	pci.bar[TABLE_BAR].size = SIM_VIRTIO_PCI_TABLE + 2 * 16;
	use_device(probe());
	assert_null(sim_irq_line);
}

static void msix_vectors_can_run_short(void **state)
{
	(void)state;
	make_modern();
	add_msix(2);
	sim_irq_messages_left = 1;
	assert_string_equal(probe()->interrupts_by, "MSI-X, vector 64");
}

/* 0: not even the config's; 1: only that one. */
static void vector_that_does_not_read_back_means_intx(void **state)
{
	(void)state;
	for (unsigned legacy = 0; legacy < 2; legacy++) {
		for (uint16_t taken = 0; taken < 2; taken++) {
			struct virtio_device *device;

			make_either(legacy);
			add_msix(2);
			device = probe();
			regs.vectors_taken = taken;
			use_device(device);
			assert_string_equal(sim_log_first_warning,
					    "virtio: 0000:00:03.0: does not take an MSI-X vector: "
					    "INTx instead");
			assert_string_equal(device->interrupts_by, "INTx");
			assert_non_null(sim_irq_line);
			assert_int_equal(sim_irq_messages(), 0);
			assert_false(sim_virtio_pci_msix_is_on(&regs));
		}
	}
}

/* As a person wants it: for good, and so the last of these tests. */
static void msix_can_be_refused(void **state)
{
	(void)state;
	make_modern();
	add_msix(2);
	virtio_pci_refuse_msix();
	assert_string_equal(probe()->interrupts_by, "INTx");
	assert_false(sim_virtio_pci_msix_is_on(&regs));
	assert_int_equal(sim_irq_messages(), 0);
	use_device(virtio_devices());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(interrupt_of_another_device_is_not_claimed),
		CASE(interrupt_with_a_gone_device_wakes_but_is_not_claimed),
		CASE(device_without_interrupt_pin_is_said_to_be_polled),
		CASE(msix_left_on_by_the_firmware_is_turned_off),
		CASE(msix_has_one_vector_for_config_and_one_for_queues),
		CASE(msix_with_one_vector_means_both),
		CASE(msix_that_does_not_work_leaves_intx),
		CASE(table_that_just_fits_is_used),
		CASE(msix_vectors_can_run_short),
		CASE(vector_that_does_not_read_back_means_intx),
		CASE(msix_can_be_refused),
	};

	return cmocka_run_group_tests_name("virtio_pci_irq", tests, NULL, NULL);
}
