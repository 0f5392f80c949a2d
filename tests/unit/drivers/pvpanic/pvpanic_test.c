/* SPDX-License-Identifier: BSD-2-Clause */
/* Telling the host of a panic, by ports and by PCI functions; once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arch/clock.h"
#include "arch/io.h"
#include "arch/mmio.h"
#include "drivers/acpi/acpi.h"
#include "drivers/pci/pci.h"
#include "drivers/pvpanic/pvpanic.h"
#include "tests/sim/sim_log.h"

#define PORT 0x505

/* The DSDT's devices. */
static struct acpi_device described[8];
static size_t described_count;
static unsigned asked;

/* What answers, and what was written: ports, and one register in memory. */
static uint8_t port_events[0x10000];
static unsigned port_writes, memory_writes;
static uint16_t last_port;
static uint8_t last_value, memory_register;
static int map_err;
static int enabled;
static uint64_t awake, step;
static unsigned looks, looks_before_write;

int acpi_find_device(const char *hid, size_t n, struct acpi_device *device)
{
	assert_string_equal(hid, "QEMU0001");
	assert_int_equal(n, asked++);
	if (n >= described_count)
		return -ENOENT;
	*device = described[n];
	return 0;
}

uint8_t io_read8(uint16_t port)
{
	looks++;
	return port_events[port];
}

void io_write8(uint16_t port, uint8_t value)
{
	port_writes++;
	looks_before_write = looks;
	last_port = port;
	last_value = value;
}

uint8_t mmio_read8(const void *reg)
{
	looks++;
	return *(const uint8_t *)reg;
}

void mmio_write8(void *reg, uint8_t value)
{
	assert_ptr_equal(reg, &memory_register);
	memory_writes++;
	last_value = value;
}

int pci_map_bar(const struct pci_device *device, unsigned bar, uint64_t offset, uint64_t size,
		void **window)
{
	(void)device;
	assert_true(enabled > 0);
	assert_int_equal(bar, 0);
	assert_int_equal(offset, 0);
	assert_int_equal(size, 1);
	*window = &memory_register;
	return map_err;
}

void pci_enable(const struct pci_device *device)
{
	(void)device;
	enabled++;
}

void pci_disable(const struct pci_device *device)
{
	(void)device;
	enabled--;
}

uint64_t clock_awake_ns(void)
{
	return awake += step;
}

static const struct pci_device function = { .vendor = 0x1b36,
					    .device = 0x0011,
					    .address = {
						    .bus = 0x12, .device = 0x1a, .function = 7 } };

