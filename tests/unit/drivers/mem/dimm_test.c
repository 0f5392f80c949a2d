/* SPDX-License-Identifier: BSD-2-Clause */
/* DIMMs: slots that tell the truth, and slots that do not. */
#include "tests/unit/drivers/mem/mem_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "drivers/acpi/acpi.h"
#include "drivers/acpi/acpi_memory.h"
#include "drivers/mem/dimm.h"
#include "kernel/lib/parse.h"
#include "tests/sim/sim_log.h"
#include "tests/sim/sim_time.h"

#define SLOTS 4

/* Blocks of the window, which begins at REGION. */
#define WINDOW 64

/* ---- The host's side ---- */

static struct acpi_memory_slot slots[ACPI_MEMORY_SLOTS_MAX];
static unsigned slot_count;
static bool keeps;	       /* an ejection is not carried out */
static void (*on_eject)(void); /* NULL: nothing */
static char calls[512];	       /* what the guest did to slots: "seen 0, in-use 0" */

static struct {
	paddr_t start;
	uint64_t size;
} ranges[16];
static size_t range_count;

static void called(const char *what, unsigned slot)
{
	size_t length = strlen(calls);

	snprintf(calls + length, sizeof(calls) - length, "%s%s %u", length > 0 ? ", " : "", what,
		 slot);
}

int acpi_memory_find(void)
{
	return slot_count > 0 ? 0 : -ENODEV;
}

unsigned acpi_memory_slots(void)
{
	return slot_count;
}

void acpi_memory_read(unsigned slot, struct acpi_memory_slot *state)
{
	assert_true(slot < slot_count);
	*state = slots[slot];
}

void acpi_memory_clear_inserted(unsigned slot)
{
	called("came", slot);
	slots[slot].inserted = false;
}

void acpi_memory_clear_removing(unsigned slot)
{
	called("asked", slot);
	slots[slot].removing = false;
}

void acpi_memory_report(unsigned slot, bool used)
{
	called(used ? "used" : "not-used", slot);
}

void acpi_memory_eject(unsigned slot)
{
	called("eject", slot);
	if (on_eject)
		on_eject();
	if (!keeps)
		slots[slot] = (struct acpi_memory_slot){ 0 };
}

void acpi_memory_refuse(unsigned slot)
{
	called("refuse", slot);
}

int acpi_find_hotplug_range(size_t n, paddr_t *start, uint64_t *size)
{
	if (n >= range_count)
		return -ENOENT;
	*start = ranges[n].start;
	*size = ranges[n].size;
	return 0;
}

/* ---- The test's side ---- */

static void add_range(pfn_t start, uint64_t size)
{
	ranges[range_count].start = pfn_to_paddr(start);
	ranges[range_count++].size = size;
}

static void fill(unsigned slot, pfn_t start, uint64_t blocks)
{
	slots[slot] = (struct acpi_memory_slot){ .present = true,
						 .address = pfn_to_paddr(start),
						 .size = blocks * BLOCK_SIZE };
}

/* A DIMM is plugged in, and the guest looks. */
static void insert(unsigned slot, pfn_t start, uint64_t blocks)
{
	fill(slot, start, blocks);
	slots[slot].inserted = true;
	calls[0] = '\0';
	dimm_look();
}

/* The host wants it back, and the guest looks; returns whether it needs more than a step. */
static bool ask_back(unsigned slot)
{
	slots[slot].removing = true;
	calls[0] = '\0';
	dimm_look();
	return dimm_step();
}

static const struct mem_source *source(unsigned n)
{
	const struct mem_source *s = mem_sources();

	while (s && n-- > 0)
		s = s->next;
	return s;
}

static void expect_source(unsigned n, const char *name, pfn_t start, size_t blocks)
{
	const struct mem_source *s = source(n);

	assert_non_null(s);
	assert_string_equal(s->kind, "dimm");
	assert_string_equal(s->name, name);
	assert_true(s->part.start == start);
	assert_int_equal(s->part.blocks, blocks);
	assert_int_equal(s->part.unit, blocks);
	assert_true(s->requested == blocks * B);
	assert_true(s->plugged == blocks * B);
	assert_null(s->trouble);
	assert_false(s->leaving);
}

static void expect_plugged(uint64_t blocks)
{
	assert_true(ledger_managed() == (BOOT_BLOCKS + blocks) * B);
	fixture_expect_managed(ledger_managed());
}

static int set_up(void **state)
{
	mem_fixture_set_up(state);
	memset(slots, 0, sizeof(slots));
	slot_count = SLOTS;
	range_count = 0;
	keeps = false;
	on_eject = NULL;
	calls[0] = '\0';
	return 0;
}

