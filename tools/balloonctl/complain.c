/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words to a person: complaints in one line on stderr, text from outside made
 * harmless for a terminal, and exit statuses. See balloonctl.h.
 */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <getopt.h>

#include "kernel/lib/escape.h"
#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/guest.h"

static const char *speaker;

void complain_for(const char *command)
{
	speaker = command;
}

void put_escaped(FILE *out, const char *text)
{
	char shown[ESCAPE_MAX];

	for (; *text; text++)
		fwrite(shown, 1, escape_byte((unsigned char)*text, shown), out);
}

void complain(const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	/* Keep the order where stdout and stderr are one file. */
	fflush(stdout);
	fputs("balloonctl", stderr);
	if (speaker)
		fprintf(stderr, " %s", speaker);
	fputs(": ", stderr);
	put_escaped(stderr, text);
	fputc('\n', stderr);
}

void complaint(char *line, size_t size, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(line, size, "balloonctl%s%s: %s\n", speaker ? " " : "", speaker ? speaker : "",
		 text);
}

void complain_size(const char *typed, int err, const char *others)
{
	assert(err < 0);
	if (err == -ERANGE)
		complain("'%s' is more than any guest has", typed);
	else
		complain("'%s' is no size: bytes, or a number with K, M, G or T, as in 512M, 1.5G, "
			 "64MiB%s",
			 typed, others);
}

int bad_option(int c, char **argv)
{
	/* A long option is the word before optind, a short one is in optopt. */
	const char *word = argv[optind - 1];
	char letter[] = { '-', (char)optopt, '\0' };
	/* A long one that lacks its value is in optopt, too, by the letter that it has here. */
	bool is_long = !optopt || !strncmp(word, "--", 2);

	if (speaker && ((!is_long && letter[1] == 'g') || !strncmp(word, "--guest", 7))) {
		complain("the guest stands before the command: balloonctl -g NAME %s", speaker);
		return EXIT_USAGE;
	}
	if (speaker && ((!is_long && letter[1] == 't') || !strncmp(word, "--timeout", 9))) {
		complain("the time stands before the command: balloonctl -t SEC %s", speaker);
		return EXIT_USAGE;
	}
	complain(c == ':' ? "%s wants a value; see --help" : "%s is not understood; see --help",
		 is_long ? word : letter);
	return EXIT_USAGE;
}

const char *exit_word(int status)
{
	static const char *const words[] = {
		[EXIT_REACHED] = "reached",	[EXIT_WRONG] = "failed",
		[EXIT_USAGE] = "bad-arguments", [EXIT_SHORTFALL] = "shortfall",
		[EXIT_TIMEOUT] = "timeout",	[EXIT_NO_DEVICE] = "no-device",
		[EXIT_NO_DRIVER] = "no-driver", [EXIT_NO_CONNECT] = "no-connection",
		[EXIT_BAD_FILE] = "bad-file",
	};

	assert(status >= 0 && (size_t)status < sizeof(words) / sizeof(words[0]));
	return words[status];
}

int exit_status(int err)
{
	assert(err <= 0);
	switch (err) {
	case 0:
		return EXIT_REACHED;
	case -ERANGE:
		return EXIT_USAGE;
	case -ETIMEDOUT:
	case -EBUSY:
		return EXIT_TIMEOUT;
	case -ENODEV:
		return EXIT_NO_DEVICE;
	case -ENOTCONN:
	case -ECONNRESET:
	case -ECONNREFUSED:
	case -EPIPE:
	case -EPERM:
	case -EPROTONOSUPPORT:
	case -EACCES:
	case -ENOENT:
	case -ENOTDIR:
	case -ENOTSOCK:
	case -ENAMETOOLONG:
		return EXIT_NO_CONNECT;
	default:
		return EXIT_WRONG;
	}
}

int open_guest(const struct common *common, int64_t deadline, struct guest **out)
{
	char *error = NULL;
	int err = guest_open(common->guest, deadline, out, &error);

	if (!err)
		return EXIT_REACHED;
	/* There was no room for a sentence, either. */
	complain("%s", error ? error : strerror(-err));
	free(error);
	if (err == -EINVAL)
		return EXIT_USAGE;
	/* Any other error means that there is no connection. */
	return err == -ETIMEDOUT || err == -EBUSY ? EXIT_TIMEOUT : EXIT_NO_CONNECT;
}

int guest_failed(const struct guest *guest, int err)
{
	complain("%s", guest_error(guest));
	return exit_status(err);
}
