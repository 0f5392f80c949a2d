/* SPDX-License-Identifier: BSD-2-Clause */
/* Capability lists, sound and hostile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "drivers/pci/pci_internal.h"
#include "tests/sim/sim_pci.h"

static struct sim_pci_function *sim;
static struct pci_device device;

static int setup(void **state)
{
	(void)state;
	sim_pci_reset();
	sim = sim_pci_add(NULL, 3, 0, 0x1af4, 0x1002, 0x00ff00);
	device = (struct pci_device){ .address = { .device = 3 } };
	return pci_config_use_ports();
}

/* QEMU's virtio order: 0x98 MSI-X, then vendor capabilities downwards. */
static void add_virtio_list(void)
{
	sim->config[0x34] = 0x98;
	sim_pci_set_capability(sim, 0x98, 0x11, 0x84);
	sim_pci_set_capability(sim, 0x84, 0x09, 0x70);
	sim_pci_set_capability(sim, 0x70, 0x09, 0x60);
	sim_pci_set_capability(sim, 0x60, 0x01, 0x00);
}

static void capabilities_are_found_in_the_order_of_the_list(void **state)
{
	uint8_t id;

	(void)state;
	add_virtio_list();
	assert_int_equal(pci_find_capability(&device, 0x11, 0), 0x98);
	assert_int_equal(pci_find_capability(&device, 0x09, 0), 0x84);
	assert_int_equal(pci_find_capability(&device, 0x09, 0x84), 0x70);
	assert_int_equal(pci_find_capability(&device, 0x09, 0x70), 0);
	assert_int_equal(pci_find_capability(&device, 0x01, 0x98), 0x60);
	assert_int_equal(pci_find_capability(&device, 0x05, 0), 0);
	/* 0 is an id like any other. */
	assert_int_equal(pci_find_capability(&device, 0x00, 0), 0);
	assert_int_equal(pci_next_capability(&device, 0, &id), 0x98);
	assert_int_equal(id, 0x11);
	assert_int_equal(pci_next_capability(&device, 0x70, &id), 0x60);
	assert_int_equal(id, 0x01);
	assert_int_equal(pci_next_capability(&device, 0x60, &id), 0);
}

static void nothing_comes_behind_an_offset_that_is_not_in_the_list(void **state)
{
	(void)state;
	add_virtio_list();
	assert_int_equal(pci_find_capability(&device, 0x09, 0x44), 0);
}

static void without_the_status_bit_there_is_no_list(void **state)
{
	(void)state;
	add_virtio_list();
	sim->config[0x06] = 0;
	assert_int_equal(pci_find_capability(&device, 0x11, 0), 0);
}

static void an_unknown_header_has_no_list(void **state)
{
	(void)state;
	add_virtio_list();
	device.header_type = 2;
	assert_int_equal(pci_find_capability(&device, 0x11, 0), 0);
}

static void the_low_bits_of_a_pointer_are_ignored(void **state)
{
	(void)state;
	add_virtio_list();
	sim->config[0x34] = 0x9b;
	assert_int_equal(pci_find_capability(&device, 0x11, 0), 0x98);
}

static void a_loop_ends_the_walk(void **state)
{
	(void)state;
	add_virtio_list();
	sim->config[0x61] = 0x84;
	sim_pci_reads = 0;
	assert_int_equal(pci_find_capability(&device, 0x05, 0), 0);
	assert_true(sim_pci_reads < 20);
	sim->config[0x99] = 0x98;
	assert_int_equal(pci_find_capability(&device, 0x05, 0), 0);
}

static void a_loop_ends_also_for_a_caller_that_asks_on(void **state)
{
	unsigned at = 0;
	unsigned found = 0;

	(void)state;
	add_virtio_list();
	sim->config[0x61] = 0x98;
	while ((at = pci_find_capability(&device, 0x09, at)) != 0 && found < 100)
		found++;
	assert_int_equal(found, 2);
}

static void a_pointer_into_the_header_ends_the_walk(void **state)
{
	(void)state;
	add_virtio_list();
	/* What lies at 0x10 looks like a capability. */
	sim->config[0x85] = 0x10;
	sim->config[0x10] = 0x05;
	assert_int_equal(pci_find_capability(&device, 0x05, 0), 0);
	sim->config[0x34] = 0x3c;
	assert_int_equal(pci_find_capability(&device, 0x11, 0), 0);
}

static void the_last_place_can_hold_one(void **state)
{
	(void)state;
	sim->config[0x34] = 0xfc;
	sim_pci_set_capability(sim, 0xfc, 0x05, 0);
	assert_int_equal(pci_find_capability(&device, 0x05, 0), 0xfc);
}

static void a_full_list_is_walked_to_its_end(void **state)
{
	(void)state;
	sim->config[0x34] = 0x40;
	for (unsigned at = 0x40; at < 0x100; at += 4)
		sim_pci_set_capability(sim, at, at == 0xfc ? 0x05 : 0x09,
				       (uint8_t)(at == 0xfc ? 0 : at + 4));
	assert_int_equal(pci_find_capability(&device, 0x05, 0), 0xfc);
}

static void a_device_that_is_gone_has_none(void **state)
{
	(void)state;
	add_virtio_list();
	sim->gone = true;
	sim_pci_reads = 0;
	assert_int_equal(pci_find_capability(&device, 0xff, 0), 0);
	assert_true(sim_pci_reads <= 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(capabilities_are_found_in_the_order_of_the_list, setup),
		cmocka_unit_test_setup(nothing_comes_behind_an_offset_that_is_not_in_the_list,
				       setup),
		cmocka_unit_test_setup(without_the_status_bit_there_is_no_list, setup),
		cmocka_unit_test_setup(an_unknown_header_has_no_list, setup),
		cmocka_unit_test_setup(the_low_bits_of_a_pointer_are_ignored, setup),
		cmocka_unit_test_setup(a_loop_ends_the_walk, setup),
		cmocka_unit_test_setup(a_loop_ends_also_for_a_caller_that_asks_on, setup),
		cmocka_unit_test_setup(a_pointer_into_the_header_ends_the_walk, setup),
		cmocka_unit_test_setup(the_last_place_can_hold_one, setup),
		cmocka_unit_test_setup(a_full_list_is_walked_to_its_end, setup),
		cmocka_unit_test_setup(a_device_that_is_gone_has_none, setup),
	};

	return cmocka_run_group_tests_name("pci_capability", tests, NULL, NULL);
}
