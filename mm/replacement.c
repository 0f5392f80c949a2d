/* SPDX-License-Identifier: BSD-2-Clause */
/* 2Q-CLOCK: see replacement.h. Lines of pages first, then ghosts, then what pages go. */
#include "mm/replacement.h"

#include <assert.h>

/* The queue is so many parts of a hundred of all pages, and ghosts live for so many. */
#define QUEUE_PERCENT 10
#define GHOST_PERCENT 90

/* In a ghost's key: its page went from the main ring. The others are the page's. */
#define KEY_MAIN (UINT32_C(1) << 31)
#define KEY_PAGE (KEY_MAIN - 1)

/* The key of no ghost, as its page has come back: it is no page's. */
#define KEY_NONE KEY_PAGE

/* Where in a record's `page` its place is. */
#define PLACE_SHIFT 40
_Static_assert(PAGE_RECORD_REPLACEMENT >> PLACE_SHIFT == 0xff, "places have a byte");
_Static_assert(PAGE_RECORD_NUMBER >> PLACE_SHIFT == 0, "and lie above the number");

void replacement_init(struct replacement *r, const struct replacement_ops *ops,
		      enum replacement_policy policy)
{
	*r = (struct replacement){ .ops = ops, .policy = policy };
}

/* ---- Lines of pages ---- */

static struct page_record *record_of(const struct replacement *r, uint32_t number)
{
	assert(number != 0);
	return r->ops->record(number);
}

static uint64_t page_of(const struct replacement *r, uint32_t number)
{
	return record_of(r, number)->page & PAGE_RECORD_NUMBER;
}

static enum replacement_place place_of(const struct page_record *record)
{
	return (enum replacement_place)((record->page & PAGE_RECORD_REPLACEMENT) >> PLACE_SHIFT);
}

static void count(struct replacement *r)
{
	r->new_pages = r->line[REPLACEMENT_FIRST_HALF].count +
		       r->line[REPLACEMENT_SECOND_HALF].count;
	r->main_pages = r->line[REPLACEMENT_MAIN].count;
}

/* Puts a page at the end of a line. */
static void append(struct replacement *r, enum replacement_place place, uint32_t number)
{
	struct page_record *record = record_of(r, number);
	struct replacement_line *line = &r->line[place];

	assert(place_of(record) == REPLACEMENT_NOWHERE);
	record->page |= (uint64_t)place << PLACE_SHIFT;
	record->prev = line->tail;
	record->next = 0;
	if (line->tail)
		record_of(r, line->tail)->next = number;
	else
		line->head = number;
	line->tail = number;
	line->count++;
	count(r);
}

/* Takes a page out of the line that it is in. */
static void take_out(struct replacement *r, uint32_t number)
{
	struct page_record *record = record_of(r, number);
	enum replacement_place place = place_of(record);
	struct replacement_line *line = &r->line[place];

	assert(place != REPLACEMENT_NOWHERE && place < REPLACEMENT_PLACES);
	if (record->prev)
		record_of(r, record->prev)->next = record->next;
	else
		line->head = record->next;
	if (record->next)
		record_of(r, record->next)->prev = record->prev;
	else
		line->tail = record->prev;
	record->page &= ~PAGE_RECORD_REPLACEMENT;
	line->count--;
	count(r);
}

static void move(struct replacement *r, enum replacement_place place, uint32_t number)
{
	take_out(r, number);
	append(r, place, number);
}

/*
 * The queue got longer or shorter: lets the page that is half-way now into the second half. From
 * there on uses count, so those before are forgotten: the burst of them when a page is new says
 * nothing.
 */
static void keep_halves(struct replacement *r)
{
	struct replacement_line *first = &r->line[REPLACEMENT_FIRST_HALF];
	uint32_t number = first->head;

	if (first->count <= r->line[REPLACEMENT_SECOND_HALF].count + 1)
		return;
	move(r, REPLACEMENT_SECOND_HALF, number);
	if (r->policy == REPLACEMENT_HALF_WAY)
		r->ops->take_used(record_of(r, number));
}

/* ---- Ghosts ---- */

/* Memory for ghosts of so many pages: the ghosts, and then the buckets. */
static struct replacement_ghosts lay_ghosts(void *memory, uint64_t pages)
{
	struct replacement_ghosts ghosts = { .ghost = memory };
	uint64_t most = pages * GHOST_PERCENT / 100;

	if (!memory || most == 0)
		return ghosts;
	assert(pages < UINT32_MAX / 2);
	ghosts.count = (uint32_t)most;
	ghosts.newest = (uint32_t *)(ghosts.ghost + most);
	ghosts.buckets = (uint32_t)(2 * (pages - most));
	return ghosts;
}

size_t replacement_ghost_bytes(uint64_t pages)
{
	return pages * sizeof(struct replacement_ghost);
}
_Static_assert(sizeof(struct replacement_ghost) == 2 * sizeof(uint32_t), "two buckets a ghost");

/*
 * Different for the numbers of 2^31 pages that follow each other, but for one pair. Where two
 * pages have the same one, a new page may be taken for one that was here: no harm.
 */
static uint32_t key_of(uint64_t page)
{
	uint32_t key = ((uint32_t)page ^ (uint32_t)(page >> 31) * UINT32_C(0x9e3779b9)) & KEY_PAGE;

	return key == KEY_NONE ? 0 : key;
}

/* Returns the bucket of a key: numbers that lie together spread over all of them. */
static uint32_t *newest_of(const struct replacement_ghosts *ghosts, uint32_t key)
{
	uint32_t hash = (key & KEY_PAGE) * UINT32_C(0x9e3779b1);

	return &ghosts->newest[(uint64_t)hash * ghosts->buckets >> 32];
}

