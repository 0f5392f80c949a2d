/* SPDX-License-Identifier: BSD-2-Clause */
/* The figures of show_mem, whole: as text and as JSON, with a balloon and without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/mem_figures.h"

static char *text;

static const struct mem_figures figures = {
	.version = AEROSTAT_VERSION,
	.account = { .ram = 1000,
		     .total = 900,
		     .free = 800,
		     .available = 700,
		     .inflated_total = 60,
		     .inflated_free = 50 },
	.has_balloon = true,
	.target = 40,
	.actual = 30,
	.shortfall = 20,
	.floor = 10,
	.owner_count = 2,
	.owner = { { "free", 800 }, { "kernel", 1234567 } },
	.free_by_order = { [0] = 3, [1] = 4, [2] = 1, [BLOCK_ORDER] = 512 },
	.verdict = "owner heap has 3 frames too many",
};

static int end(void **state)
{
	(void)state;
	free(text);
	text = NULL;
	return 0;
}

static FILE *begin_printing(void)
{
	static size_t length;
	FILE *real = stdout;

	stdout = open_memstream(&text, &length);
	return real;
}

static void end_printing(FILE *real)
{
	fclose(stdout);
	stdout = real;
}

static const char *as_text(const struct mem_figures *f)
{
	FILE *real = begin_printing();

	mem_figures_print(f);
	end_printing(real);
	return text;
}

static const char *as_json(const struct mem_figures *f, void (*more)(void))
{
	FILE *real = begin_printing();

	mem_figures_print_json(f, more);
	end_printing(real);
	return text;
}

static void text_has_all_of_them_in_kb(void **state)
{
	(void)state;
	assert_string_equal(as_text(&figures),
			    "MemTotal:             3600 kB\n"
			    "MemFree:              3200 kB\n"
			    "MemAvailable:         2800 kB\n"
			    "Balloon InflatedTotal:240kB InflatedFree:200kB\n"
			    "Balloon target:160kB actual:120kB shortfall:80kB floor:40kB\n"
			    "Free, by the largest run in its block: 4kB:12kB 8kB:16kB "
			    "16kB:4kB 2048kB:2048kB\n"
			    "Owners:\n"
			    "  free                 3200 kB        800 frames\n"
			    "  kernel            4938268 kB    1234567 frames\n"
			    "Ledger: owner heap has 3 frames too many\n");
}

static void figures_that_need_two_lines_are_indented(void **state)
{
	struct mem_figures f = { .verdict = "ok",
				 .has_balloon = true,
				 .target = UINT64_C(1) << 40,
				 .actual = UINT64_C(1) << 40,
				 .shortfall = UINT64_C(1) << 40,
				 .floor = 1,
				 .free_by_order = { 9999999, 9999999, 9999999, 9999999 } };

	(void)state;
	as_text(&f);
	assert_non_null(strstr(text, "\n"
				     "Balloon target:4398046511104kB actual:4398046511104kB "
				     "shortfall:4398046511104kB\n"
				     "        floor:4kB\n"));
	assert_non_null(strstr(text, "\n"
				     "Free, by the largest run in its block: 4kB:39999996kB "
				     "8kB:39999996kB\n"
				     "  16kB:39999996kB 32kB:39999996kB\n"));
}

static void text_without_a_balloon_has_a_line_less(void **state)
{
	struct mem_figures f = { .verdict = "ok" };

	(void)state;
	assert_string_equal(as_text(&f), "MemTotal:                0 kB\n"
					 "MemFree:                 0 kB\n"
					 "MemAvailable:            0 kB\n"
					 "Balloon InflatedTotal:0kB InflatedFree:0kB\n"
					 "Free, by the largest run in its block:\n"
					 "Owners:\n"
					 "Ledger: ok\n");
}

/* Of a guest: a line if there is such memory, and a member at any rate. */
static void memory_that_is_not_used_is_told(void **state)
{
	struct mem_figures f = { .version = AEROSTAT_VERSION,
				 .has_unused = true,
				 .unused_bytes = UINT64_C(3) << 40,
				 .verdict = "ok" };

	(void)state;
	assert_non_null(strstr(as_text(&f), "MemAvailable:            0 kB\n"
					    "MemUnused:      3221225472 kB\n"
					    "Balloon "));
	end(NULL);
	assert_non_null(strstr(as_json(&f, NULL),
			       ",\"inflated-free\":0,\"unused_bytes\":3298534883328,\"balloon\":"));
	end(NULL);
	f.unused_bytes = 0;
	assert_null(strstr(as_text(&f), "MemUnused"));
	end(NULL);
	assert_non_null(strstr(as_json(&f, NULL), "\"unused_bytes\":0,"));
}

