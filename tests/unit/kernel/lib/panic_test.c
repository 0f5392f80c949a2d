/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of kernel/lib/panic.c: what is called, in which order, and what is left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/lib/epitaph.h"
#include "kernel/lib/hooks.h"
#include "kernel/lib/panic.h"

/* newlib's assert() calls it; the host's has another. */
_Noreturn void __assert_func(const char *file, int line, const char *function,
			     const char *expression);

static char calls[200]; /* names of hooks, in the order in which they were called */
static jmp_buf halted;
static size_t depth;
static bool last_words_panic;
static const char *symbol_name;
static const void *followed;
static const void *caller; /* of the frame that is followed */
static uint64_t last_asked;

static void note(const char *name)
{
	strcat(calls, name);
	strcat(calls, " ");
}

static void begin(void)
{
	note("begin");
}

static size_t backtrace(const void *frame, uint64_t *address, size_t max)
{
	note("backtrace");
	followed = frame;
	/* The frame pointer that the function saved is its caller's. */
	caller = *(void *const *)frame;
	assert_int_equal(max, EPITAPH_DEPTH);
	for (size_t i = 0; i < depth; i++)
		address[i] = 0x1010 + i;
	return depth;
}

static const char *symbol(uint64_t address, uint64_t *offset)
{
	/* Functions begin at multiples of 0x1000. Of what is in none there is no offset. */
	if (symbol_name)
		*offset = address & 0xfff;
	last_asked = address;
	return symbol_name;
}

static void last_words(void)
{
	note("last_words");
	if (last_words_panic)
		panic("again");
}

static void halt(uint8_t status)
{
	note("halt");
	assert_int_equal(status, PANIC_STATUS);
	longjmp(halted, 1);
}

static const struct panic_hooks hooks = {
	.begin = begin,
	.backtrace = backtrace,
	.symbol = symbol,
	.last_words = last_words,
	.halt = halt,
};

static uint64_t clock_ns(void)
{
	return 7700000001;
}

static int set_up(void **state)
{
	(void)state;
	panic_epitaph = (struct epitaph){ .version = EPITAPH_VERSION,
					  .size = sizeof(panic_epitaph) };
	calls[0] = '\0';
	depth = 2;
	last_words_panic = false;
	symbol_name = "somewhere";
	panic_set_hooks(&hooks);
	lib_set_clock(clock_ns);
	return 0;
}

#define until_it_halts(statement) \
	do { \
		if (setjmp(halted) == 0) { \
			statement; \
			fail(); \
		} \
	} while (0)

static void a_panic_begins_shows_where_speaks_and_halts(void **state)
{
	(void)state;
	until_it_halts(panic("page %#x", 0xbeef));
	assert_string_equal(calls, "begin backtrace last_words halt ");
}

static void it_says_all_of_it(void **state)
{
	FILE *real = stdout;
	char *text;
	size_t length;

	(void)state;
	stdout = open_memstream(&text, &length);
	if (setjmp(halted) == 0)
		panic("page %#x", 0xbeef);
	fclose(stdout);
	stdout = real;
	assert_string_equal(text, "\nPANIC: page 0xbeef\n"
				  "backtrace:\n"
				  "  00001010 somewhere+0x10\n"
				  "  00001011 somewhere+0x11\n"
				  "Stopped with status 101.\n");
	free(text);
}

static void it_leaves_an_epitaph(void **state)
{
	const struct epitaph *e = &panic_epitaph;

	(void)state;
	until_it_halts(panic("page %#x", 0xbeef));
	assert_int_equal(e->version, EPITAPH_VERSION);
	assert_int_equal(e->size, sizeof(*e));
	assert_int_equal(e->panicked, 1);
	assert_int_equal(e->time_ns, 7700000001);
	assert_string_equal(e->message, "page 0xbeef");
	assert_true(e->at.address != 0);
	assert_int_equal(e->depth, 2);
	assert_int_equal(e->backtrace[1].address, 0x1011);
	assert_int_equal(e->backtrace[1].offset, 0x11);
	assert_string_equal(e->backtrace[1].symbol, "somewhere");
	assert_string_equal(e->backtrace[2].symbol, "");
}

static const void *own_frame;
static uintptr_t own_return;

static void __attribute__((noinline)) die(void)
{
	own_frame = __builtin_frame_address(0);
	own_return = (uintptr_t)__builtin_return_address(0);
	panic("gone");
}

static void __attribute__((noinline)) fail_to_assert(void)
{
	own_frame = __builtin_frame_address(0);
	own_return = (uintptr_t)__builtin_return_address(0);
	__assert_func("mm/frame.c", 33, "frame_free", "count > 0");
}

