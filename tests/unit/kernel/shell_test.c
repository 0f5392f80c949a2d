/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of kernel/shell.c: splitting, look-up, results, Ctrl-C, and the task
 * from run="..." to the prompt. The console is mocked; what the shell prints
 * with printf() is caught at the end of standard output.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/task/task.h"
#include "kernel/console.h"
#include "kernel/console_input.h"
#include "kernel/lib/log.h"
#include "kernel/option_words.h"
#include "kernel/shell.h"
#include "kernel/shell_words.h"

#define TOLD_MAX 64

/* ---- Commands: what ran is noted as text ---- */

static char ran[1000];
static bool ctrl_c;
static bool running;
static enum task_priority present_priority = TASK_PRIORITY_SHELL;
static void (*show_line)(const char *line, size_t length); /* of the log */

static int note(int argc, char **argv)
{
	size_t used = strlen(ran);

	assert_true(running);
	assert_int_equal(present_priority, TASK_PRIORITY_DRIVER);
	assert_null(argv[argc]);
	for (int i = 0; i < argc; i++)
		used += (size_t)snprintf(ran + used, sizeof(ran) - used, "[%s]", argv[i]);
	return 0;
}

static int fail_io(int argc, char **argv)
{
	note(argc, argv);
	return -EIO;
}

static int fail_usage(int argc, char **argv)
{
	note(argc, argv);
	return -EINVAL;
}

static int fail_with_5(int argc, char **argv)
{
	note(argc, argv);
	return 5;
}

static int type_ctrl_c(int argc, char **argv)
{
	note(argc, argv);
	ctrl_c = true;
	return 0;
}

/* Stands for `exit`. What it is told is known to the parent of a process, too. */
static char *failure_told;

static int tell(int argc, char **argv)
{
	int status = 77;
	const char *failure = shell_failure(&status);

	note(argc, argv);
	assert_true(failure || status == 77);
	snprintf(failure_told, TOLD_MAX, "%s", failure ? failure : "");
	if (failure && status != 1)
		snprintf(failure_told, TOLD_MAX, "%s %d", failure, status);
	return 0;
}

static int note_too(int argc, char **argv)
{
	return note(argc, argv);
}

/* As the linker gathers them: in no order. */
COMMAND("note", "", "notes", NULL, note);
COMMAND("hold", "SIZE [order]", "is used wrongly", NULL, fail_usage);
COMMAND("io", "", "fails", NULL, fail_io);
COMMAND("tell", "", "tells", NULL, tell);
COMMAND("wait", "", "fails with 5", NULL, fail_with_5);
COMMAND("zap", "", "is interrupted", NULL, type_ctrl_c);
static int say_something(int argc, char **argv)
{
	show_line("meanwhile\n", 10);
	return note(argc, argv);
}

COMMAND("news", "", "lets the kernel speak", NULL, say_something);
COMMAND("audit", "", "notes too", NULL, note_too);

void task_set_priority(enum task_priority priority)
{
	present_priority = priority;
}

/* ---- The console ---- */

static char shown[4000];
static const char *input = "";
static jmp_buf no_more_input;
static bool uses_tasks;
static uint64_t lost;

void console_write(const char *text, size_t length)
{
	fwrite(text, 1, length, stdout);
}

int console_read(uint64_t deadline)
{
	assert_int_equal(deadline, UINT64_MAX);
	assert_true(uses_tasks);
	if (*input == '\0')
		longjmp(no_more_input, 1);
	/* Here the kernel has something to say. */
	if (*input == '!') {
		show_line("news\n", 5);
		input++;
	}
	/* And here more has come than was taken. */
	if (*input == '?') {
		lost += 20;
		input++;
	}
	if (*input == '0') {
		input++;
		return '\0';
	}
	return (uint8_t)*input++;
}

void console_use_tasks(void)
{
	uses_tasks = true;
}

uint64_t console_input_dropped(void)
{
	return lost;
}

void log_set_show(void (*show)(const char *line, size_t length))
{
	assert_non_null(show);
	show_line = show;
}

void console_begin_command(void)
{
	ctrl_c = false;
	running = true;
}

void console_end_command(void)
{
	running = false;
}

bool console_interrupted(void)
{
	return ctrl_c;
}

/* Between these, what is printed goes to `shown`. */
static int real_stdout;
static FILE *catcher;

static void catch_begin(void)
{
	catcher = tmpfile();
	assert_non_null(catcher);
	fflush(stdout);
	real_stdout = dup(STDOUT_FILENO);
	dup2(fileno(catcher), STDOUT_FILENO);
}