/* With the window. */
static int set_up_window(void **state)
{
	set_up(state);
	add_range(REGION, WINDOW * BLOCK_SIZE);
	return 0;
}

static int tear_down(void **state)
{
	assert_int_equal(fake_balloon.limit, BALLOON_ANYWHERE);
	assert_false(fake_balloon.moving);
	return mem_fixture_tear_down(state);
}

/* ---- Coming ---- */

static void what_is_there_at_boot_is_used(void **state)
{
	(void)state;
	fill(2, REGION + 8 * B, 8);
	fill(0, REGION + 32 * B, 4);
	dimm_start();
	expect_plugged(12);
	expect_source(0, "slot 2", REGION + 8 * B, 8);
	expect_source(1, "slot 0", REGION + 32 * B, 4);
	assert_null(source(2));
	assert_int_equal(sim_log_warnings, 0);
	assert_int_equal(sim_log_infos, 2);
	assert_string_equal(sim_log_info, "memory: slot 0 brings 8.0 MiB");
	/* It was not plugged in: nobody waits for an answer. */
	assert_string_equal(calls, "");
	assert_int_equal(dimm_unused(), 0);
	assert_int_equal(mem_fixture_events(MEM_EVENT_ANNOUNCED), 1);
	assert_int_equal(mem_fixture_events(MEM_EVENT_PLUGGED), 2);
	assert_false(dimm_step());
}

static void what_comes_later_is_used_and_answered(void **state)
{
	struct event event;

	(void)state;
	dimm_start();
	expect_plugged(0);
	assert_int_equal(sim_log_infos + sim_log_warnings, 0);
	insert(1, REGION, WINDOW);
	expect_plugged(WINDOW);
	expect_source(0, "slot 1", REGION, WINDOW);
	assert_string_equal(calls, "came 1, used 1");
	assert_string_equal(sim_log_info, "memory: slot 1 brings 128.0 MiB");
	event = mem_fixture_last_event(MEM_EVENT_PLUGGED);
	assert_true(event.argument[0] == REGION && event.argument[1] == WINDOW * B);
	/* Told again it is the same DIMM. */
	slots[1].inserted = true;
	calls[0] = '\0';
	dimm_look();
	assert_string_equal(calls, "came 1");
	expect_plugged(WINDOW);
	assert_int_equal(sim_log_infos, 1);
}

static void a_look_without_news_changes_nothing(void **state)
{
	(void)state;
	fill(0, REGION, 4);
	slots[1].present = true; /* refused, as it has no size */
	dimm_start();
	assert_int_equal(sim_log_infos + sim_log_warnings, 2);
	dimm_look();
	dimm_look();
	assert_int_equal(sim_log_infos + sim_log_warnings, 2);
	assert_string_equal(calls, "");
	expect_plugged(4);
}

static void a_machine_without_slots_has_no_dimms(void **state)
{
	(void)state;
	slot_count = 0;
	dimm_start();
	dimm_look();
	assert_false(dimm_step());
	assert_int_equal(dimm_unused(), 0);
	/* Its window is left to others. */
	assert_false(frame_region_contains(REGION, 1));
}

static void only_whole_blocks_are_used(void **state)
{
	(void)state;
	fill(0, REGION, 4);
	slots[0].size += MIB;
	dimm_start();
	expect_plugged(4);
	expect_source(0, "slot 0", REGION, 4);
	assert_int_equal(sim_log_warnings, 1);
	assert_string_equal(sim_log_warning, "memory: slot 0 brings 8.0 MiB; its last 1.0 MiB are "
					     "not used, as blocks have 2 MiB");
	assert_true(dimm_unused() == MIB);
}

/* ---- Refused ---- */

static void expect_refused(const char *warning)
{
	assert_string_equal(calls, "came 0, not-used 0");
	assert_string_equal(sim_log_warning, warning);
	expect_plugged(0);
	assert_null(mem_sources());
	assert_true(dimm_unused() == slots[0].size);
	slots[0] = (struct acpi_memory_slot){ 0 };
	dimm_look();
	assert_int_equal(dimm_unused(), 0);
}

static void what_cannot_be_used_is_named_and_answered(void **state)
{
	(void)state;
	dimm_start();
	insert(0, REGION, 0);
	slots[0].size = 2 * MIB - 1;
	dimm_look();
	expect_refused("memory: slot 0: 2.0 MiB at 0x200080000000 are not used: a block has "
		       "2 MiB");
	insert(0, REGION + 1, 4);
	expect_refused("memory: slot 0: 8.0 MiB at 0x200080001000 are not used: its address is "
		       "no multiple of 2 MiB");
	insert(0, REGION, 8 * 1024 * 1024 + 1);
	expect_refused("memory: slot 0: 16.0 TiB at 0x200080000000 are not used: no "
		       "memory has that size");
	assert_int_equal(mem_fixture_events(MEM_EVENT_PLUGGED), 0);
}