/* Writes down that the page of this key was the departure `number`. */
static void write_ghost(struct replacement_ghosts *ghosts, uint64_t number, uint32_t key)
{
	uint32_t *newest = newest_of(ghosts, key);

	ghosts->ghost[number % ghosts->count] = (struct replacement_ghost){ key, *newest };
	*newest = (uint32_t)number;
}

static void add_ghost(struct replacement *r, uint32_t number, enum replacement_place from)
{
	uint32_t key = key_of(page_of(r, number));

	if (r->ghosts.count > 0)
		write_ghost(&r->ghosts, r->departures,
			    from == REPLACEMENT_MAIN ? key | KEY_MAIN : key);
	r->departures++;
}

/*
 * Finds a page's ghost, if it is one of the latest `life` departures; or NULL. Departures of a
 * chain are ever older, which holds for their last 32 bits only as long as they are not too old:
 * so the first that is not older than the one before ends it.
 */
static struct replacement_ghost *find_ghost(const struct replacement *r, uint64_t page,
					    uint64_t life)
{
	uint32_t key = key_of(page), now = (uint32_t)r->departures;
	uint32_t age = 0, next;

	if (r->ghosts.count == 0)
		return NULL;
	next = *newest_of(&r->ghosts, key);
	while (now - next > age && now - next <= min_u64(life, r->ghosts.count)) {
		struct replacement_ghost *ghost;

		age = now - next;
		ghost = &r->ghosts.ghost[(r->departures - age) % r->ghosts.count];
		if ((ghost->key & KEY_PAGE) == key)
			return ghost;
		next = ghost->older;
	}
	return NULL;
}

/*
 * Forgets a page's ghost, if it is one of the latest `life` departures; returns its key, or
 * KEY_NONE.
 */
static uint32_t take_ghost(struct replacement *r, uint32_t number, uint64_t life)
{
	struct replacement_ghost *ghost = find_ghost(r, page_of(r, number), life);
	uint32_t key = ghost ? ghost->key : KEY_NONE;

	if (ghost)
		ghost->key = KEY_NONE;
	return key;
}

/* So many departures a ghost lives. */
static uint64_t ghost_life(const struct replacement *r)
{
	return (r->new_pages + r->main_pages) * GHOST_PERCENT / 100;
}

bool replacement_has_ghost(const struct replacement *r, uint64_t page)
{
	return find_ghost(r, page, ghost_life(r));
}

void *replacement_set_ghosts(struct replacement *r, void *memory, uint64_t pages)
{
	struct replacement_ghosts old = r->ghosts, *ghosts = &r->ghosts;
	uint64_t kept = min_u64(r->departures - old.first, old.count);

	assert(!memory || memory != old.ghost);
	*ghosts = lay_ghosts(memory, pages);
	kept = min_u64(kept, ghosts->count);
	ghosts->first = r->departures - kept;
	/* Departures too old to be followed. */
	for (uint32_t i = 0; i < ghosts->buckets; i++)
		ghosts->newest[i] = (uint32_t)r->departures - ghosts->count - 1;
	for (uint64_t number = ghosts->first; number < r->departures; number++)
		write_ghost(ghosts, number, old.ghost[number % old.count].key);
	return old.ghost;
}

/* ---- Pages come and go ---- */

bool replacement_enter(struct replacement *r, uint32_t number)
{
	uint32_t ghost = take_ghost(r, number, ghost_life(r));
	bool refault = ghost != KEY_NONE;
	bool stays = refault && !(ghost & KEY_MAIN);

	append(r, stays ? REPLACEMENT_MAIN : REPLACEMENT_FIRST_HALF, number);
	keep_halves(r);
	r->refaults += refault;
	return refault;
}

void replacement_remove(struct replacement *r, uint32_t number)
{
	take_out(r, number);
	keep_halves(r);
}

void replacement_evict(struct replacement *r, uint32_t number)
{
	enum replacement_place from = place_of(record_of(r, number));

	replacement_remove(r, number);
	add_ghost(r, number, from);
}

void replacement_put_back(struct replacement *r, uint32_t number)
{
	take_ghost(r, number, UINT64_MAX);
	append(r, REPLACEMENT_MAIN, number);
}

/* ---- Which goes ---- */

bool replacement_may_go(struct replacement *r, uint32_t number)
{
	struct page_record *record = record_of(r, number);
	enum replacement_place place = place_of(record);

	assert(place != REPLACEMENT_NOWHERE);
	r->scanned++;
	if (place == REPLACEMENT_FIRST_HALF)
		return true;
	if (place == REPLACEMENT_SECOND_HALF && r->policy == REPLACEMENT_GHOST)
		return true;
	if (!r->ops->take_used(record))
		return true;
	move(r, REPLACEMENT_MAIN, number);
	keep_halves(r);
	return false;
}

/* Returns the page that goes next if nothing speaks for it; 0: there is none. */
static uint32_t candidate(const struct replacement *r)
{
	uint64_t pages = r->new_pages + r->main_pages;

	if (r->new_pages == 0 || r->new_pages < pages * QUEUE_PERCENT / 100)
		return r->line[REPLACEMENT_MAIN].head;
	/* The first half has at most one page more: it is empty only if both are. */
	if (r->line[REPLACEMENT_SECOND_HALF].count > 0)
		return r->line[REPLACEMENT_SECOND_HALF].head;
	return r->line[REPLACEMENT_FIRST_HALF].head;
}

bool replacement_choose(struct replacement *r, uint64_t most, uint32_t *number)
{
	for (; most > 0; most--) {
		uint32_t next = candidate(r);

		if (next == 0)
			return false;
		if (replacement_may_go(r, next)) {
			replacement_evict(r, next);
			*number = next;
			return true;
		}
	}
	return false;
}