static void catch_end(void)
{
	size_t length;

	fflush(stdout);
	dup2(real_stdout, STDOUT_FILENO);
	close(real_stdout);
	rewind(catcher);
	length = fread(shown, 1, sizeof(shown) - 1, catcher);
	shown[length] = '\0';
	fclose(catcher);
}

static int run(const char *line)
{
	char text[500];
	int result;

	assert_true(strlen(line) < sizeof(text));
	strcpy(text, line);
	ran[0] = '\0';
	catch_begin();
	result = shell_run_line(text);
	catch_end();
	assert_false(running);
	assert_int_equal(present_priority, TASK_PRIORITY_SHELL);
	return result;
}

static void run_task(const char *command_line, const char *typed)
{
	char text[500];

	strcpy(text, command_line);
	input = typed;
	ran[0] = '\0';
	catch_begin();
	if (setjmp(no_more_input) == 0)
		shell_task(text);
	catch_end();
}

/* ---- Splitting ---- */

static void check_split(const char *line, int result, const char *words, const char *rest)
{
	char text[200];
	char joined[200] = "";
	char *argv[SHELL_WORDS_MAX + 1];
	char *p = text;
	int argc;

	strcpy(text, line);
	argc = shell_split(&p, argv);
	assert_int_equal(argc, result);
	if (argc < 0)
		return;
	for (int i = 0; i < argc; i++) {
		strcat(joined, argv[i]);
		strcat(joined, "|");
	}
	assert_string_equal(joined, words);
	assert_null(argv[argc]);
	assert_string_equal(p, rest);
}

static void blanks_separate_words(void **state)
{
	(void)state;
	check_split("", 0, "", "");
	check_split(" \t ", 0, "", "");
	check_split("one", 1, "one|", "");
	check_split("  hold\t64M  3 ", 3, "hold|64M|3|", "");
}

static void semicolons_separate_commands(void **state)
{
	(void)state;
	check_split("a b;c d", 2, "a|b|", "c d");
	check_split("a b ; c d", 2, "a|b|", " c d");
	check_split(";a", 0, "", "a");
	check_split(" ;;", 0, "", ";");
	check_split("a;", 1, "a|", "");
}

static void double_quotes_group(void **state)
{
	(void)state;
	check_split("a \"b c; d\" e;f", 3, "a|b c; d|e|", "f");
	check_split("a\"b \"c", 1, "ab c|", "");
	check_split("\"\" a", 2, "|a|", "");
	check_split("\"a\";\"b\"", 1, "a|", "\"b\"");
}

static void what_cannot_be_split_is_refused(void **state)
{
	(void)state;
	check_split("\"", -EINVAL, "", "");
	check_split("a \"b; c", -EINVAL, "", "");
	check_split("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", 16,
		    "1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16|", "");
	check_split("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", -E2BIG, "", "");
}

/* ---- Look-up ---- */

static void commands_are_found_by_their_whole_name(void **state)
{
	(void)state;
	assert_ptr_equal(command_find("io"), &command_fail_io);
	assert_ptr_equal(command_find("audit"), &command_note_too);
	assert_null(command_find("i"));
	assert_null(command_find("ioo"));
	assert_null(command_find(""));
}

static void commands_come_in_alphabetical_order(void **state)
{
	static const char *const sorted[] = { "audit", "hold", "io",   "news",
					      "note",  "tell", "wait", "zap" };
	const struct command *command = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sorted); i++) {
		command = command_after(command);
		assert_non_null(command);
		assert_string_equal(command->name, sorted[i]);
	}
	assert_null(command_after(command));
}

/* ---- Running ---- */

static void all_commands_of_a_line_run(void **state)
{
	(void)state;
	assert_int_equal(run("note 1 \"2 3\"; audit;; note"), 0);
	assert_string_equal(ran, "[note][1][2 3][audit][note]");
	assert_string_equal(shown, "");
	assert_int_equal(run(" ; "), 0);
}

static void after_a_failure_the_line_goes_on(void **state)
{
	(void)state;
	assert_int_equal(run("io; note"), -EIO);
	assert_string_equal(ran, "[io][note]");
	assert_int_equal(run("note; frob"), -ENOENT);
	assert_int_equal(run("note; frob; io"), -ENOENT);
	assert_int_equal(run("note; io; note \""), -EIO);
}

/* What `exit` at the end of a line would be told. */
static const char *told(const char *line)
{
	run(line);
	return failure_told[0] ? failure_told : NULL;
}