static void memory_that_lies_over_ram_is_refused(void **state)
{
	(void)state;
	dimm_start();
	insert(0, RAM + (BOOT_BLOCKS - 1) * B, 2);
	assert_int_equal(sim_log_warnings, 1);
	expect_plugged(0);
	assert_string_equal(calls, "came 0, not-used 0");
	insert(1, 0, 4);
	assert_int_equal(sim_log_warnings, 2);
	expect_plugged(0);
}

static void memory_outside_of_the_window_is_refused(void **state)
{
	(void)state;
	dimm_start();
	insert(0, REGION + (WINDOW - 1) * B, 2);
	expect_refused("memory: slot 0: 4.0 MiB at 0x200087e00000 are not used: it lies outside of "
		       "what the firmware (SRAT) has announced");
	insert(0, REGION - B, 2);
	assert_int_equal(sim_log_warnings, 2);
	insert(0, REGION + 2 * WINDOW * B, 2);
	assert_int_equal(sim_log_warnings, 3);
	expect_plugged(0);
}

static void memory_that_lies_over_another_dimm_is_refused(void **state)
{
	(void)state;
	fill(1, REGION + 4 * B, 4);
	dimm_start();
	insert(0, REGION + 7 * B, 4);
	assert_string_equal(calls, "came 0, not-used 0");
	assert_string_equal(sim_log_warning,
			    "memory: slot 0: 8.0 MiB at 0x200080e00000 are not used: other memory "
			    "that comes and goes lies there");
	expect_plugged(4);
	assert_true(dimm_unused() == 8 * MIB);
	/* It moves to where there is room. */
	insert(0, REGION + 8 * B, 4);
	assert_string_equal(calls, "came 0, used 0");
	expect_plugged(8);
	assert_int_equal(dimm_unused(), 0);
}

/* Even if not a block of it is plugged. */
static void memory_that_lies_over_another_source_is_refused(void **state)
{
	struct mem_source other = { .kind = "virtio-mem",
				    .part = { .start = REGION + 8 * B, .blocks = 8, .unit = 1 } };

	(void)state;
	dimm_start();
	mem_source_add(&other);
	insert(0, REGION + B, 8);
	assert_string_equal(calls, "came 0, not-used 0");
	insert(1, REGION + 15 * B, 1);
	assert_string_equal(calls, "came 1, not-used 1");
	insert(2, REGION, 8);
	insert(3, REGION + 16 * B, 8);
	assert_string_equal(calls, "came 3, used 3");
	expect_plugged(16);
	mem_source_remove(&other);
}

static void sizes_that_cannot_be_do_not_make_the_sum_small(void **state)
{
	(void)state;
	fill(0, REGION, 0);
	slots[0].size = UINT64_MAX;
	fill(1, REGION, 0);
	slots[1].size = 2;
	slots[2] = slots[0];
	slots[2].address = UINT64_MAX - BLOCK_SIZE + 1;
	dimm_start();
	expect_plugged(0);
	assert_int_equal(sim_log_warnings, 3);
	assert_true(dimm_unused() == UINT64_MAX);
}

/* ---- Where memory may come ---- */

static void windows_are_announced_in_the_order_of_their_addresses(void **state)
{
	(void)state;
	add_range(REGION + 96 * B, 8 * BLOCK_SIZE);
	add_range(REGION, 8 * BLOCK_SIZE);
	add_range(REGION + 32 * B, 8 * BLOCK_SIZE);
	fill(0, REGION + 96 * B, 8);
	fill(1, REGION + 32 * B, 8);
	fill(2, REGION, 8);
	dimm_start();
	assert_int_equal(sim_log_warnings, 0);
	expect_plugged(24);
}

static void a_window_is_cut_to_whole_blocks(void **state)
{
	(void)state;
	add_range(REGION + 1, 3 * BLOCK_SIZE);
	/* Less than a block, and none that is whole: nothing to say. */
	add_range(REGION + 8 * B, BLOCK_SIZE - 1);
	add_range(REGION + 16 * B + 1, 2 * BLOCK_SIZE - 2 * FRAME_SIZE);
	add_range(REGION + 24 * B, BLOCK_SIZE);
	ranges[range_count].start = UINT64_MAX - 5;
	ranges[range_count++].size = 4;
	dimm_start();
	assert_int_equal(sim_log_warnings, 0);
	assert_true(frame_region_contains(REGION + B, 2));
	assert_false(frame_region_contains(REGION, 1));
	assert_false(frame_region_contains(REGION + 3 * B, 1));
	assert_false(frame_region_contains(REGION + 8 * B, 1));
	assert_true(frame_region_contains(REGION + 24 * B, 1));
	assert_int_equal(mem_fixture_events(MEM_EVENT_ANNOUNCED), 2);
}

