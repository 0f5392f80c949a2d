/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * balloonctl dump: who has a guest's memory and how it came to that, read from a
 * dump of it, so that the guest need not answer any more. core.c, frame_dump.c and
 * events_dump.c read it; live.c reads a guest that is still there. Here are the arguments
 * and the output.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <getopt.h>

#include "tools/balloonctl/command.h"
#include "tools/balloonctl/guest.h"
#include "tools/balloonctl/live.h"
#include "tools/core.h"
#include "tools/events_dump.h"
#include "tools/frame_dump.h"

static const char help[] =
	"usage: balloonctl dump [--pfn N] [--json] FILE\n"
	"       balloonctl [-g NAME] dump --live [--verbose] [--pfn N] [--json]\n"
	"\n"
	"Reads the memory of an Aerostat guest from FILE, an ELF core as QMP's\n"
	"dump-guest-memory makes it (paging false), and prints what the guest's show_mem\n"
	"would; before that, why it panicked, if it did, and what its drivers did last,\n"
	"as its `events` would. The last line is the verdict of a recount of all frames.\n"
	"What a dump cannot tell, the age of the last statistics, is left out.\n"
	"\n"
	"  --live    read it from the guest that is there now, dead or alive: only what\n"
	"            is needed, a few MiB of a TiB, and nothing of it lies on a disk. A\n"
	"            guest that runs stands still meanwhile, 100 ms at a time; if it runs\n"
	"            in between, what it moved is said\n"
	"  --verbose say how much was read and how long the guest stood still, as a\n"
	"            terminal is told in any case\n"
	"  --pfn N   say only who holds the page frame with this number, 123 or 0x7b\n"
	"  --json    one JSON object on one line; all amounts in bytes\n"
	"\n"
	"Exit status: 0, 1 the ledger is broken, 8 no dump of an Aerostat guest.\n";

struct request {
	const char *path; /* of the dump, unless `live` */
	bool live, verbose, json, has_pfn;
	uint64_t pfn;
};

/* What is asked for, read as a whole before any of it is said. */
struct found {
	struct frame_dump_reader *frames; /* the names in the others are its own */
	struct events_dump_reader *events;
	struct mem_figures figures;
	const char *owner; /* of the frame that was asked for */
};

static int read_all(const struct request *request, const struct core *core, struct found *found,
		    char error[CORE_ERROR_MAX])
{
	int err = frame_dump_open(core, &found->frames, error);

	if (!err && request->has_pfn)
		return frame_dump_owner(found->frames, request->pfn, &found->owner, error);
	if (!err)
		err = frame_dump_figures(found->frames, &found->figures, error);
	return err ? err : events_dump_open(core, &found->events, error);
}

static void free_all(struct found *found)
{
	events_dump_close(found->events);
	frame_dump_close(found->frames);
}

/* ---- Output ---- */

static int bad_file(const char *path, const char *error)
{
	complain("%s: %s", path, error);
	return EXIT_BAD_FILE;
}

static void print_owner(const struct request *request, const char *owner)
{
	if (request->json)
		printf("{\"pfn\":%" PRIu64 ",\"owner\":\"%s\"}\n", request->pfn, owner);
	else
		printf("Frame %#" PRIx64 ": %s\n", request->pfn, owner);
}

static const struct events_dump_reader *black_box;

static void print_black_box_json(void)
{
	events_dump_print_json(black_box);
}

static int print_all(const struct request *request, const struct found *found)
{
	if (request->has_pfn) {
		print_owner(request, found->owner);
		return EXIT_REACHED;
	}
	if (request->json) {
		black_box = found->events;
		mem_figures_print_json(&found->figures, print_black_box_json);
	} else {
		events_dump_print(found->events);
		mem_figures_print(&found->figures);
	}
	return found->figures.ledger_ok ? EXIT_REACHED : EXIT_WRONG;
}

static int show_file(const struct request *request, const char *path)
{
	struct found found = { 0 };
	char error[CORE_ERROR_MAX];
	struct core *core;
	int status;

	if (core_open(path, &core, error))
		return bad_file(path, error);
	if (read_all(request, core, &found, error))
		status = bad_file(path, error);
	else
		status = print_all(request, &found);
	free_all(&found);
	core_close(core);
	return status;
}

/* ---- --live ---- */

static int live_failed(const struct live *live, int err)
{
	complain("%s%s", live_error(live),
		 err == -EINTR ? ": the guest is left as it was, no file is left, and nobody "
				 "writes one"
			       : "");
	return exit_status(err);
}

