/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * balloonctl dump: who has a guest's memory and how it came to that, read from a
 * dump of it, so that the guest need not answer any more. core.c, frame_dump.c and
 * events_dump.c read the file; here are the arguments, the output, and the dump of
 * a guest that still runs.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <getopt.h>

#include "tools/balloonctl/command.h"
#include "tools/balloonctl/guest.h"
#include "tools/core.h"
#include "tools/events_dump.h"
#include "tools/frame_dump.h"

static const char help[] =
	"usage: balloonctl dump [--pfn N] [--json] FILE\n"
	"       balloonctl [-g NAME] dump --live [--pfn N] [--json]\n"
	"\n"
	"Reads the memory of an Aerostat guest from FILE, an ELF core as QMP's\n"
	"dump-guest-memory makes it (paging false), and prints what the guest's show_mem\n"
	"would; before that, why it panicked, if it did, and what its drivers did last, as\n"
	"its `events` would. The last line is the verdict of a recount of all frames. What a dump\n"
	"cannot tell, the age of the last statistics, is left out.\n"
	"\n"
	"  --live    make the dump now, read it, and delete it; the guest stands still\n"
	"            meanwhile. It lies in $TMPDIR, or in /var/tmp, and needs as much room\n"
	"            as the guest has memory\n"
	"  --pfn N   say only who holds the page frame with this number, 123 or 0x7b\n"
	"  --json    one JSON object on one line; all amounts in bytes\n"
	"\n"
	"Exit status: 0, 1 the ledger is broken, 8 no dump of an Aerostat guest.\n";

struct request {
	const char *path; /* of the dump, unless `live` */
	bool live, json, has_pfn;
	uint64_t pfn;
};

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

static struct events_dump_reader *black_box;

static void print_black_box_json(void)
{
	events_dump_print_json(black_box);
}

static void print_all(const struct request *request, const struct mem_figures *figures)
{
	if (request->json) {
		mem_figures_print_json(figures, print_black_box_json);
		return;
	}
	events_dump_print(black_box);
	mem_figures_print(figures);
}

static int show(const struct request *request, const struct core *core,
		const struct frame_dump_reader *dump, const char *path)
{
	char error[CORE_ERROR_MAX];
	struct mem_figures figures;
	const char *owner;

	if (request->has_pfn) {
		if (frame_dump_owner(dump, request->pfn, &owner, error))
			return bad_file(path, error);
		print_owner(request, owner);
		return EXIT_REACHED;
	}
	if (frame_dump_figures(dump, &figures, error) || events_dump_open(core, &black_box, error))
		return bad_file(path, error);
	print_all(request, &figures);
	events_dump_close(black_box);
	return figures.ledger_ok ? EXIT_REACHED : EXIT_WRONG;
}

static int show_file(const struct request *request, const char *path)
{
	struct frame_dump_reader *dump;
	char error[CORE_ERROR_MAX];
	struct core *core;
	int status;

	if (core_open(path, &core, error))
		return bad_file(path, error);
	if (frame_dump_open(core, &dump, error)) {
		status = bad_file(path, error);
	} else {
		status = show(request, core, dump, path);
		frame_dump_close(dump);
	}
	core_close(core);
	return status;
}

/* ---- --live ---- */

/* A dump is large and holds all that the guest knew: it is always removed. */
static char folder[256];
static char core_path[sizeof(folder) + 8];

static void remove_dump(void)
{
	unlink(core_path);
	/* QEMU may be making the file at this moment; without the folder it cannot. */
	while (rmdir(folder) && errno == ENOTEMPTY && !unlink(core_path))
		;
}

static void remove_and_die(int number)
{
	remove_dump();
	signal(number, SIG_DFL);
	raise(number);
}

static const int deadly[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGPIPE, SIGALRM };

static void on_deadly_signals(void (*handler)(int))
{
	for (size_t i = 0; i < ARRAY_SIZE(deadly); i++)
		signal(deadly[i], handler);
}

static bool make_folder(void)
{
	const char *where = getenv("TMPDIR");
	int length;

	if (!where || *where != '/')
		where = "/var/tmp";
	length = snprintf(folder, sizeof(folder), "%s/balloonctl-XXXXXX", where);
	if (length >= (int)sizeof(folder)) {
		complain("TMPDIR is too long a path");
		return false;
	}
	if (!mkdtemp(folder)) {
		complain("cannot make a folder in %s: %s", where, strerror(errno));
		return false;
	}
	snprintf(core_path, sizeof(core_path), "%s/core", folder);
	return true;
}

static int dump_and_show(const struct call *call, struct guest *guest)
{
	const struct request *request = call->request;
	int status, err;

	on_deadly_signals(remove_and_die);
	if (!make_folder())
		return EXIT_WRONG;
	err = guest_dump(guest, core_path, call->timeout_ms);
	status = err ? guest_failed(guest, err) : show_file(request, core_path);
	on_deadly_signals(SIG_DFL);
	remove_dump();
	return status;
}

static int show_live(const struct call *call)
{
	struct guest *guest;
	int status = open_guest(call->common, call->deadline, &guest);

	if (status)
		return status;
	status = dump_and_show(call, guest);
	guest_close(guest);
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
	{ "live", no_argument, NULL, 'l' },
	{ "pfn", required_argument, NULL, 'p' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

const struct command command_dump = {
	.name = "dump",
	.arguments = "FILE | --live [--pfn N]",
	.summary = "who has a guest's memory, by a dump of it",
	.help = help,
	.options = options,
	.letters = "j",
	.defaults = &(const struct request){ .path = NULL },
	.request_size = sizeof(struct request),
	.take_option = take_option,
	.take_words = take_words,
	.run = run,
};