static void windows_that_cannot_be_are_named_and_left(void **state)
{
	(void)state;
	add_range(RAM + (BOOT_BLOCKS - 1) * B, 2 * BLOCK_SIZE);
	dimm_start();
	assert_int_equal(sim_log_warnings, 1);
	assert_string_equal(
		sim_log_warning,
		"acpi: SRAT: memory that comes at 0x200001e00000 to 0x200002200000 could "
		"not be used: that is where memory of the boot lies, or below it");
	set_up(state);
	add_range(REGION, 8 * 1024 * 1024 * BLOCK_SIZE + BLOCK_SIZE);
	dimm_start();
	assert_string_equal(
		sim_log_warning,
		"acpi: SRAT: memory that comes at 0x200080000000 to 0x300080200000 could "
		"not be used: that is more than 16 TiB");
	set_up(state);
	add_range(REGION, 8 * BLOCK_SIZE);
	block_tables.err = -EBUSY;
	dimm_start();
	assert_int_equal(sim_log_warnings, 1);
	assert_non_null(strstr(sim_log_warning, "something else is mapped there"));
	/* Two that overlap: the second is not announced. */
	set_up(state);
	add_range(REGION, 8 * BLOCK_SIZE);
	add_range(REGION + 4 * B, 8 * BLOCK_SIZE);
	dimm_start();
	assert_true(frame_region_contains(REGION, 8));
	assert_false(frame_region_contains(REGION + 8 * B, 1));
}

/* The table has room for more than there is sense in. */
static void more_windows_than_there_can_be_are_left(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 16; i++)
		add_range(REGION + 16 * i * B, 8 * BLOCK_SIZE);
	dimm_start();
	assert_int_equal(mem_fixture_events(MEM_EVENT_ANNOUNCED), 8);
	assert_int_equal(sim_log_warnings, 0);
}

/* In the order of addresses, whatever that of the slots is. */
static void without_a_window_what_is_there_is_announced(void **state)
{
	(void)state;
	fill(0, REGION + 96 * B, 8);
	fill(1, REGION + 32 * B, 8);
	fill(3, REGION, 8);
	dimm_start();
	assert_int_equal(sim_log_warnings, 0);
	expect_plugged(24);
	assert_int_equal(mem_fixture_events(MEM_EVENT_ANNOUNCED), 3);
	/* Later only what lies above can be. */
	insert(2, REGION + 16 * B, 8);
	assert_string_equal(
		sim_log_warning,
		"memory: slot 2: 16.0 MiB at 0x200082000000 are not used: that is below "
		"what is known, or beyond the address space");
	insert(2, REGION + 128 * B, 8);
	expect_plugged(32);
	/* Where one was there is room for another. */
	assert_false(ask_back(1));
	insert(1, REGION + 32 * B, 8);
	expect_plugged(32);
	assert_int_equal(mem_fixture_events(MEM_EVENT_ANNOUNCED), 4);
}

static void without_a_window_ram_is_refused_too(void **state)
{
	(void)state;
	fill(0, RAM + 4 * B, 4);
	dimm_start();
	expect_plugged(0);
	assert_string_equal(sim_log_warning,
			    "memory: slot 0: 8.0 MiB at 0x200000800000 are not used: that is where "
			    "memory of the boot lies, or below it");
}

/* ---- Leaving ---- */

static uint64_t unplugged_at_eject;

static void count_unplugged(void)
{
	unplugged_at_eject = ledger_count(OWNER_UNPLUGGED);
	assert_int_equal(frame_owner(REGION), OWNER_UNPLUGGED);
}

static void what_nobody_uses_leaves_at_once(void **state)
{
	struct event event;

	(void)state;
	fill(0, REGION, 16);
	fill(1, REGION + 16 * B, 16);
	dimm_start();
	on_eject = count_unplugged;
	assert_false(ask_back(0));
	assert_string_equal(calls, "asked 0, eject 0");
	assert_true(unplugged_at_eject == 16 * B);
	assert_string_equal(sim_log_info, "memory: slot 0: 32.0 MiB have left");
	expect_plugged(16);
	expect_source(0, "slot 1", REGION + 16 * B, 16);
	assert_null(source(1));
	assert_int_equal(ledger_count(OWNER_UNPLUGGED), 0);
	event = mem_fixture_last_event(MEM_EVENT_LEFT);
	assert_true(event.argument[0] == REGION && event.argument[1] == 16 * B);
	assert_int_equal(mem_fixture_events(MEM_EVENT_CLAIMED), 1);
	assert_int_equal(dimm_unused(), 0);
	/* And may come back. */
	insert(0, REGION, 16);
	expect_plugged(32);
}

