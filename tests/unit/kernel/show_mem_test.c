/* SPDX-License-Identifier: BSD-2-Clause */
/* What show_mem gathers of memory that comes and goes: in a task, and in an interrupt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/balloon/balloon.h"
#include "drivers/balloon/balloon_account.h"
#include "drivers/balloon/balloon_cmd.h"
#include "drivers/mem/dimm.h"
#include "drivers/mem/mem_source.h"
#include "kernel/show_mem.h"
#include "kernel/vm/vm.h"
#include "mm/frame.h"
#include "mm/ledger.h"
#include "mm/memory.h"
#include "mm/vm_events.h"
#include "tests/sim/sim_command.h"

static uint64_t in_slots;  /* bytes */
static uint64_t removable; /* frames */
static bool has_sources, looked, pages_move;
static struct memmap map;

/* ---- What it asks ---- */

uint64_t dimm_unused(void)
{
	return in_slots;
}

bool mem_removable(uint64_t *frames)
{
	looked = true;
	*frames = removable;
	return has_sources;
}

const struct memmap *memory_map(void)
{
	return &map;
}

void balloon_status(struct balloon_status *status)
{
	*status = (struct balloon_status){ 0 };
}

bool balloon_status_of(size_t number, struct balloon_status *status)
{
	(void)number;
	*status = (struct balloon_status){ 0 };
	return false;
}

void balloon_account(struct balloon_account *account)
{
	*account = (struct balloon_account){ .ram = 1024, .total = 1024 };
}

void balloon_stats_print_json(void)
{
	printf("null");
}

static enum owner only; /* has 7 frames; OWNER_COUNT: nobody has any */

uint64_t ledger_count(enum owner owner)
{
	assert_true(owner < OWNER_COUNT);
	return owner == only ? 7 : 0;
}

bool ledger_check(char verdict[LEDGER_VERDICT_MAX])
{
	strcpy(verdict, "ok (1024 frames)");
	return true;
}

uint64_t frame_free_by_order(unsigned order)
{
	(void)order;
	return 0;
}

void vm_figures(struct vm_figures *figures)
{
	*figures = (struct vm_figures){ .active = pages_move };
}

/* ---- Tests ---- */

static int set_up(void **state)
{
	(void)state;
	in_slots = removable = 0;
	only = OWNER_COUNT;
	has_sources = looked = pages_move = false;
	vm_events = (struct vm_events){ 0 };
	map = (struct memmap){ 0 };
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sim_command_forget();
	return 0;
}

static void assert_shows(const char *text, const char *json)
{
	assert_int_equal(sim_command("show_mem"), 0);
	assert_non_null(strstr(sim_command_text, text));
	assert_int_equal(sim_command("show_mem -j"), 0);
	assert_non_null(strstr(sim_command_text, json));
}

static void assert_shows_no(const char *text)
{
	assert_int_equal(sim_command("show_mem"), 0);
	assert_null(strstr(sim_command_text, text));
}

/* One that is the same for people as another is there only with frames. */
static void each_owner_has_a_line(void **state)
{
	char line[64];

	(void)state;
	for (unsigned o = OWNER_FREE; o < OWNER_COUNT; o++) {
		snprintf(line, sizeof(line), "\n  %-12s ", owner_name((enum owner)o));
		if (owner_is_second((enum owner)o))
			assert_shows_no(line);
		only = (enum owner)o;
		snprintf(line, sizeof(line), "\n  %-12s %12u kB %10u frames\n",
			 owner_name((enum owner)o), 28, 7);
		assert_int_equal(sim_command("show_mem"), 0);
		if (!strstr(sim_command_text, line))
			fail_msg("no line%sin\n%s", line, sim_command_text);
		only = OWNER_COUNT;
	}
}

static void what_could_leave_is_shown_where_there_is_a_source(void **state)
{
	(void)state;
	removable = 512;
	assert_shows_no("MemRemovable");
	assert_int_equal(sim_command("show_mem -j"), 0);
	assert_null(strstr(sim_command_text, "removable"));
	has_sources = true;
	assert_shows("MemRemovable:         2048 kB\n", ",\"removable\":2097152,");
	removable = 0;
	assert_shows("MemRemovable:            0 kB\n", ",\"removable\":0,");
}

/* In an interrupt the frame map cannot be looked at. */
static void at_once_only_counters_are_shown(void **state)
{
	FILE *console = stdout;
	char *text = NULL;
	size_t length;

	(void)state;
	has_sources = true;
	in_slots = 3 * MIB;
	stdout = open_memstream(&text, &length);
	show_mem_at_once();
	fclose(stdout);
	stdout = console;
	assert_false(looked);
	assert_null(strstr(text, "MemRemovable"));
	assert_non_null(strstr(text, "MemUnused:            3072 kB\n"));
	free(text);
}

static void what_is_unused_is_of_slots_and_of_the_map(void **state)
{
	(void)state;
	assert_shows_no("MemUnused");
	in_slots = MIB;
	map.dropped = 256;
	assert_shows("MemUnused:            2048 kB\n", ",\"unused_bytes\":2097152,");
	/* Slots may say anything. */
	in_slots = UINT64_MAX;
	assert_shows("MemUnused:    18014398509481983 kB\n",
		     ",\"unused_bytes\":18446744073709551615,");
}

static void what_can_be_taken_back_is_shown_where_it_is_used(void **state)
{
	(void)state;
	vm_events.cached = 512;
	assert_shows_no("Cached");
	assert_int_equal(sim_command("show_mem -j"), 0);
	assert_null(strstr(sim_command_text, "\"cached\""));
	pages_move = true;
	vm_events.dirty = 2;
	vm_events.anonymous = 256;
	vm_events.swapped = 3;
	vm_events.swap_total = 1027;
	assert_shows("Cached:               2048 kB\n"
		     "Dirty:                   8 kB\n"
		     "Anon:                 1024 kB\n"
		     "SwapTotal:            4108 kB\n"
		     "SwapFree:             4096 kB\n",
		     ",\"cached\":2097152,\"dirty\":8192,\"anonymous\":1048576,"
		     "\"swap_total\":4206592,\"swap_free\":4194304,");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_owner_has_a_line),
		TEST(what_could_leave_is_shown_where_there_is_a_source),
		TEST(at_once_only_counters_are_shown),
		TEST(what_is_unused_is_of_slots_and_of_the_map),
		TEST(what_can_be_taken_back_is_shown_where_it_is_used),
	};

	return cmocka_run_group_tests_name("show_mem", tests, NULL, NULL);
}
