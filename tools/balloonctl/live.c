/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a guest's memory while it runs: see live.h. A signal is waited with until the guest
 * runs again, which takes as long as its manager's answer; a second one is not.
 */
#include "tools/balloonctl/live.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernel/lib/types.h"
#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/guest.h"
#include "tools/balloonctl/periodic.h"
#include "tools/core.h"
#include "tools/deadline.h"

#define PIECE GUEST_PEEK_MAX
#define PIECES 128
#define WHOLE_PIECES 16 /* the first ones: a question costs more than what it brings */
#define PAGE 4096u
#define PAGES (PIECE / PAGE)	      /* of a piece */
#define ENOUGH_MS (LIVE_STAND_MS / 2) /* a piece and the answer to `cont` take their time, too */
#define RUN_MS ENOUGH_MS

/* A VGA's memory is a device: to read it would do something. */
#define VGA_START 0xa0000u
#define VGA_END 0xc0000u

#define PADDR_END ((uint64_t)1 << 52)

struct piece {
	uint64_t number; /* times PIECE: its address */
	uint64_t here;	 /* a bit for each page that is read */
	uint8_t data[PIECE];
};

_Static_assert(PAGES == 64, "a bit for each page of a piece");

struct live {
	struct guest *guest;
	struct core *core;
	int timeout_ms;
	int err; /* the first one */
	char why[600];
	bool halted; /* by us: it is to run on */
	int64_t since;
	struct live_tally tally;
	unsigned pieces;	     /* that there are */
	struct piece *piece[PIECES]; /* by the number's remainder */
};

/* ---- signals ---- */

static const int deadly[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGPIPE, SIGALRM };
static volatile sig_atomic_t caught;

static void on_deadly_signals(void (*handler)(int))
{
	for (size_t i = 0; i < ARRAY_SIZE(deadly); i++)
		catch_signal(deadly[i], handler);
}

static void note_or_die(int number)
{
	if (caught) {
		signal(number, SIG_DFL);
		raise(number);
	}
	caught = number;
}

/* ---- the guest ---- */

/* Each question has its time, but not the whole reading. */
static void begin_question(struct live *live)
{
	guest_set_deadline(live->guest, deadline_in(live->timeout_ms));
}

static int halt(struct live *live)
{
	int err;

	begin_question(live);
	err = guest_halt(live->guest, &live->halted);
	live->since = deadline_now();
	live->tally.stands += live->halted;
	return err;
}

static int let_run(struct live *live)
{
	int64_t stood;
	int err;

	if (!live->halted)
		return 0;
	begin_question(live);
	err = guest_resume(live->guest);
	if (err)
		return err;
	live->halted = false;
	stood = deadline_now() - live->since;
	if (stood > live->tally.ms_max)
		live->tally.ms_max = stood;
	return 0;
}

static int let_run_for_a_while(struct live *live)
{
	const struct timespec while_it_runs = { .tv_nsec = RUN_MS * 1000000l };
	int err = let_run(live);

	if (!err)
		nanosleep(&while_it_runs, NULL);
	return err;
}

/* Reads `count` pages of a piece from its page `page` on. */
static int read_pages(struct live *live, struct piece *piece, uint64_t page, unsigned count)
{
	bool tired = live->halted && deadline_now() - live->since >= ENOUGH_MS;
	int err = 0;

	if (tired)
		err = let_run_for_a_while(live);
	if (!err && caught)
		err = -EINTR;
	if (!err && !live->halted)
		err = halt(live);
	if (err)
		return err;
	begin_question(live);
	err = guest_peek(live->guest, piece->number * PIECE + page * PAGE,
			 piece->data + page * PAGE, (size_t)count * PAGE);
	if (err)
		return err;
	piece->here |= UINT64_MAX >> (PAGES - count) << page;
	live->tally.bytes += (uint64_t)count * PAGE;
	return 0;
}

/* ---- the core ---- */

/* Keeps the first error, and what was said of it. */
static void note_error(struct live *live, int err)
{
	if (!err || live->err)
		return;
	live->err = err;
	snprintf(live->why, sizeof(live->why), "%s",
		 err == -EINTR	  ? "interrupted"
		 : err == -ENOMEM ? "out of memory"
				  : guest_error(live->guest));
}