static void what_is_in_use_is_refused_at_once(void **state)
{
	(void)state;
	fill(0, REGION, 16);
	dimm_start();
	mem_fixture_take(REGION + 3 * B, 12, OWNER_HELD);
	assert_false(ask_back(0));
	assert_string_equal(calls, "asked 0, refuse 0");
	assert_string_equal(sim_log_warning,
			    "memory: slot 0: 32.0 MiB cannot leave: in it are 12 frames of held");
	expect_plugged(16);
	expect_source(0, "slot 0", REGION, 16);
	assert_int_equal(mem_fixture_events(MEM_EVENT_STUCK), 1);
	/* Asked again when it is free: it goes. */
	mem_fixture_give_back(REGION + 3 * B, 12, OWNER_HELD);
	assert_false(ask_back(0));
	assert_string_equal(calls, "asked 0, eject 0");
	expect_plugged(0);
}

static void all_who_are_in_the_way_are_named(void **state)
{
	(void)state;
	fill(0, REGION, 16);
	dimm_start();
	mem_fixture_take(REGION + 2, 1, OWNER_HEAP);
	mem_fixture_take(REGION + B, 4 * B, OWNER_HELD);
	mem_fixture_take(REGION + 9 * B + 7, 3, OWNER_STACKS);
	mem_fixture_take(REGION + 15 * B + 7, 100, OWNER_BALLOON);
	fake_balloon.answers = true;
	fake_balloon.answer = BALLOON_NO_ROOM;
	assert_false(ask_back(0));
	assert_string_equal(sim_log_warning, "memory: slot 0: 32.0 MiB cannot leave: in it are 1 "
					     "frame of heap, 3 of stacks, 2048 of held");
	mem_fixture_give_back(REGION + 2, 1, OWNER_HEAP);
	mem_fixture_give_back(REGION + B, 4 * B, OWNER_HELD);
	mem_fixture_give_back(REGION + 9 * B + 7, 3, OWNER_STACKS);
}

/* Blocks that are free are not looked at, nor do they use up what is looked at. */
static void blocks_that_could_leave_are_in_nobodys_way(void **state)
{
	(void)state;
	range_count = 0;
	add_range(REGION, 256 * BLOCK_SIZE);
	fill(0, REGION, 256);
	dimm_start();
	mem_fixture_take(REGION + 255 * B, 1, OWNER_HELD);
	assert_false(ask_back(0));
	assert_string_equal(sim_log_warning,
			    "memory: slot 0: 512.0 MiB cannot leave: in it are 1 frame of held");
	mem_fixture_give_back(REGION + 255 * B, 1, OWNER_HELD);
}

/* Nobody waits for the count of what is spread all over. */
static void what_is_spread_is_counted_in_part(void **state)
{
	(void)state;
	range_count = 0;
	add_range(REGION, 256 * BLOCK_SIZE);
	fill(0, REGION, 256);
	dimm_start();
	for (size_t i = 0; i < 256; i++)
		mem_fixture_take(REGION + i * B + i, 2, OWNER_HELD);
	assert_false(ask_back(0));
	assert_string_equal(sim_log_warning,
			    "memory: slot 0: 512.0 MiB cannot leave: in it are at least 256 "
			    "frames of held");
}

static void the_balloon_moves_out_first(void **state)
{
	unsigned steps = 0;

	(void)state;
	fill(0, REGION, 16);
	dimm_start();
	mem_fixture_take(REGION + 2 * B, 1000, OWNER_BALLOON);
	assert_true(ask_back(0));
	assert_string_equal(calls, "asked 0");
	assert_true(source(0)->leaving);
	assert_int_equal(source(0)->requested, 0);
	assert_true(fake_balloon.limit == REGION);
	/* Asked again meanwhile it is no new wish. */
	slots[0].removing = true;
	dimm_look();
	while (dimm_step())
		assert_true(++steps < 100);
	assert_string_equal(calls, "asked 0, asked 0, eject 0");
	expect_plugged(0);
	assert_int_equal(ledger_count(OWNER_BALLOON), 1000);
}

