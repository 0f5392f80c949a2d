/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The balloon's core and its port for VMware, with a VMware made of the personality that also runs
 * the real image, and 64 MiB of RAM. A frame that the host has is poisoned: a touch ends the
 * test. When a test ends, the books must be right, and the host must have seen no mistake.
 */
#ifndef TESTS_UNIT_DRIVERS_BALLOON_PORT_VMWARE_FIXTURE_H
#define TESTS_UNIT_DRIVERS_BALLOON_PORT_VMWARE_FIXTURE_H

#include "drivers/balloon/port/vmware_abi.h"
#include "drivers/balloon/port/vmware_balloon.h"
#include "drivers/balloon/port/vmware_balloon_call.h"
#include "drivers/balloon/port/vmware_balloon_pages.h"
#include "tests/sim/sim_vmware.h"
#include "tests/unit/drivers/balloon/balloon_fixture.h"

#define FIRST_FRAME (RAM_START / FRAME_SIZE)

/* A bit for `commands` of a lie. */
#define COMMAND(name) (1u << VMWARE_##name)
#define LOCKS (COMMAND(LOCK) | COMMAND(BATCHED_LOCK) | COMMAND(BATCHED_2M_LOCK))
#define UNLOCKS (COMMAND(UNLOCK) | COMMAND(BATCHED_UNLOCK) | COMMAND(BATCHED_2M_UNLOCK))

/* A host by what it can: of a table, as most is to be true of each. */
struct vmware_host_kind {
	const char *name;
	uint32_t withheld;
	bool is_old;
};

#define VMWARE_HOST_KINDS 4
extern const struct vmware_host_kind vmware_host_kinds[VMWARE_HOST_KINDS];

/* Before each test: a host that can do all, and wants nothing. Returns 0. */
int set_up_vmware(void **state);

/* After each test, in which the host behaves again. Returns 0. */
int tear_down_vmware(void **state);

/* Another host, of this kind, in place of the one before. */
void begin_kind(const struct vmware_host_kind *kind);

/* Starts the balloon's task for VMware with a floor, and runs it; and rounds. */
void begin_vmware(uint64_t floor);

/* Begins with it, and says nothing about whether there is a balloon then. */
void try_vmware(uint64_t floor);

/* The next look at the target is due; and rounds. */
void poll_vmware(void);

/* The host wants so many frames, which the guest sees; and rounds. */
void vmware_wants(uint64_t frames);

/* The balloon has so many frames, and the host has them. */
void assert_vmware_has(uint64_t frames);

/* A lie of this kind, about these commands, each time, with this value. */
struct vmware_lie always(enum vmware_lie_kind kind, uint32_t commands, uint64_t value);

/* Tells such a lie from now on. */
void lie(enum vmware_lie_kind kind, uint32_t commands, uint64_t value);

/* Calls of a command that the guest has counted, and that the host has. They are the same. */
uint64_t calls(enum vmware_command command);

#define VMWARE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_vmware, tear_down_vmware)

#endif
