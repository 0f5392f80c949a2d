/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What tests of drivers/mem share: real memory that can be touched only while it is mapped
 * (block_tables.h), and a balloon that does what it is told to.
 */
#ifndef TESTS_UNIT_DRIVERS_MEM_MEM_FIXTURE_H
#define TESTS_UNIT_DRIVERS_MEM_MEM_FIXTURE_H

#include "tests/unit/mm/block_tables.h"

#include "drivers/balloon/balloon_vacate.h"
#include "drivers/mem/mem_events.h"
#include "drivers/mem/mem_source.h"
#include "mm/ledger.h"
#include "mm/memory_region.h"

#define B BLOCK_FRAMES

/* Blocks of memory at boot, from RAM on. */
#define BOOT_BLOCKS 16

/* Where tests have their regions, in blocks from RAM on. */
#define REGION_AT 1024
#define REGION (RAM + REGION_AT * B)

/* In `limit`: nothing is avoided. */
#define BALLOON_ANYWHERE PFN_NONE

/* What the balloon was told, and what it shall say. */
struct fake_balloon {
	uint64_t floor; /* balloon_spare() is what is free above it */
	size_t step;	/* frames that a call of balloon_vacate() moves out */
	bool answers;	/* with `answer`, whatever there is */
	enum balloon_vacancy answer;
	bool first_keeps; /* of two balloons the first one's host gives none back */
	pfn_t limit;	  /* where what is avoided begins, or BALLOON_ANYWHERE */
	/* Of the last balloon_avoid(). */
	struct balloon_stretch stretches[BALLOON_STRETCHES];
	size_t stretch_count;
	unsigned avoided; /* calls of it */
	pfn_t start, end; /* of the last balloon_vacate() */
	unsigned vacated; /* calls of it */
	bool moving;	  /* asked to move out, and not told to stay since */
};

extern struct fake_balloon fake_balloon;

/* Blocks at boot; BOOT_BLOCKS unless a program of many machines wants to be faster. */
extern size_t fake_boot_blocks;

/* A machine with that much memory, no region, no source, no event, and time 0. */
void mem_fixture_boot(void);

/* Takes all sources out of the list, whatever they are at. */
void mem_fixture_forget_sources(void);

/* For a test's setup: mem_fixture_boot(). Returns 0. */
int mem_fixture_set_up(void **state);

/* For a test's teardown: the books are in order. Returns 0. */
int mem_fixture_tear_down(void **state);

/* Gives frames of a run to an owner, or takes them back from him. */
void mem_fixture_take(pfn_t pfn, size_t frames, enum owner owner);
void mem_fixture_give_back(pfn_t pfn, size_t frames, enum owner owner);

/* Counts the events of a kind. */
uint64_t mem_fixture_events(enum mem_event type);

/* Finds the latest event of a kind; fails the test if there is none. */
struct event mem_fixture_last_event(enum mem_event type);

#endif