/* The counters that were read first are held against those of now. */
static int tell_what_moved(struct live *live, const struct found *found,
			   const struct live_tally *tally)
{
	char error[CORE_ERROR_MAX], moved[FRAME_DUMP_MOVED];
	struct frame_dump_reader *now;
	struct live_tally unused;
	int err, open;

	live_forget(live);
	open = frame_dump_open(live_core(live), &now, error);
	err = live_finish(live, &unused);
	if (err || open)
		return err;
	frame_dump_moved(found->frames, now, moved);
	frame_dump_close(now);
	complain("the map was read in %u parts, between which the guest ran and moved %s%s",
		 tally->stands, *moved ? moved : "no frame",
		 *moved ? ": a map can look broken by that alone" : "");
	return 0;
}

static void tell_costs(const struct request *request, const struct live_tally *tally)
{
	char bytes[SIZE_TEXT];

	if (request->verbose || isatty(STDERR_FILENO))
		complain("read %s of the guest's memory; it stood still %" PRId64 " ms at a time",
			 size_word(tally->bytes, bytes), tally->ms_max);
}

static int read_and_show(const struct request *request, struct guest *guest, struct live *live)
{
	struct found found = { 0 };
	char error[CORE_ERROR_MAX];
	struct live_tally tally;
	int status, bad, err;

	bad = read_all(request, live_core(live), &found, error);
	err = live_finish(live, &tally);
	if (!err && !bad && tally.stands > 1)
		err = tell_what_moved(live, &found, &tally);
	if (err) {
		status = live_failed(live, err);
	} else if (bad) {
		status = bad_file(guest_name(guest), error);
	} else {
		tell_costs(request, &tally);
		status = print_all(request, &found);
	}
	free_all(&found);
	return status;
}

static int show_live(const struct call *call)
{
	struct live *live = NULL;
	struct guest *guest;
	int status = open_guest(call->common, call->deadline, &guest);

	if (status)
		return status;
	if (live_open(guest, call->timeout_ms, &live)) {
		complain("out of memory");
		status = EXIT_WRONG;
	} else {
		status = read_and_show(call->request, guest, live);
	}
	fflush(stdout);
	guest_close(guest);
	live_close(live);
	return status;
}

/* ---- Arguments ---- */

static bool parse_pfn(const char *text, struct request *request)
{
	bool hex = !strncmp(text, "0x", 2);
	const char *digits = text + (hex ? 2 : 0);
	char *end;

	errno = 0;
	request->pfn = strtoull(digits, &end, hex ? 16 : 10);
	request->has_pfn = true;
	/* strtoull() would take blanks, a sign and another 0x. */
	if (*digits &&
	    strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") ==
		    (size_t)(end - digits) &&
	    *end == '\0' && !errno)
		return true;
	complain("'%s' is no number of a page frame; write 123 or 0x7b", text);
	return false;
}

static bool take_option(void *request, int letter, const char *value)
{
	struct request *r = request;

	switch (letter) {
	case 'l':
		r->live = true;
		return true;
	case 'v':
		r->verbose = true;
		return true;
	case 'p':
		return parse_pfn(value, r);
	default:
		assert(letter == 'j');
		r->json = true;
		return true;
	}
}

static bool take_words(void *request, char **words, size_t count)
{
	struct request *r = request;

	if (r->live)
		return no_words(words, count);
	if (r->verbose) {
		complain("--verbose goes with --live: a file is read as it is");
		return false;
	}
	if (!count) {
		complain("which file? With --live the dump is made now; see --help");
		return false;
	}
	r->path = words[0];
	return no_words(words + 1, count - 1);
}

static int run(const struct call *call)
{
	const struct request *request = call->request;

	return request->live ? show_live(call) : show_file(request, request->path);
}

static const struct option options[] = {
	{ "live", no_argument, NULL, 'l' },	 { "verbose", no_argument, NULL, 'v' },
	{ "pfn", required_argument, NULL, 'p' }, { "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },	 { 0 },
};

const struct command command_dump = {
	.name = "dump",
	.arguments = "FILE | --live [--pfn N]",
	.summary = "who has a guest's memory",
	.help = help,
	.options = options,
	.letters = "jv",
	.defaults = &(const struct request){ .path = NULL },
	.request_size = sizeof(struct request),
	.take_option = take_option,
	.take_words = take_words,
	.run = run,
};