/* A line and a member as soon as there is a region, be nothing of it removable. */
static void memory_that_can_leave_is_told(void **state)
{
	struct mem_figures f = { .version = AEROSTAT_VERSION,
				 .has_regions = true,
				 .removable = 3 * BLOCK_FRAMES,
				 .verdict = "ok" };

	(void)state;
	assert_non_null(strstr(as_text(&f), "MemAvailable:            0 kB\n"
					    "MemRemovable:         6144 kB\n"
					    "Balloon "));
	end(NULL);
	assert_non_null(strstr(as_json(&f, NULL), ",\"removable\":6291456,\"balloon\":"));
	end(NULL);
	f.removable = 0;
	assert_non_null(strstr(as_text(&f), "MemRemovable:            0 kB\n"));
	end(NULL);
	f.has_regions = false;
	assert_null(strstr(as_text(&f), "MemRemovable"));
	end(NULL);
	assert_null(strstr(as_json(&f, NULL), "removable"));
}

static void print_more(void)
{
	printf("\"more\":1,");
}

static void json_has_them_in_bytes_and_more(void **state)
{
	(void)state;
	assert_string_equal(
		as_json(&figures, print_more),
		"{\"version\":\"" AEROSTAT_VERSION
		"\",\"ram\":4096000,\"stat-total-memory\":3686400,\"stat-free-memory\":3276800,"
		"\"stat-available-memory\":2867200,\"inflated-total\":245760,"
		"\"inflated-free\":204800,"
		"\"balloon\":{\"target\":163840,\"actual\":122880,\"shortfall\":81920,"
		"\"floor\":40960},\"more\":1,"
		"\"owners\":{\"free\":3276800,\"kernel\":5056786432},"
		"\"ledger\":\"owner heap has 3 frames too many\"}\n");
}

static void json_without_a_balloon_says_null(void **state)
{
	struct mem_figures f = { .version = AEROSTAT_VERSION,
				 .owner_count = 1,
				 .owner = { { "free", 1 } },
				 .verdict = "ok: 1 frame",
				 .ledger_ok = true };

	(void)state;
	assert_string_equal(as_json(&f, NULL),
			    "{\"version\":\"" AEROSTAT_VERSION
			    "\",\"ram\":0,\"stat-total-memory\":0,\"stat-free-memory\":0,"
			    "\"stat-available-memory\":0,\"inflated-total\":0,\"inflated-free\":0,"
			    "\"balloon\":null,\"owners\":{\"free\":4096},\"ledger\":\"ok\"}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(text_has_all_of_them_in_kb, end),
		cmocka_unit_test_teardown(figures_that_need_two_lines_are_indented, end),
		cmocka_unit_test_teardown(text_without_a_balloon_has_a_line_less, end),
		cmocka_unit_test_teardown(memory_that_is_not_used_is_told, end),
		cmocka_unit_test_teardown(memory_that_can_leave_is_told, end),
		cmocka_unit_test_teardown(json_has_them_in_bytes_and_more, end),
		cmocka_unit_test_teardown(json_without_a_balloon_says_null, end),
	};

	return cmocka_run_group_tests_name("mem_figures", tests, NULL, NULL);
}
