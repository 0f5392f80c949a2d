/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSI-X (PCI Local Bus 3.0, 6.8.2) on a simulated function: its table of the
 * largest size, and what is written to find and to use it.
 */
#include "drivers/pci/pci_msix.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/pci/pci_internal.h"
#include "tests/sim/sim_log.h"
#include "tests/sim/sim_pci.h"

#define COMMAND 0x04
#define CAPABILITY 0x98
#define CONTROL (CAPABILITY + 2)
#define TABLE (CAPABILITY + 4)
#define BAR 1
#define BAR_SIZE 0x10000
#define ENTRIES 2048 /* the most that there can be */
#define MASKED 1

static const struct pci_windows windows = {
	.memory_start = 0xc0000000,
	.memory_end = 0xfec00000,
};

static struct sim_pci_function *sim;
static struct pci_msix msix;
static uint32_t table[ENTRIES][4];
static uint32_t table_at;
static unsigned writes_elsewhere; /* in config space */

/* The word of the table at this place; beside it there must be no access. */
static uint32_t *word(unsigned bar, uint64_t offset, unsigned width)
{
	assert_int_equal(bar, BAR);
	assert_int_equal(width, 4);
	assert_in_range(offset, table_at, table_at + sizeof(table) - 4);
	return &table[(offset - table_at) / 16][offset / 4 % 4];
}

static uint32_t table_read(struct sim_pci_function *f, unsigned bar, uint64_t offset,
			   unsigned width)
{
	(void)f;
	return *word(bar, offset, width);
}

static void table_write(struct sim_pci_function *f, unsigned bar, uint64_t offset, unsigned width,
			uint32_t value)
{
	uint32_t *at = word(bar, offset, width);

	(void)f;
	/* 6.8.2.9: what an entry says is changed only while it is masked. */
	assert_true(offset % 16 == 12 || table[(offset - table_at) / 16][3] & MASKED);
	*at = value;
}

static void note_write(struct sim_pci_function *f, unsigned offset, uint32_t value)
{
	(void)f;
	(void)value;
	if (offset != CONTROL)
		writes_elsewhere++;
}

/* The function, as its driver finds it; nothing of it is masked. */
static void make_function(uint32_t where)
{
	sim_log_reset();
	sim_pci_reset();
	assert_int_equal(pci_config_use_ports(), 0);
	sim = sim_pci_add(NULL, 3, 0, 0x1af4, 0x1045, 0x00ff00);
	sim_pci_set_bar(sim, BAR, SIM_PCI_MEMORY32, BAR_SIZE, 0xfe000000);
	sim->config[0x34] = CAPABILITY;
	sim_pci_set_capability(sim, CAPABILITY, 0x11, 0);
	sim_pci_put(sim, CONTROL, 2, ENTRIES - 1);
	sim->writable[CONTROL + 1] = 0xc0;
	sim_pci_put(sim, TABLE, 4, where | BAR);
	sim->read = table_read;
	sim->write = table_write;
	table_at = where;
	memset(table, 0, sizeof(table));
	assert_int_equal(pci_scan(&windows), 1);
	pci_enable(pci_devices());
	writes_elsewhere = 0;
	sim_pci_on_write = note_write;
}

static int teardown(void **state)
{
	(void)state;
	return sim_pci_violation ? -1 : 0;
}

static unsigned unmasked(void)
{
	unsigned count = 0;

	for (size_t i = 0; i < ENTRIES; i++)
		count += !(table[i][3] & MASKED);
	return count;
}

static void a_table_of_2048_entries_is_used_to_its_last(void **state)
{
	(void)state;
	make_function(BAR_SIZE - sizeof(table));
	assert_int_equal(pci_msix_setup(pci_devices(), &msix), 0);
	assert_int_equal(msix.count, ENTRIES);
	assert_int_equal(unmasked(), 0);
	pci_msix_set(&msix, ENTRIES - 1, UINT64_C(0x1fee01000), 77);
	assert_int_equal(unmasked(), 1);
	assert_int_equal(table[ENTRIES - 1][0], 0xfee01000);
	assert_int_equal(table[ENTRIES - 1][1], 1);
	assert_int_equal(table[ENTRIES - 1][2], 77);
	assert_int_equal(pci_msix_enable(&msix), 0);
	assert_int_equal(sim_pci_get(sim, CONTROL, 2), 0x8000 | (ENTRIES - 1));
}