static void a_balloon_that_takes_too_long_keeps_it(void **state)
{
	(void)state;
	fill(0, REGION, 16);
	dimm_start();
	mem_fixture_take(REGION + 2 * B, 1000, OWNER_BALLOON);
	fake_balloon.answers = true;
	fake_balloon.answer = BALLOON_MOVING_OUT;
	assert_true(ask_back(0));
	/* A guest that is stopped gives it no time. */
	sim_time_jump((int64_t)(60 * NS_PER_S));
	assert_true(dimm_step());
	for (unsigned i = 0; i < 480; i++) {
		sim_time_advance(DIMM_STEP_NS);
		assert_true(dimm_step());
	}
	for (unsigned i = 0; i < 40 && dimm_step(); i++)
		sim_time_advance(DIMM_STEP_NS);
	assert_string_equal(calls, "asked 0, refuse 0");
	assert_string_equal(sim_log_warning, "memory: slot 0: 32.0 MiB cannot leave: the balloon "
					     "takes long to move out of it");
	expect_source(0, "slot 0", REGION, 16);
}

static void what_the_balloon_cannot_leave_is_refused(void **state)
{
	(void)state;
	fill(0, REGION, 16);
	dimm_start();
	mem_fixture_take(REGION + 2 * B, 1000, OWNER_BALLOON);
	fake_balloon.answers = true;
	fake_balloon.answer = BALLOON_NO_ROOM;
	assert_false(ask_back(0));
	assert_string_equal(calls, "asked 0, refuse 0");
	assert_string_equal(sim_log_warning,
			    "memory: slot 0: 32.0 MiB cannot leave: the balloon holds it, and the "
			    "floor leaves no other memory in its place");
}

static void the_floor_is_not_passed(void **state)
{
	(void)state;
	fill(0, REGION, 16);
	dimm_start();
	fake_balloon.floor = 17 * B;
	assert_false(ask_back(0));
	assert_string_equal(calls, "asked 0, refuse 0");
	assert_string_equal(sim_log_warning, "memory: slot 0: 32.0 MiB cannot leave: the floor of "
					     "free memory would be passed");
	expect_plugged(16);
}

static void one_leaves_after_the_other(void **state)
{
	(void)state;
	fill(0, REGION, 4);
	fill(1, REGION + 4 * B, 4);
	fill(2, REGION + 8 * B, 4);
	dimm_start();
	mem_fixture_take(REGION + 4 * B, 150, OWNER_BALLOON);
	slots[0].removing = slots[1].removing = slots[2].removing = true;
	dimm_look();
	assert_true(dimm_step());
	assert_string_equal(calls, "asked 0, asked 1, asked 2, eject 0");
	while (dimm_step())
		;
	assert_string_equal(calls, "asked 0, asked 1, asked 2, eject 0, eject 1, eject 2");
	expect_plugged(0);
	assert_null(mem_sources());
}

static void what_the_host_does_not_take_is_used_again(void **state)
{
	(void)state;
	fill(0, REGION, 16);
	dimm_start();
	keeps = true;
	assert_false(ask_back(0));
	assert_string_equal(calls, "asked 0, eject 0");
	assert_string_equal(sim_log_warning, "memory: slot 0: the host does not take the 32.0 MiB "
					     "that it wanted back");
	expect_plugged(16);
	expect_source(0, "slot 0", REGION, 16);
	assert_int_equal(mem_fixture_events(MEM_EVENT_KEPT), 1);
	assert_int_equal(ledger_count(OWNER_UNPLUGGED), 0);
}

static void what_was_not_used_leaves_unasked(void **state)
{
	(void)state;
	fill(0, REGION + 1, 4);
	dimm_start();
	assert_true(dimm_unused() == 8 * MIB);
	assert_false(ask_back(0));
	assert_string_equal(calls, "asked 0, eject 0");
	assert_string_equal(sim_log_info, "memory: slot 0 is empty");
	assert_int_equal(dimm_unused(), 0);
	/* It comes and is to go in one look: nobody uses it first. */
	fill(0, REGION, 4);
	slots[0].inserted = true;
	assert_false(ask_back(0));
	assert_string_equal(calls, "came 0, asked 0, eject 0");
	assert_int_equal(mem_fixture_events(MEM_EVENT_PLUGGED), 0);
	keeps = true;
	fill(0, REGION, 4);
	assert_false(ask_back(0));
	assert_int_equal(sim_log_warnings, 2);
	assert_true(dimm_unused() == 8 * MIB);
	expect_plugged(0);
}

/* ---- Lies ---- */

