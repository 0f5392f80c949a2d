/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command heap: whole outputs. Its pieces come from the host's malloc(), which the
 * test can end; the heap is as large as they are, a frame each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "kernel/lib/hooks.h"
#include "mm/heap.h"
#include "mm/ledger.h"
#include "tests/sim/sim_command.h"
#include "tests/sim/sim_time.h"

#define PIECE 4000

static void *pieces[64];
static size_t count, most;

void *__real_malloc(size_t size);
void __real_free(void *piece);
void *__wrap_malloc(size_t size);
void __wrap_free(void *piece);

void *__wrap_malloc(size_t size)
{
	if (size != PIECE)
		return __real_malloc(size);
	if (count == most)
		return NULL;
	return pieces[count++] = __real_malloc(size);
}

/* Pieces are freed in the order that fits the list: the last one first. */
void __wrap_free(void *piece)
{
	if (count > 0 && piece == pieces[count - 1])
		count--;
	__real_free(piece);
}

size_t heap_size(void)
{
	return count * PIECE;
}

uint64_t ledger_count(enum owner owner)
{
	assert_int_equal(owner, OWNER_HEAP);
	return count;
}

/* Ctrl-C comes when so many pieces are there, and stays seen. */
static size_t stop_at;
static bool stopped;

bool lib_interrupted(void)
{
	stopped = stopped || count == stop_at;
	return stopped;
}

static int set_up(void **state)
{
	(void)state;
	sim_time_reset();
	stop_at = SIZE_MAX;
	stopped = false;
	count = 0;
	most = ARRAY_SIZE(pieces);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sim_command_forget();
	return count == 0 ? 0 : -1;
}

static void assert_runs(const char *line, int result, const char *text)
{
	assert_int_equal(sim_command(line), result);
	assert_string_equal(sim_command_text, text);
}

static void alone_it_shows_the_heap(void **state)
{
	(void)state;
	assert_runs("heap", 0, "Heap:  0 bytes, 0 frames\n");
	assert_int_equal(sim_time_waits, 0);
}

/* Others have their turn after each piece. */
static void a_size_is_taken_in_pieces_and_freed(void **state)
{
	(void)state;
	assert_runs("heap 8000", 0,
		    "Heap:  0 bytes, 0 frames\n"
		    "Taken: 8000 bytes, 2 frames\n"
		    "Freed: 0 bytes, 0 frames\n");
	assert_int_equal(sim_time_waits, 4);
	assert_runs("heap 8001", 0,
		    "Heap:  0 bytes, 0 frames\n"
		    "Taken: 12000 bytes, 3 frames\n"
		    "Freed: 0 bytes, 0 frames\n");
	assert_runs("heap 0", 0,
		    "Heap:  0 bytes, 0 frames\n"
		    "Taken: 0 bytes, 0 frames\n"
		    "Freed: 0 bytes, 0 frames\n");
}

static void what_cannot_be_had_is_said(void **state)
{
	(void)state;
	most = 3;
	assert_runs("heap 12000", 0,
		    "Heap:  0 bytes, 0 frames\n"
		    "Taken: 12000 bytes, 3 frames\n"
		    "Freed: 0 bytes, 0 frames\n");
	assert_runs("heap 12001", -ENOMEM,
		    "Heap:  0 bytes, 0 frames\n"
		    "Taken: 12000 bytes, 3 frames\n"
		    "Freed: 0 bytes, 0 frames\n"
		    "heap: only 12000 bytes could be had\n");
}

static void words_that_mean_nothing_are_named(void **state)
{
	(void)state;
	assert_runs("heap much", -ERANGE,
		    "heap: much is no size; write 64M, 1.5G or a number of bytes\n");
	assert_runs("heap 1 2", -EINVAL, "");
}

static void ctrl_c_ends_it_and_all_is_freed(void **state)
{
	(void)state;
	stop_at = 2;
	assert_runs("heap 40000", -EINTR,
		    "Heap:  0 bytes, 0 frames\n"
		    "Taken: 8000 bytes, 2 frames\n"
		    "Freed: 0 bytes, 0 frames\n"
		    "heap: interrupted\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(alone_it_shows_the_heap),		 TEST(a_size_is_taken_in_pieces_and_freed),
		TEST(ctrl_c_ends_it_and_all_is_freed),	 TEST(what_cannot_be_had_is_said),
		TEST(words_that_mean_nothing_are_named),
	};

	return cmocka_run_group_tests_name("heap_cmd", tests, NULL, NULL);
}