static void a_failure_is_told_to_what_follows_on_the_line(void **state)
{
	(void)state;
	assert_null(told("note; audit; tell"));
	assert_string_equal(told("note; io; note; tell"), "io");
	assert_string_equal(told("hold 1 2; io; tell"), "hold");
	assert_string_equal(told("frob; tell"), "frob");
	assert_string_equal(told("f; tell"), "f");
	assert_string_equal(told("note; wait; io; tell"), "wait 5");
	assert_string_equal(told("io; wait; tell"), "io");
	/* Another line, another start. */
	assert_null(told("note; tell"));
	/* A name may be as long as a line. */
	assert_string_equal(told("a23456789b23456789c23456789d23456789; tell"),
			    "a23456789b23456789c23456789d234");
}

/* The shell remembers as long as the machine runs: a process of its own for each session. */
static void assert_session_told(const char *command_line, const char *typed, const char *failure)
{
	pid_t pid;
	int status;

	strcpy(failure_told, "nothing was asked");
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		option_words_check(command_line, false);
		run_task(command_line, typed);
		exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_string_equal(failure_told, failure);
}

/* Before any other test has failed a command. */
static void on_a_line_of_its_own_it_is_told_the_first_failure_of_all(void **state)
{
	(void)state;
	assert_session_told("run=\"note; audit\"", "note\r\r tell\r", "");
	assert_session_told("run=\"note; io; hold\"", "note\rtell\r", "io");
	assert_session_told("run=wait", "io\rtell\r", "wait 5");
	assert_session_told("", "note\rfrob\rnote\rtell\r", "frob");
	assert_session_told("", "note\xff\rtell\r", "a line that was dropped");
	assert_session_told("run=\"note\xff\"", "tell\r", "a line that is no text");
	assert_session_told("", "note \"\rtell\r", "a quote does not end");
	assert_session_told("run=\"note", "tell\r", "a word of the command line");
	assert_session_told("rn=note", "tell\r", "a word of the command line");
	lost = 7;
	assert_session_told("", "note\rtell\r", "input that was lost");
	lost = 0;
	/* On a line with others, only what is before it there counts. */
	assert_session_told("rn=1", "io\rnote; tell\r", "");
}

static void a_command_has_16_words_at_most(void **state)
{
	(void)state;
	assert_int_equal(run("note 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16"), 0);
	assert_non_null(strstr(ran, "[15][16]"));
	assert_int_equal(run("note 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17"), -E2BIG);
	assert_string_equal(ran, "");
	assert_string_equal(shown, "too many words\n");
}

static void an_unknown_command_is_named(void **state)
{
	(void)state;
	assert_int_equal(run("frob 1"), -ENOENT);
	assert_string_equal(shown, "frob: no such command; help lists them\n");
}

static void wrong_usage_shows_the_right_one(void **state)
{
	(void)state;
	assert_int_equal(run("hold"), -EINVAL);
	assert_string_equal(shown, "usage: hold SIZE [order]\n");
}

static void ctrl_c_ends_the_whole_line(void **state)
{
	(void)state;
	assert_int_equal(run("note; zap; note"), -EINTR);
	assert_string_equal(ran, "[note][zap]");
	assert_string_equal(shown, "^C\n");
	/* And nothing else. */
	assert_int_equal(run("note"), 0);
	assert_string_equal(ran, "[note]");
}

static void an_old_ctrl_c_does_not_stop_a_line_without_commands(void **state)
{
	(void)state;
	assert_int_equal(run("zap"), -EINTR);
	assert_int_equal(run("frob; note"), -ENOENT);
	assert_string_equal(ran, "[note]");
}

static void bytes_that_are_not_text_are_never_obeyed(void **state)
{
	(void)state;
	assert_int_equal(run("note; \x1b[2Jfrob"), -EILSEQ);
	assert_int_equal(run("note \xc3\xa9"), -EILSEQ);
	assert_int_equal(run("note\n"), -EILSEQ);
	assert_int_equal(run("note\x7f"), -EILSEQ);
	assert_string_equal(ran, "");
	assert_null(strchr(shown, 0x1b));
	assert_int_equal(run("note \x1f"), -EILSEQ);
	assert_string_equal(shown, "line with bytes that are not printable: dropped\n");
	assert_int_equal(run("note\t1 ~"), 0);
}

static void a_quote_without_end_runs_nothing_further(void **state)
{
	(void)state;
	assert_int_equal(run("note; audit \"; note"), -EINVAL);
	assert_string_equal(ran, "[note]");
	assert_string_equal(shown, "a quote does not end\n");
}

