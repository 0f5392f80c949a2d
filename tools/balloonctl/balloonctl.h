/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * balloonctl: the host's half of the balloon, for people and for scripts.
 *
 * main.c: common options, --help.
 * command.c, commands.c: the list of commands, and how one is run (command.h).
 * complain.c: words to a person: complaints, text from outside, exit statuses.
 * size.c, amount.c: sizes as people write and read them.
 * guest.c, guest_qmp*.c, guest_libvirt.c: reach a guest (guest.h); libvirt, which may
 * block, by guest_thread.c; guest_account.c: make what they say of its memory add up.
 * guest_names.c: find guests; life.c, wait.c, wait_options.c, wait_signals.c: wait for one;
 * live.c: read its memory; grow_plan.c: by which means a guest grows and shrinks; grow_refuse.c:
 * which sizes it cannot have.
 * poller.c, guest_set.c, periodic.c: look at guests again and again; course.c, course_sum.c: what
 * they found over time.
 * list.c, status.c, set.c, grow.c, stats.c, watch.c, record.c, plot.c, export.c, dump.c: a
 * command each, of which only its row in commands.c is known elsewhere.
 *
 * Each failure is said once, where it is noticed, by complain(), which names the
 * program and the command.
 */
#ifndef TOOLS_BALLOONCTL_BALLOONCTL_H
#define TOOLS_BALLOONCTL_BALLOONCTL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Exit statuses; also in --help and in the manual page. */
enum {
	EXIT_REACHED = 0,
	EXIT_WRONG = 1,	     /* anything that has no number of its own */
	EXIT_USAGE = 2,	     /* bad arguments */
	EXIT_SHORTFALL = 3,  /* the guest stays short of the target */
	EXIT_TIMEOUT = 4,    /* still on its way when the time was up */
	EXIT_NO_DEVICE = 5,  /* the machine has no balloon device, or none for grow and shrink */
	EXIT_NO_DRIVER = 6,  /* no driver in the guest answers */
	EXIT_NO_CONNECT = 7, /* no such guest, no connection, not our socket */
	EXIT_BAD_FILE = 8,   /* dump: not an ELF core of this guest */
};

/* Common options, given before the command. */
struct common {
	const char *guest; /* -g NAME, or NULL; see guest_open() */
	int timeout_ms;	   /* -t SEC: how long answers may take; 0: as long as is usual */
};

#define ANSWERS_MS 30000 /* all answers that a command wants, without -t */
#define LOOK_MS 10000	 /* those of one look, for commands that look again and again */

struct guest;

/* Prints "balloonctl COMMAND: ..." on stderr: one line, control characters escaped. */
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

/* Writes the line that complain() would print, with its newline; cut at `size`. */
__attribute__((format(printf, 3, 4))) void complaint(char *line, size_t size, const char *format,
						     ...);

/* Sets the command that complain() puts before its words; NULL: none. */
void complain_for(const char *command);

/*
 * Complains of a word that is no size, by the error of size_parse() or amount_parse(); `others`
 * goes on with what else it could be, "": nothing.
 */
void complain_size(const char *typed, int err, const char *others);

/*
 * Complains about an option after getopt_long() gave '?' or ':' as `c`, and returns
 * the exit status EXIT_USAGE. The option string must begin with ':' (or "+:").
 */
int bad_option(int c, char **argv);

/* Prints text from outside: anything that is not printable ASCII comes as \xNN. */
void put_escaped(FILE *out, const char *text);

/* Gives an exit status in a word: "reached", "shortfall", "timeout". */
const char *exit_word(int status);

/* Returns the exit status for an error of guest.h; EXIT_REACHED for 0. */
int exit_status(int err);

/*
 * Opens the guest that -g asks for, which is the caller's by guest_close(); `deadline`
 * is that of guest_open(). Returns an exit status; complains of everything but success.
 */
int open_guest(const struct common *common, int64_t deadline, struct guest **out);

/* Complains of what guest_error() says, and returns the exit status for `err`. */
int guest_failed(const struct guest *guest, int err);

/*
 * size.c. Reads "64M", "64MiB", "1.5G", "4096" (bytes) by the guest's own grammar, that of
 * kernel/lib/parse.h. No sign. -EINVAL: not a size; -ERANGE: more than 2^63 - 1. Nothing
 * is stored on an error.
 */
int size_parse(const char *text, uint64_t *bytes);

#define SECONDS_MAX (366 * 86400) /* a year */
/* Reads whole seconds, 0 to SECONDS_MAX; -EINVAL: anything else, nothing is stored. */
int seconds_parse(const char *text, unsigned *seconds);

#define SIZE_TEXT 24
/* Writes "768.0 MiB", "1.500 GiB": four digits in five columns; for people only. */
void size_format(uint64_t bytes, char text[SIZE_TEXT]);

/* Writes "1536M", "4097": exactly, as size_parse() reads it, in the largest unit that fits. */
void size_exact(uint64_t bytes, char text[SIZE_TEXT]);

/* Writes the size as size_format() does, and gives it without the blanks at its start. */
const char *size_word(uint64_t bytes, char text[SIZE_TEXT]);

#endif