/* A panic is once in a program's life: each test has a process of its own. */
static int in_child(void (*test)(void))
{
	pid_t child;
	int status;

	fflush(stdout);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		memset(port_events, 0xff, sizeof(port_events));
		memory_register = 0xff;
		step = NS_PER_MS;
		sim_log_reset();
		test();
		fflush(stdout);
		exit(0); /* not _exit(): what was covered is written */
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void describe(uint16_t port)
{
	described[described_count++] = (struct acpi_device){ .port = port };
}

/* Leaves the child with a status that the parent sees. */
#define MUST(what) \
	do { \
		if (!(what)) { \
			printf("line %d: %s\n", __LINE__, #what); \
			fflush(stdout); \
			exit(1); \
		} \
	} while (0)

static void port_is_told(void)
{
	describe(PORT);
	port_events[PORT] = 3;
	pvpanic_find();
	MUST(port_writes == 0);
	MUST(asked == 2);
	MUST(sim_log_infos == 1 && strcmp(sim_log_info, "pvpanic: port 0x505") == 0);
	pvpanic_tell();
	MUST(port_writes == 1 && last_port == PORT && last_value == 1);
	/* The second panic of a panic. */
	pvpanic_tell();
	MUST(port_writes == 1);
}

static void nobody_is_told(void)
{
	describe(PORT);	 /* reads as ones: no device */
	describe(0x600); /* does not know this event */
	describe(0);	 /* no ports at all */
	port_events[0x600] = 2;
	port_events[0] = 1;
	pvpanic_find();
	MUST(sim_log_infos == 0);
	/* Where there are no ports, none is read. */
	MUST(looks == 2);
	pvpanic_tell();
	MUST(port_writes == 0 && memory_writes == 0);
}

static void function_is_told(void)
{
	memory_register = 1;
	pvpanic_pci_add(&function);
	MUST(enabled == 1);
	MUST(sim_log_infos == 1 && strcmp(sim_log_info, "pvpanic: 12:1a.7") == 0);
	pvpanic_tell();
	MUST(memory_writes == 1 && last_value == 1);
}

static void other_functions_are_left_alone(void)
{
	static const struct pci_device others[] = { { .vendor = 0x1b36, .device = 0x0010 },
						    { .vendor = 0x1af4, .device = 0x0011 } };

	memory_register = 1;
	pvpanic_pci_add(&others[0]);
	pvpanic_pci_add(&others[1]);
	MUST(enabled == 0);
	/* One that does not answer, and one that cannot be reached, are turned off again. */
	memory_register = 0xff;
	pvpanic_pci_add(&function);
	MUST(enabled == 0);
	memory_register = 1;
	map_err = -ENXIO;
	pvpanic_pci_add(&function);
	MUST(enabled == 0);
	pvpanic_tell();
	MUST(memory_writes == 0);
}

static void of_several_the_first_is_told(void)
{
	for (uint16_t i = 0; i < 6; i++) {
		describe((uint16_t)(PORT + i));
		port_events[PORT + i] = i == 0 ? 2 : 1;
	}
	memory_register = 1;
	pvpanic_find();
	/* Four are asked for; the first is none. */
	MUST(asked == 4 && sim_log_infos == 3);
	pvpanic_pci_add(&function);
	MUST(enabled == 1);
	pvpanic_tell();
	MUST(port_writes == 1 && last_port == PORT + 1 && memory_writes == 0);
}

/* By the bridge that it is behind, say. */
static void twice_described_takes_one_entry(void)
{
	for (unsigned i = 0; i < 4; i++) {
		describe((uint16_t)(PORT + i / 2));
		port_events[PORT + i / 2] = 1;
	}
	memory_register = 1;
	pvpanic_find();
	MUST(sim_log_infos == 2);
	pvpanic_pci_add(&function);
	MUST(enabled == 1);
}

/* Room is made by what goes. */
static void fifth_device_is_left_alone(void)
{
	for (uint16_t i = 0; i < 4; i++) {
		describe((uint16_t)(PORT + i));
		port_events[PORT + i] = i < 3;
	}
	memory_register = 1;
	pvpanic_find();
	for (unsigned i = 0; i < 3; i++) {
		pvpanic_pci_add(&function);
		MUST(enabled == 1);
		pvpanic_pci_remove(&function);
		enabled = 0;
	}
	port_events[PORT + 3] = 1;
	asked = 0;
	pvpanic_find();
	MUST(sim_log_infos == 3 + 3 + 1);
	pvpanic_pci_add(&function);
	MUST(enabled == 0);
	pvpanic_tell();
	MUST(port_writes == 1 && last_port == PORT && memory_writes == 0);
}

static void unplugged_function_is_not_touched(void)
{
	memory_register = 1;
	pvpanic_pci_add(&function);
	pvpanic_pci_remove(&function);
	pvpanic_tell();
	MUST(memory_writes == 0);
	/* It comes again. */
	pvpanic_pci_add(&function);
	pvpanic_tell();
	MUST(memory_writes == 1);
}

static void free_entry_is_stepped_over(void)
{
	memory_register = 1;
	pvpanic_pci_add(&function);
	describe(PORT);
	port_events[PORT] = 1;
	pvpanic_find();
	pvpanic_pci_remove(&function);
	pvpanic_tell();
	MUST(port_writes == 1 && last_port == PORT && memory_writes == 0);
}

static void host_gets_a_moment(void)
{
	describe(PORT);
	port_events[PORT] = 1;
	pvpanic_find();
	looks = 0;
	awake = 10 * NS_PER_S;
	pvpanic_tell();
	MUST(looks == 99);
	MUST(looks_before_write == 0);
}

static void clock_that_stands_does_not_hold_the_panic(void)
{
	step = 0;
	describe(PORT);
	port_events[PORT] = 1;
	pvpanic_find();
	looks = 0;
	pvpanic_tell();
	MUST(port_writes == 1);
	MUST(looks == 100000);
}

#define CHILD(name, test) \
	static void name(void **state) \
	{ \
		(void)state; \
		assert_int_equal(in_child(test), 0); \
	}

CHILD(a_port_that_acpi_names_is_told_once, port_is_told)
CHILD(where_nothing_answers_nothing_is_written, nobody_is_told)
CHILD(a_pci_function_is_told, function_is_told)
CHILD(what_is_no_pvpanic_device_is_left_alone, other_functions_are_left_alone)
CHILD(one_panic_is_one_event, of_several_the_first_is_told)
CHILD(a_port_that_is_described_twice_is_one_device, twice_described_takes_one_entry)
CHILD(a_device_more_than_there_is_room_for_is_left_alone, fifth_device_is_left_alone)
CHILD(a_function_that_was_unplugged_is_not_touched, unplugged_function_is_not_touched)
CHILD(what_comes_after_an_unplugged_function_is_told, free_entry_is_stepped_over)
CHILD(the_host_gets_a_moment_to_act, host_gets_a_moment)
CHILD(a_panic_before_the_clock_ends_too, clock_that_stands_does_not_hold_the_panic)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_port_that_acpi_names_is_told_once),
		cmocka_unit_test(where_nothing_answers_nothing_is_written),
		cmocka_unit_test(a_pci_function_is_told),
		cmocka_unit_test(what_is_no_pvpanic_device_is_left_alone),
		cmocka_unit_test(one_panic_is_one_event),
		cmocka_unit_test(a_port_that_is_described_twice_is_one_device),
		cmocka_unit_test(a_device_more_than_there_is_room_for_is_left_alone),
		cmocka_unit_test(a_function_that_was_unplugged_is_not_touched),
		cmocka_unit_test(what_comes_after_an_unplugged_function_is_told),
		cmocka_unit_test(the_host_gets_a_moment_to_act),
		cmocka_unit_test(a_panic_before_the_clock_ends_too),
	};

	return cmocka_run_group_tests_name("pvpanic", tests, NULL, NULL);
}