static void what_vanishes_is_given_up_as_far_as_it_is_free(void **state)
{
	(void)state;
	fill(0, REGION, 16);
	dimm_start();
	mem_fixture_take(REGION + 3 * B + 1, 2, OWNER_HELD);
	slots[0] = (struct acpi_memory_slot){ 0 };
	dimm_look();
	assert_string_equal(sim_log_warning, "memory: slot 0: 32.0 MiB were taken away unasked, "
					     "and with them 2 frames of held");
	expect_plugged(1);
	assert_int_equal(mem_fixture_events(MEM_EVENT_PULLED), 1);
	assert_true(source(0)->plugged == B);
	assert_int_equal(source(0)->requested, 0);
	assert_string_equal(source(0)->trouble, "it was taken away while it was in use");
	assert_int_equal(dimm_unused(), 0);
	/* What comes in its place waits for the rest to be free. */
	insert(0, REGION, 16);
	expect_plugged(1);
	assert_true(dimm_unused() == 32 * MIB);
	slots[0].removing = true;
	calls[0] = '\0';
	dimm_look();
	assert_string_equal(calls, "asked 0, refuse 0");
	mem_fixture_give_back(REGION + 3 * B + 1, 2, OWNER_HELD);
	dimm_look();
	expect_plugged(16);
	expect_source(0, "slot 0", REGION, 16);
	assert_int_equal(dimm_unused(), 0);
}

/* Neither what is free in blocks that are used, nor what becomes free later. */
static void what_vanishes_is_given_to_nobody(void **state)
{
	pfn_t pfn;

	(void)state;
	fill(0, REGION, 16);
	dimm_start();
	mem_fixture_take(REGION + 3 * B + 1, 2, OWNER_HELD);
	mem_fixture_take(REGION + 5 * B, 7, OWNER_HELD);
	slots[0] = (struct acpi_memory_slot){ 0 };
	dimm_look();
	assert_string_equal(sim_log_warning, "memory: slot 0: 32.0 MiB were taken away unasked, "
					     "and with them 9 frames of held");
	expect_plugged(2);
	assert_true(ledger_count(OWNER_FREE) == frame_boot_free());
	while (frame_alloc(0, OWNER_HEAP, &pfn) == 0)
		assert_true(pfn < REGION);
	frame_free_owned(OWNER_HEAP, UINT64_MAX);
	mem_fixture_give_back(REGION + 5 * B, 6, OWNER_HELD);
	dimm_look();
	expect_plugged(2);
	assert_int_equal(ledger_count(OWNER_UNPLUGGED), 2 * B - 3);
	mem_fixture_give_back(REGION + 5 * B + 6, 1, OWNER_HELD);
	dimm_look();
	expect_plugged(1);
	mem_fixture_give_back(REGION + 3 * B + 1, 2, OWNER_HELD);
	dimm_look();
	expect_plugged(0);
	assert_null(mem_sources());
	assert_int_equal(ledger_count(OWNER_UNPLUGGED), 0);
}

static void what_vanishes_unused_is_gone(void **state)
{
	(void)state;
	fill(0, REGION, 16);
	dimm_start();
	slots[0].present = false;
	dimm_look();
	assert_string_equal(sim_log_warning, "memory: slot 0: 32.0 MiB were taken away unasked");
	assert_null(mem_sources());
	expect_plugged(0);
}

static void what_vanishes_on_its_way_out_is_gone(void **state)
{
	(void)state;
	fill(0, REGION, 16);
	dimm_start();
	mem_fixture_take(REGION + 2 * B, 1000, OWNER_BALLOON);
	assert_true(ask_back(0));
	slots[0] = (struct acpi_memory_slot){ 0 };
	dimm_look();
	assert_false(dimm_step());
	assert_string_equal(calls, "asked 0");
	/* The balloon's blocks: two of its frames' at least are not free. */
	assert_non_null(source(0));
	assert_string_equal(sim_log_warning, "memory: slot 0: 32.0 MiB were taken away unasked, "
					     "and with them some of the balloon's");
	assert_true(source(0)->plugged < 16 * B && source(0)->plugged > 0);
}

static void a_slot_that_changes_while_it_is_used_is_another_dimm(void **state)
{
	(void)state;
	fill(0, REGION, 8);
	dimm_start();
	fill(0, REGION + 16 * B, 8);
	dimm_look();
	assert_int_equal(sim_log_warnings, 1);
	expect_plugged(8);
	expect_source(0, "slot 0", REGION + 16 * B, 8);
	slots[0].size += BLOCK_SIZE;
	dimm_look();
	assert_int_equal(sim_log_warnings, 2);
	expect_plugged(9);
	/* In use it cannot be followed. */
	mem_fixture_take(REGION + 16 * B, 9 * B, OWNER_HELD);
	slots[0].address = pfn_to_paddr(REGION);
	dimm_look();
	assert_int_equal(sim_log_warnings, 3);
	expect_plugged(9);
	assert_int_equal(frame_owner(REGION), OWNER_ABSENT);
}