static void a_table_that_ends_behind_its_bar_is_refused(void **state)
{
	(void)state;
	make_function(BAR_SIZE - sizeof(table) + 16);
	assert_int_equal(pci_msix_setup(pci_devices(), &msix), -EINVAL);
}

/* All else of a capability is the device's to say. */
static void only_the_control_word_is_written(void **state)
{
	(void)state;
	make_function(0);
	sim_pci_put(sim, CONTROL, 2, 0xc000 | (ENTRIES - 1)); /* left on by a firmware */
	memset(sim->writable + CAPABILITY, 0xff, 12);
	assert_int_equal(pci_msix_setup(pci_devices(), &msix), 0);
	assert_int_equal(pci_msix_enable(&msix), 0);
	pci_msix_disable(&msix);
	assert_int_equal(writes_elsewhere, 0);
	assert_int_equal(sim_pci_get(sim, CONTROL, 2) & 0x7ff, ENTRIES - 1);
	assert_int_equal(sim_pci_get(sim, TABLE, 4), BAR);
}

/* 6.8.2.9: the other bits of an entry's control are reserved, and stay. */
static void masking_keeps_what_is_reserved(void **state)
{
	(void)state;
	make_function(0);
	for (size_t i = 0; i < ENTRIES; i++)
		table[i][3] = 0xa5a5a5a4;
	assert_int_equal(pci_msix_setup(pci_devices(), &msix), 0);
	for (size_t i = 0; i < ENTRIES; i++)
		assert_int_equal(table[i][3], 0xa5a5a5a5);
	pci_msix_set(&msix, 5, 0xfee00000, 33);
	assert_int_equal(table[5][3], 0xa5a5a5a4);
}

static void a_function_without_the_capability_is_enodev(void **state)
{
	unsigned writes;

	(void)state;
	make_function(0);
	sim->config[0x34] = 0;
	writes = sim_pci_writes;
	assert_int_equal(pci_msix_setup(pci_devices(), &msix), -ENODEV);
	pci_msix_disable(&msix);
	assert_int_equal(sim_pci_writes, writes);
}

static void a_capability_must_fit_into_config_space(void **state)
{
	(void)state;
	for (uint8_t at = 0xf4; at <= 0xf8; at = (uint8_t)(at + 4)) {
		make_function(0);
		sim->config[0x34] = at;
		sim_pci_set_capability(sim, at, 0x11, 0);
		sim_pci_put(sim, at + 2u, 2, 0);
		sim_pci_put(sim, at + 4u, 4, BAR);
		assert_int_equal(pci_msix_setup(pci_devices(), &msix), at == 0xf4 ? 0 : -EINVAL);
	}
}

/* Or messages would be sent that nobody awaits, or none that somebody does. */
static void what_is_not_enabled_unmasked_is_turned_off(void **state)
{
	(void)state;
	make_function(0);
	assert_int_equal(pci_msix_setup(pci_devices(), &msix), 0);
	sim->writable[CONTROL + 1] = 0x00;
	assert_int_equal(pci_msix_enable(&msix), -EIO);
	assert_int_equal(sim_pci_get(sim, CONTROL, 2), ENTRIES - 1);
	sim->writable[CONTROL + 1] = 0x80;
	sim_pci_put(sim, CONTROL, 2, 0x4000 | (ENTRIES - 1));
	assert_int_equal(pci_msix_enable(&msix), -EIO);
	assert_int_equal(sim_pci_get(sim, CONTROL, 2), 0x4000 | (ENTRIES - 1));
}

#define CASE(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_table_of_2048_entries_is_used_to_its_last),
		CASE(a_table_that_ends_behind_its_bar_is_refused),
		CASE(only_the_control_word_is_written),
		CASE(masking_keeps_what_is_reserved),
		CASE(a_function_without_the_capability_is_enodev),
		CASE(a_capability_must_fit_into_config_space),
		CASE(what_is_not_enabled_unmasked_is_turned_off),
	};

	return cmocka_run_group_tests_name("pci_msix", tests, NULL, NULL);
}
