/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All of the balloon on Hyper-V, with real tasks: its core and its port, memory that is added,
 * VMBus, and the personality that plays the host (tests/hypervisor/hyperv.h), with 48 MiB of RAM
 * and 16 MiB that may be added. A frame that the host has is poisoned: a touch ends the program.
 * What is wrong is remembered, and asked for by hyperv_world_mistake().
 */
#ifndef TESTS_UNIT_DRIVERS_BALLOON_PORT_HYPERV_WORLD_H
#define TESTS_UNIT_DRIVERS_BALLOON_PORT_HYPERV_WORLD_H

#include "drivers/balloon/port/hyperv_balloon.h"
#include "drivers/hyperv/vmbus.h"
#include "tests/hypervisor/hyperv.h"
#include "tests/sim/sim_machine.h"
#include "tests/sim/sim_tasks.h"

#define HYPERV_WORLD_FIRST (SIM_RAM_START / FRAME_SIZE)
#define HYPERV_WORLD_SPARE (16 * MIB / FRAME_SIZE)
#define HYPERV_WORLD_FRAMES (SIM_RAM_FRAMES - HYPERV_WORLD_SPARE)

/* What a wait of 2 s may be passed by: looks of those who wait. */
#define HYPERV_WORLD_WAIT_NS_MAX (2 * NS_PER_S + 50 * NS_PER_MS)

struct hyperv_world {
	bool no_interrupts; /* none reaches the guest, whatever the host does */
	bool blind;	    /* the host's books are wrong, as it was told to break its own rules */
	bool crossing;	    /* what the guest says may cross what ends it: no mistake of its */
	unsigned physical_bits; /* of an address */
	unsigned lines;		/* of warning */
	char line[200];		/* the last of them */
	unsigned infos;		/* lines that are shown, and are none */
	void (*on_info)(void);	/* called after each of these, which may sleep on a machine */
};

extern struct hyperv_world hyperv_world;

/* Reserves the simulated RAM, once per program. Returns 0, or -1. */
int hyperv_world_reserve(void);

/* A machine on an honest Hyper-V, whose guest has not begun. Wishes and lies come after it. */
void hyperv_world_begin(void);

/* The guest's start. Returns vmbus_start()'s result. In a task, as all below. */
int hyperv_world_start(void);

/* So much time passes. */
void hyperv_world_wait(uint64_t ns);

/* Waits until `done`, at most so long. Returns whether it is. */
bool hyperv_world_await(bool (*done)(void), uint64_t ns);

/* The host wants so many frames; waits for it. Returns whether it has them. */
bool hyperv_world_reach(uint64_t frames);

/* The host tells the truth from now on, but for what it has said. */
void hyperv_world_behave(void);

/* The step of the guest where dynamic memory is agreed. */
bool hyperv_world_is_ready(void);

/* What is wrong with the ledger, with who has which frame, the log. NULL: nothing. */
const char *hyperv_world_mistake(void);

/* Notes a wait that began at this clock_awake_ns(), and may take so many waits for the host. */
void hyperv_world_note_wait(const char *what, uint64_t begin_awake, unsigned waits);

/* Detaches the balloon, and ends all tasks. Returns what is wrong then, or NULL. Not in a task. */
const char *hyperv_world_end(void);

#endif
