/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest with the balloon's core and its port for VMware, and a VMware that may lie, for tests
 * that live a whole life of them: vmware_lies_test.c and the fuzzer. Not for cmocka: what is wrong
 * is returned as words. One at a time.
 */
#ifndef TESTS_UNIT_DRIVERS_BALLOON_PORT_VMWARE_WORLD_H
#define TESTS_UNIT_DRIVERS_BALLOON_PORT_VMWARE_WORLD_H

#include "tests/sim/sim_vmware.h"

/* Thousands of worlds: each has a part of the RAM only. */
#define VMWARE_WORLD_FRAMES (24 * MIB / FRAME_SIZE)

/* The longest that a round of the guest's may take, awake: a wait of 2 s for each of two things. */
#define VMWARE_WORLD_ROUND_NS (5 * NS_PER_S)

/* A bit for `commands` of a lie. */
#define COMMAND_BIT(name) (1u << VMWARE_##name)
#define LOCK_BITS (COMMAND_BIT(LOCK) | COMMAND_BIT(BATCHED_LOCK) | COMMAND_BIT(BATCHED_2M_LOCK))
#define UNLOCK_BITS \
	(COMMAND_BIT(UNLOCK) | COMMAND_BIT(BATCHED_UNLOCK) | COMMAND_BIT(BATCHED_2M_UNLOCK))

/* Reserves the simulated RAM, once per program. Returns 0, or -1. */
int vmware_world_reserve(void);

/* A guest that has not started, and a host without lies that has not these capabilities. */
void vmware_world_begin(uint32_t withheld, bool is_old);

/* Lies are told from now on after which only the host knows what it has. */
void vmware_world_be_blind(void);

/* The guest looks for its balloon. Returns whether there is one. */
bool vmware_world_start(void);

/* It lives for so long. */
void vmware_world_live(uint64_t ns);

/* It uses all of its memory, and one frame more; and lets go of it. */
void vmware_world_need_memory(void);

/* Tells whether there is a balloon that was not given up. */
bool vmware_world_is_well(void);

/* Lies end. */
void vmware_world_behave(void);

/* Returns what is wrong with the books, the guest's commands, times or lines; NULL: nothing. */
const char *vmware_world_mistake(void);

/* The balloon ends. Returns whether all frames are free, as with a host that behaves they are. */
bool vmware_world_end(void);

/* Takes it down. */
void vmware_world_stop(void);

#endif