/* Gives the place of a piece, of which nothing need be read yet. NULL: there is an error. */
static struct piece *find_piece(struct live *live, uint64_t number)
{
	struct piece **place = &live->piece[number % PIECES];

	if (!*place) {
		*place = malloc(sizeof(**place));
		if (!*place) {
			note_error(live, -ENOMEM);
			return NULL;
		}
		(*place)->number = UINT64_MAX;
		live->pieces++;
	}
	if ((*place)->number != number) {
		(*place)->number = number;
		(*place)->here = 0;
	}
	return *place;
}

static bool is_here(const struct live *live, uint64_t page)
{
	const struct piece *piece = live->piece[page / PAGES % PIECES];

	return piece && piece->number == page / PAGES && piece->here >> page % PAGES & 1;
}

/* How many pages that are there end where `page` begins. */
static unsigned count_before(const struct live *live, uint64_t page)
{
	unsigned count = 0;

	while (count < PAGES && is_here(live, page - 1 - count))
		count++;
	return count;
}

/*
 * Reads those of a piece's pages that are not there. Arrays are read in order, so as many
 * pages come at once as are there before them; what lies alone costs one. Few pieces are
 * read as a whole.
 */
static int need_pages(struct live *live, struct piece *piece, uint64_t first, uint64_t end)
{
	uint64_t last = (piece->number + 1) * PAGES;

	if (live->pieces <= WHOLE_PIECES) {
		first = piece->number * PAGES;
		end = last;
	}
	for (uint64_t page = first; page < end && !live->err; page++) {
		uint64_t wanted = page + count_before(live, page), stop = page;

		if (wanted < end)
			wanted = end;
		while (stop < wanted && stop < last && !is_here(live, stop))
			stop++;
		if (stop > page)
			note_error(live,
				   read_pages(live, piece, page % PAGES, (unsigned)(stop - page)));
	}
	return live->err;
}

static int read_live(void *context, uint64_t paddr, void *to, size_t size)
{
	struct live *live = context;
	uint8_t *at = to;
	uint64_t end;

	if (__builtin_add_overflow(paddr, size, &end) || end > PADDR_END ||
	    (paddr < VGA_END && end > VGA_START))
		return -EFAULT;
	while (size > 0) {
		size_t skip = paddr % PIECE;
		size_t part = PIECE - skip < size ? PIECE - skip : size;
		struct piece *piece = find_piece(live, paddr / PIECE);

		if (!piece ||
		    need_pages(live, piece, paddr / PAGE, (paddr + part + PAGE - 1) / PAGE))
			return live->err;
		memcpy(at, piece->data + skip, part);
		at += part;
		paddr += part;
		size -= part;
	}
	return 0;
}

int live_open(struct guest *guest, int timeout_ms, struct live **out)
{
	struct live *live = calloc(1, sizeof(*live));
	int err = live ? core_open_reader(read_live, live, &live->core) : -ENOMEM;

	if (err) {
		free(live);
		return err;
	}
	live->guest = guest;
	live->timeout_ms = timeout_ms;
	caught = 0;
	on_deadly_signals(note_or_die);
	*out = live;
	return 0;
}

const struct core *live_core(const struct live *live)
{
	return live->core;
}

int live_finish(struct live *live, struct live_tally *tally)
{
	int err = let_run(live);

	*tally = live->tally;
	note_error(live, err);
	note_error(live, caught ? -EINTR : 0);
	if (err)
		strncat(live->why, "; the guest stands still, and could not be told to run on",
			sizeof(live->why) - strlen(live->why) - 1);
	return live->err;
}

const char *live_error(const struct live *live)
{
	return live->why;
}

void live_forget(struct live *live)
{
	for (size_t i = 0; i < PIECES; i++) {
		free(live->piece[i]);
		live->piece[i] = NULL;
	}
	live->pieces = 0;
}

void live_close(struct live *live)
{
	if (!live)
		return;
	live_forget(live);
	core_close(live->core);
	free(live);
	on_deadly_signals(SIG_DFL);
	if (caught)
		raise(caught);
}