/* Whose address is known, and who is followed from there. */
static void assert_place_is(void (*function)(void))
{
	uint64_t start = (uintptr_t)function;

	depth = 0;
	until_it_halts(function());
	assert_in_range(panic_epitaph.at.address, start + 1, start + 200);
	assert_true(panic_epitaph.at.address != own_return);
	assert_ptr_equal(caller, own_frame);
}

static void who_calls_it_is_where_it_happened(void **state)
{
	assert_place_is(die);
	set_up(state);
	assert_place_is(fail_to_assert);
}

/* The call of panic() may be the last thing in a function, which is the one to be named. */
static void a_return_address_belongs_to_the_call_before_it(void **state)
{
	(void)state;
	until_it_halts(panic("gone"));
	assert_int_equal(last_asked, 0x1010);
	set_up(state);
	depth = 0;
	until_it_halts(panic("gone"));
	assert_int_equal(last_asked, panic_epitaph.at.address - 1);
}

/* Its first instruction may be the one that fails. */
static void an_exception_belongs_to_the_function_that_it_is_in(void **state)
{
	(void)state;
	depth = 0;
	panic_begin("EXCEPTION 6");
	until_it_halts(panic_end(&state, 0x3000));
	assert_int_equal(last_asked, 0x3000);
	assert_int_equal(panic_epitaph.at.offset, 0);
}

static void a_failed_assertion_names_expression_file_and_line(void **state)
{
	(void)state;
	until_it_halts(__assert_func("mm/frame.c", 33, "frame_free", "count > 0"));
	assert_string_equal(panic_epitaph.message,
			    "mm/frame.c:33: frame_free: count > 0 does not hold");
	assert_string_equal(calls, "begin backtrace last_words halt ");
	/* Its call, too, may be the last thing in a function. */
	set_up(state);
	depth = 0;
	until_it_halts(__assert_func("mm/frame.c", 33, "frame_free", "count > 0"));
	assert_int_equal(last_asked, panic_epitaph.at.address - 1);
}

static void an_exception_tells_its_own_place_and_frame(void **state)
{
	void *frame = &frame;

	(void)state;
	panic_begin("EXCEPTION %d", 14);
	assert_int_equal(panic_epitaph.panicked, 1);
	until_it_halts(panic_end(&frame, 0x123456));
	assert_string_equal(panic_epitaph.message, "EXCEPTION 14");
	assert_int_equal(panic_epitaph.at.address, 0x123456);
	assert_int_equal(panic_epitaph.at.offset, 0x456);
	assert_ptr_equal(followed, &frame);
}

static void a_panic_in_the_last_words_stops_at_once(void **state)
{
	(void)state;
	last_words_panic = true;
	until_it_halts(panic("first"));
	assert_string_equal(calls, "begin backtrace last_words begin halt ");
	assert_string_equal(panic_epitaph.message, "first");
}

static void a_place_without_a_function_has_an_empty_name(void **state)
{
	(void)state;
	symbol_name = NULL;
	until_it_halts(panic("lost"));
	assert_string_equal(panic_epitaph.at.symbol, "");
	/* What there is, is the byte before, where the call is. */
	assert_int_equal(panic_epitaph.at.offset, 1);
	assert_int_equal(panic_epitaph.backtrace[1].address, 0x1011);
}

static void what_is_too_long_is_cut(void **state)
{
	char text[2 * EPITAPH_MESSAGE];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	symbol_name = text;
	depth = EPITAPH_DEPTH;
	until_it_halts(panic("%s", text));
	assert_int_equal(strlen(panic_epitaph.message), EPITAPH_MESSAGE - 1);
	assert_int_equal(strlen(panic_epitaph.backtrace[EPITAPH_DEPTH - 1].symbol),
			 EPITAPH_SYMBOL - 1);
	assert_int_equal(panic_epitaph.depth, EPITAPH_DEPTH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_panic_begins_shows_where_speaks_and_halts, set_up),
		cmocka_unit_test_setup(it_says_all_of_it, set_up),
		cmocka_unit_test_setup(it_leaves_an_epitaph, set_up),
		cmocka_unit_test_setup(who_calls_it_is_where_it_happened, set_up),
		cmocka_unit_test_setup(a_return_address_belongs_to_the_call_before_it, set_up),
		cmocka_unit_test_setup(an_exception_belongs_to_the_function_that_it_is_in, set_up),
		cmocka_unit_test_setup(a_failed_assertion_names_expression_file_and_line, set_up),
		cmocka_unit_test_setup(an_exception_tells_its_own_place_and_frame, set_up),
		cmocka_unit_test_setup(a_panic_in_the_last_words_stops_at_once, set_up),
		cmocka_unit_test_setup(a_place_without_a_function_has_an_empty_name, set_up),
		cmocka_unit_test_setup(what_is_too_long_is_cut, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