/* Each look something else, and what is said is no sense at all. */
static void a_slot_that_never_says_the_same_does_no_harm(void **state)
{
	uint64_t seed = 4711;

	(void)state;
	fill(1, REGION + 40 * B, 8);
	dimm_start();
	for (unsigned i = 0; i < 2000; i++) {
		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
		slots[0].present = seed >> 60;
		slots[0].inserted = seed >> 59 & 1;
		slots[0].removing = (seed >> 57 & 3) == 0;
		slots[0].address = seed >> 56 & 1 ? seed
						  : pfn_to_paddr(REGION + (seed >> 40 & 63) * B);
		slots[0].size = seed >> 55 & 1 ? seed << 7 : (seed >> 32 & 31) * BLOCK_SIZE;
		keeps = seed >> 54 & 1;
		calls[0] = '\0';
		dimm_look();
		assert_false(dimm_step());
		fixture_expect_managed(ledger_managed());
		fixture_assert_sums();
	}
	keeps = false;
	slots[0] = (struct acpi_memory_slot){ 0 };
	dimm_look();
	expect_plugged(8);
	expect_source(0, "slot 1", REGION + 40 * B, 8);
}

static void all_slots_there_can_be_are_served(void **state)
{
	(void)state;
	slot_count = ACPI_MEMORY_SLOTS_MAX;
	range_count = 0;
	add_range(REGION, 256 * BLOCK_SIZE);
	for (unsigned i = 0; i < 256; i++)
		fill(i, REGION + (255 - i) * B, 1);
	dimm_start();
	expect_plugged(256);
	expect_source(0, "slot 255", REGION, 1);
	for (unsigned i = 0; i < 256; i++)
		slots[i].removing = true;
	dimm_look();
	assert_false(dimm_step());
	expect_plugged(0);
	assert_null(mem_sources());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define WINDOW_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_window, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WINDOW_TEST(what_is_there_at_boot_is_used),
		WINDOW_TEST(what_comes_later_is_used_and_answered),
		WINDOW_TEST(a_look_without_news_changes_nothing),
		WINDOW_TEST(a_machine_without_slots_has_no_dimms),
		WINDOW_TEST(only_whole_blocks_are_used),
		WINDOW_TEST(what_cannot_be_used_is_named_and_answered),
		WINDOW_TEST(memory_that_lies_over_ram_is_refused),
		WINDOW_TEST(memory_outside_of_the_window_is_refused),
		WINDOW_TEST(memory_that_lies_over_another_dimm_is_refused),
		WINDOW_TEST(memory_that_lies_over_another_source_is_refused),
		WINDOW_TEST(sizes_that_cannot_be_do_not_make_the_sum_small),
		TEST(windows_are_announced_in_the_order_of_their_addresses),
		TEST(a_window_is_cut_to_whole_blocks),
		TEST(windows_that_cannot_be_are_named_and_left),
		TEST(more_windows_than_there_can_be_are_left),
		TEST(without_a_window_what_is_there_is_announced),
		TEST(without_a_window_ram_is_refused_too),
		WINDOW_TEST(what_nobody_uses_leaves_at_once),
		WINDOW_TEST(what_is_in_use_is_refused_at_once),
		WINDOW_TEST(all_who_are_in_the_way_are_named),
		WINDOW_TEST(blocks_that_could_leave_are_in_nobodys_way),
		WINDOW_TEST(what_is_spread_is_counted_in_part),
		WINDOW_TEST(the_balloon_moves_out_first),
		WINDOW_TEST(a_balloon_that_takes_too_long_keeps_it),
		WINDOW_TEST(what_the_balloon_cannot_leave_is_refused),
		WINDOW_TEST(the_floor_is_not_passed),
		WINDOW_TEST(one_leaves_after_the_other),
		WINDOW_TEST(what_the_host_does_not_take_is_used_again),
		WINDOW_TEST(what_was_not_used_leaves_unasked),
		WINDOW_TEST(what_vanishes_is_given_up_as_far_as_it_is_free),
		WINDOW_TEST(what_vanishes_is_given_to_nobody),
		WINDOW_TEST(what_vanishes_unused_is_gone),
		WINDOW_TEST(what_vanishes_on_its_way_out_is_gone),
		WINDOW_TEST(a_slot_that_changes_while_it_is_used_is_another_dimm),
		WINDOW_TEST(a_slot_that_never_says_the_same_does_no_harm),
		WINDOW_TEST(all_slots_there_can_be_are_served),
	};

	return cmocka_run_group_tests_name("dimm", tests, region_fixture_reserve, NULL);
}