/* ---- The task ---- */

static void the_task_runs_the_command_line_first(void **state)
{
	(void)state;
	run_task("floor=1 run=\"note 1; audit\"", "note 2\r\r");
	assert_string_equal(ran, "[note][1][audit][note][2]");
	assert_string_equal(shown, "aerostat> note 1; audit\n"
				   "aerostat> note 2\n"
				   "aerostat> \n"
				   "aerostat> ");
}

static void the_task_shows_no_bytes_that_could_steer_a_terminal(void **state)
{
	(void)state;
	run_task("run=\"note \x1b[2J\"", "");
	assert_string_equal(ran, "");
	assert_null(strchr(shown, 0x1b));
}

/*
 * While a line is typed it stands whole below, in a row that does not begin as an answer's end
 * does; while a command runs nothing is repeated.
 */
static void lines_of_the_log_leave_the_typed_line_whole(void **state)
{
	(void)state;
	run_task("", "no!te 1\rnews\r");
	assert_string_equal(ran, "[note][1][news]");
	assert_non_null(strstr(shown, "news\n \baerostat> note 1\n"));
	assert_non_null(strstr(shown, "aerostat> news\nmeanwhile\naerostat> "));
}

static void without_run_there_is_a_prompt_at_once(void **state)
{
	(void)state;
	run_task("floor=1", "");
	assert_string_equal(shown, "aerostat> ");
	assert_string_equal(ran, "");
}

static void dropped_input_is_counted(void **state)
{
	uint64_t lines;
	uint64_t bytes;

	(void)state;
	run_task("", "no\xff\xfete 3\r");
	assert_string_equal(ran, "");
	shell_get_dropped(&lines, &bytes);
	assert_int_equal(lines, 1);
	assert_int_equal(bytes, 2);
	run_task("", "0\r");
	shell_get_dropped(&lines, &bytes);
	assert_int_equal(lines, 1);
	assert_int_equal(bytes, 1);
}

static void input_that_was_lost_is_told_once(void **state)
{
	(void)state;
	lost = 300;
	run_task("", "note\r");
	assert_string_equal(shown,
			    "300 bytes of input were lost: they came faster than they were taken\n"
			    "aerostat> note\n"
			    "aerostat> ");
	run_task("", "note?\r");
	assert_string_equal(shown,
			    "aerostat> note\n"
			    "20 bytes of input were lost: they came faster than they were taken\n"
			    "aerostat> ");
}

static void tab_knows_the_commands(void **state)
{
	(void)state;
	run_task("", "no\tx\r");
	assert_string_equal(ran, "[note][x]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_a_line_of_its_own_it_is_told_the_first_failure_of_all),
		cmocka_unit_test(blanks_separate_words),
		cmocka_unit_test(semicolons_separate_commands),
		cmocka_unit_test(double_quotes_group),
		cmocka_unit_test(what_cannot_be_split_is_refused),
		cmocka_unit_test(commands_are_found_by_their_whole_name),
		cmocka_unit_test(commands_come_in_alphabetical_order),
		cmocka_unit_test(all_commands_of_a_line_run),
		cmocka_unit_test(after_a_failure_the_line_goes_on),
		cmocka_unit_test(a_failure_is_told_to_what_follows_on_the_line),
		cmocka_unit_test(a_command_has_16_words_at_most),
		cmocka_unit_test(an_unknown_command_is_named),
		cmocka_unit_test(wrong_usage_shows_the_right_one),
		cmocka_unit_test(ctrl_c_ends_the_whole_line),
		cmocka_unit_test(an_old_ctrl_c_does_not_stop_a_line_without_commands),
		cmocka_unit_test(bytes_that_are_not_text_are_never_obeyed),
		cmocka_unit_test(a_quote_without_end_runs_nothing_further),
		cmocka_unit_test(the_task_runs_the_command_line_first),
		cmocka_unit_test(the_task_shows_no_bytes_that_could_steer_a_terminal),
		cmocka_unit_test(lines_of_the_log_leave_the_typed_line_whole),
		cmocka_unit_test(without_run_there_is_a_prompt_at_once),
		cmocka_unit_test(dropped_input_is_counted),
		cmocka_unit_test(tab_knows_the_commands),
		cmocka_unit_test(input_that_was_lost_is_told_once),
	};

	failure_told = mmap(NULL, TOLD_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
			    0);
	if (failure_told == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
