/* SPDX-License-Identifier: BSD-2-Clause */
/* xenstored without a machine; see sim_xenstore.h. */
#include "tests/sim/sim_xenstore.h"

#include <string.h>

#define RING XENSTORE_RING_SIZE
#define HEADER sizeof(struct xenstore_header)

static void blame(struct sim_xenstore *store, const char *what)
{
	if (!store->violation)
		store->violation = what;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

void sim_xenstore_begin(struct sim_xenstore *store, struct xenstore_ring *page)
{
	memset(store, 0, sizeof(*store));
	memset(page, 0, sizeof(*page));
	store->page = page;
	store->bytes_left = SIZE_MAX;
}

/* ---- What it sends ---- */

static void put(struct sim_xenstore *store, const void *bytes, size_t length)
{
	memcpy(store->out + store->out_length, bytes, length);
	store->out_length += length;
}

/* A client that reads nothing does not stop it. */
static void put_message(struct sim_xenstore *store, const struct xenstore_header *header,
			const void *payload, size_t length)
{
	store->out_length -= store->out_sent;
	memmove(store->out, store->out + store->out_sent, store->out_length);
	store->out_sent = 0;
	if (HEADER + length > SIM_XENSTORE_OUT - store->out_length)
		return;
	put(store, header, HEADER);
	put(store, payload, length);
}

void sim_xenstore_say(struct sim_xenstore *store, uint32_t type, uint32_t id, const void *payload,
		      size_t length)
{
	struct xenstore_header header = { .type = type, .id = id, .length = (uint32_t)length };

	put_message(store, &header, payload, length);
}

/* Whether it lies now. */
static bool lies(struct sim_xenstore *store, enum sim_xenstore_lie lie)
{
	if (store->lie != lie || store->answers < store->honest)
		return false;
	store->lies++;
	return true;
}

/* ---- Paths and events ---- */

static bool make_absolute(const char *path, char absolute[SIM_XENSTORE_PATH])
{
	const char *base = *path == '/' ? "" : SIM_XENSTORE_DOMAIN;

	if (strlen(base) + strlen(path) >= SIM_XENSTORE_PATH)
		return false;
	strcpy(absolute, base);
	strcat(absolute, path);
	return true;
}

/* Letters, digits and -/_@ ; no empty part, and no / at the end. */
static bool is_valid(const char *path)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789-/_@";
	size_t length = strlen(path);

	return length > 0 && strspn(path, allowed) == length && !strstr(path, "//") &&
	       (length == 1 || path[length - 1] != '/');
}

/* Whether `path` is `above`, or lies below it. */
static bool is_within(const char *path, const char *above)
{
	size_t length = strlen(above);

	return strncmp(path, above, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

static void fire(struct sim_xenstore *store, const struct sim_xenstore_watch *watch,
		 const char *path)
{
	char payload[2 * SIM_XENSTORE_PATH];
	size_t length = strlen(path) + 1;

	/* The other half is for answers. */
	if (store->out_length - store->out_sent > SIM_XENSTORE_OUT / 2)
		return;
	strcpy(payload, path);
	strcpy(payload + length, watch->token);
	length += strlen(watch->token) + 1;
	sim_xenstore_say(store, XENSTORE_WATCH_EVENT, 0, payload, length);
	store->events++;
}

/* The event has the path as the watch has it: relative, or not. */
static void note_change(struct sim_xenstore *store, const char *absolute)
{
	for (size_t i = 0; i < SIM_XENSTORE_WATCHES; i++) {
		const struct sim_xenstore_watch *watch = &store->watch[i];
		char watched[SIM_XENSTORE_PATH];
		size_t skip = watch->path[0] == '/' ? 0 : strlen(SIM_XENSTORE_DOMAIN);

		if (watch->used && make_absolute(watch->path, watched) &&
		    is_within(absolute, watched))
			fire(store, watch, absolute + skip);
	}
}

void sim_xenstore_fire_all(struct sim_xenstore *store)
{
	for (size_t i = 0; i < SIM_XENSTORE_WATCHES; i++)
		if (store->watch[i].used)
			fire(store, &store->watch[i], store->watch[i].path);
}

/* ---- Nodes ---- */

/* Returns the node of an absolute path; with `make` also a new one. NULL: there is none. */
static struct sim_xenstore_node *find(struct sim_xenstore *store, const char *absolute, bool make)
{
	for (size_t i = 0; i < SIM_XENSTORE_NODES; i++) {
		struct sim_xenstore_node *node = &store->node[i];

		if (!node->path[0]) {
			if (!make)
				return NULL;
			strcpy(node->path, absolute);
			node->absent = true;
		}
		if (strcmp(node->path, absolute) == 0)
			return make || !node->absent ? node : NULL;
	}
	return NULL;
}

struct sim_xenstore_node *sim_xenstore_find(struct sim_xenstore *store, const char *path)
{
	char absolute[SIM_XENSTORE_PATH];

	return make_absolute(path, absolute) ? find(store, absolute, false) : NULL;
}

static bool set(struct sim_xenstore *store, const char *absolute, const void *value, size_t length)
{
	struct sim_xenstore_node *node = find(store, absolute, true);

	if (!node || length > sizeof(node->value))
		return false;
	node->absent = false;
	node->length = length;
	memcpy(node->value, value, length);
	note_change(store, absolute);
	return true;
}

void sim_xenstore_set_bytes(struct sim_xenstore *store, const char *path, const void *value,
			    size_t length)
{
	char absolute[SIM_XENSTORE_PATH];

	if (!make_absolute(path, absolute) || !set(store, absolute, value, length))
		blame(store, "the test: there is no room for a node");
}

void sim_xenstore_set(struct sim_xenstore *store, const char *path, const char *value)
{
	sim_xenstore_set_bytes(store, path, value, strlen(value));
}

void sim_xenstore_remove(struct sim_xenstore *store, const char *path)
{
	struct sim_xenstore_node *node = sim_xenstore_find(store, path);

	if (!node) {
		blame(store, "the test: it removes a node that is not there");
		return;
	}
	node->absent = true;
	note_change(store, node->path);
}

/* ---- Answers ---- */

static void send_lying_event(struct sim_xenstore *store)
{
	static const char nobody[] = "memory/target\0nobody";
	static const char endless[16] = "memory/target///";

	if (lies(store, SIM_XENSTORE_EVENT_TOKEN))
		sim_xenstore_say(store, XENSTORE_WATCH_EVENT, 0, nobody, sizeof(nobody));
	if (lies(store, SIM_XENSTORE_EVENT_TEXT))
		sim_xenstore_say(store, XENSTORE_WATCH_EVENT, 0, endless, sizeof(endless));
	if (lies(store, SIM_XENSTORE_EVENT_EMPTY))
		sim_xenstore_say(store, XENSTORE_WATCH_EVENT, 0, "", 0);
}

static void lie_in_header(struct sim_xenstore *store, struct xenstore_header *header)
{
	if (lies(store, SIM_XENSTORE_WRONG_TYPE))
		header->type = header->type == XENSTORE_READ ? XENSTORE_WRITE : XENSTORE_READ;
	if (lies(store, SIM_XENSTORE_NO_TYPE))
		header->type = UINT32_MAX;
	if (lies(store, SIM_XENSTORE_WRONG_ID))
		header->id++;
	if (lies(store, SIM_XENSTORE_TRANSACTION))
		header->transaction = 1;
	if (lies(store, SIM_XENSTORE_LENGTH_AHEAD))
		header->length = XENSTORE_PAYLOAD_MAX + 1;
	if (lies(store, SIM_XENSTORE_LENGTH_WILD))
		header->length = UINT32_MAX - 3;
	if (lies(store, SIM_XENSTORE_SHORT_LENGTH) && header->length > 0)
		header->length /= 2;
}

static void answer(struct sim_xenstore *store, uint32_t type, uint32_t id, const void *payload,
		   size_t length)
{
	struct xenstore_header header = { .type = type, .id = id, .length = (uint32_t)length };

	for (unsigned i = 0; i < store->events_first; i++)
		sim_xenstore_fire_all(store);
	send_lying_event(store);
	if (lies(store, SIM_XENSTORE_ERROR_NAME)) {
		header.type = XENSTORE_ERROR;
		payload = "ENONSENSE";
		header.length = (uint32_t)(length = 9);
	} else if (lies(store, SIM_XENSTORE_ERROR_EMPTY)) {
		header.type = XENSTORE_ERROR;
		header.length = (uint32_t)(length = 0);
	}
	lie_in_header(store, &header);
	if (!lies(store, SIM_XENSTORE_SILENT)) {
		put_message(store, &header, payload, length);
		if (lies(store, SIM_XENSTORE_TWICE))
			put_message(store, &header, payload, length);
	}
	store->answers++;
}

static void answer_ok(struct sim_xenstore *store, const struct xenstore_header *request)
{
	answer(store, request->type, request->id, "OK", 3);
}

static void answer_error(struct sim_xenstore *store, const struct xenstore_header *request,
			 const char *name)
{
	answer(store, XENSTORE_ERROR, request->id, name, strlen(name) + 1);
}

/* ---- Requests ---- */

static void do_read(struct sim_xenstore *store, const struct xenstore_header *request,
		    const char *absolute)
{
	const struct sim_xenstore_node *node = find(store, absolute, false);

	if (!node)
		answer_error(store, request, "ENOENT");
	else if (node->secret)
		answer_error(store, request, "EACCES");
	else
		answer(store, XENSTORE_READ, request->id, node->value, node->length);
}

static void do_write(struct sim_xenstore *store, const struct xenstore_header *request,
		     const char *absolute, const char *value, size_t length)
{
	const struct sim_xenstore_node *node = find(store, absolute, false);

	if (!is_within(absolute, "/local/domain/1") || (node && node->secret)) {
		answer_error(store, request, "EACCES");
		return;
	}
	if (!find(store, absolute, true)) {
		answer_error(store, request, "ENOSPC");
		return;
	}
	answer_ok(store, request);
	set(store, absolute, value, length);
}

static struct sim_xenstore_watch *find_watch(struct sim_xenstore *store, const char *path,
					     const char *token)
{
	for (size_t i = 0; i < SIM_XENSTORE_WATCHES; i++) {
		struct sim_xenstore_watch *watch = &store->watch[i];

		if (watch->used && strcmp(watch->path, path) == 0 &&
		    strcmp(watch->token, token) == 0)
			return watch;
	}
	return NULL;
}

static void do_watch(struct sim_xenstore *store, const struct xenstore_header *request,
		     const char *path, const char *token)
{
	struct sim_xenstore_watch *watch = store->watch;

	if (find_watch(store, path, token)) {
		answer_error(store, request, "EEXIST");
		return;
	}
	while (watch < store->watch + SIM_XENSTORE_WATCHES && watch->used)
		watch++;
	if (watch == store->watch + SIM_XENSTORE_WATCHES || strlen(token) >= SIM_XENSTORE_PATH) {
		answer_error(store, request, "E2BIG");
		return;
	}
	answer_ok(store, request);
	if (store->watches_lost)
		return;
	watch->used = true;
	strcpy(watch->path, path);
	strcpy(watch->token, token);
	fire(store, watch, path);
}

static void do_unwatch(struct sim_xenstore *store, const struct xenstore_header *request,
		       const char *path, const char *token)
{
	struct sim_xenstore_watch *watch = find_watch(store, path, token);

	if (!watch) {
		answer_error(store, request, "ENOENT");
		return;
	}
	watch->used = false;
	answer_ok(store, request);
}

static void do_reset_watches(struct sim_xenstore *store, const struct xenstore_header *request)
{
	if (store->old) {
		answer_error(store, request, "ENOSYS");
		return;
	}
	memset(store->watch, 0, sizeof(store->watch));
	answer_ok(store, request);
}

/* Requests that begin with a path; `rest`: what follows it. */
static void do_with_path(struct sim_xenstore *store, const struct xenstore_header *request,
			 const char *path, const char *rest, size_t rest_length)
{
	bool with_token = request->type == XENSTORE_WATCH || request->type == XENSTORE_UNWATCH;
	char absolute[SIM_XENSTORE_PATH];
	bool valid = is_valid(path) && make_absolute(path, absolute);

	if (with_token &&
	    (rest_length == 0 || memchr(rest, '\0', rest_length) != rest + rest_length - 1)) {
		blame(store, "a watch's token has no end, or is not the end");
		valid = false;
	} else if (request->type == XENSTORE_READ && rest_length > 0) {
		blame(store, "something follows the path that is to be read");
	}
	if (!valid) {
		answer_error(store, request, "EINVAL");
		return;
	}
	switch (request->type) {
	case XENSTORE_READ:
		do_read(store, request, absolute);
		break;
	case XENSTORE_WRITE:
		do_write(store, request, absolute, rest, rest_length);
		break;
	case XENSTORE_WATCH:
		do_watch(store, request, path, rest);
		break;
	default:
		do_unwatch(store, request, path, rest);
	}
}

static bool is_known(uint32_t type)
{
	return type == XENSTORE_READ || type == XENSTORE_WRITE || type == XENSTORE_WATCH ||
	       type == XENSTORE_UNWATCH || type == XENSTORE_RESET_WATCHES;
}

/* The whole request is in store->in. */
static void obey(struct sim_xenstore *store)
{
	const char *payload = store->in + HEADER, *path_end;
	struct xenstore_header request;

	memcpy(&request, store->in, HEADER);
	store->received = 0;
	if (!is_known(request.type)) {
		blame(store, "a request of a type that the client has no use for");
		answer_error(store, &request, "ENOSYS");
		return;
	}
	store->requests[request.type]++;
	if (request.transaction != 0)
		blame(store, "a request in a transaction that was never begun");
	if (request.type == XENSTORE_RESET_WATCHES) {
		do_reset_watches(store, &request);
		return;
	}
	path_end = memchr(payload, '\0', request.length);
	if (!path_end) {
		blame(store, "a path without an end");
		answer_error(store, &request, "EINVAL");
		return;
	}
	do_with_path(store, &request, payload, path_end + 1,
		     request.length - (size_t)(path_end + 1 - payload));
}

/* ---- The ring ---- */

static void lie_in_counts(struct sim_xenstore *store)
{
	struct xenstore_ring *page = store->page;

	if (lies(store, SIM_XENSTORE_REQUEST_CONS_AHEAD))
		page->request_cons = page->request_prod + 1;
	if (lies(store, SIM_XENSTORE_REQUEST_CONS_WILD))
		page->request_cons = page->request_prod + UINT32_MAX / 2;
	if (lies(store, SIM_XENSTORE_RESPONSE_PROD_AHEAD))
		page->response_prod = page->response_cons + RING + 1;
	if (lies(store, SIM_XENSTORE_RESPONSE_PROD_WILD))
		page->response_prod = page->response_cons - 1;
	if (lies(store, SIM_XENSTORE_OWN_COUNTS)) {
		page->request_prod = 0x5a5a5a5a;
		page->response_cons = 0xa5a5a5a5;
	}
}

static bool lies_about_counts(const struct sim_xenstore *store)
{
	return store->answers >= store->honest && ((store->lie >= SIM_XENSTORE_REQUEST_CONS_AHEAD &&
						    store->lie <= SIM_XENSTORE_RESPONSE_PROD_WILD));
}

/* How many bytes may be moved now, of `most`. */
static size_t allow(const struct sim_xenstore *store, size_t most)
{
	if (store->piece > 0)
		most = smaller(most, store->piece);
	return smaller(most, store->bytes_left);
}

/* How many bytes the request that comes in has, as far as is known. */
static size_t request_end(const struct sim_xenstore *store)
{
	struct xenstore_header request;

	if (store->received < HEADER)
		return HEADER;
	memcpy(&request, store->in, HEADER);
	return HEADER + request.length;
}

/* It answers what it has not heard to its end: to be believed, with the right number. */
static void answer_early(struct sim_xenstore *store)
{
	struct xenstore_header request;

	if (store->early || store->received < HEADER || !lies(store, SIM_XENSTORE_EARLY))
		return;
	memcpy(&request, store->in, HEADER);
	store->early = true;
	sim_xenstore_say(store, request.type, request.id, "OK", 3);
	store->bytes_left = HEADER + 3;
}

/* Returns how many bytes it has read. */
static size_t read_requests(struct sim_xenstore *store)
{
	struct xenstore_ring *page = store->page;
	uint32_t prod = page->request_prod, there = prod - store->request_cons;
	size_t left, moved = 0;

	if (there > 0 && lies(store, SIM_XENSTORE_DEAF))
		return 0;
	if (there > RING) {
		if (store->lie != SIM_XENSTORE_OWN_COUNTS)
			blame(store, "more bytes of requests than the ring has");
		return 0;
	}
	left = allow(store, there);
	while (moved < left) {
		if (request_end(store) > sizeof(store->in)) {
			blame(store, "a request longer than any may be");
			return moved;
		}
		store->in[store->received++] = page->request[store->request_cons++ % RING];
		moved++;
		if (store->received == request_end(store) && store->received >= HEADER)
			obey(store);
	}
	page->request_cons = store->request_cons;
	if (store->bytes_left != SIZE_MAX)
		store->bytes_left -= moved;
	answer_early(store);
	return moved;
}

/* Returns how many bytes it has written. */
static size_t write_responses(struct sim_xenstore *store)
{
	struct xenstore_ring *page = store->page;
	uint32_t cons = page->response_cons, used = store->response_prod - cons;
	size_t left, moved = 0;

	if (used > RING) {
		/* Its own doing, until the client shows its count again. */
		if (store->lie == SIM_XENSTORE_OWN_COUNTS)
			return 0;
		blame(store, "bytes of answers were read that never came");
		return 0;
	}
	left = allow(store, smaller(RING - used, store->out_length - store->out_sent));
	for (; moved < left; moved++)
		page->response[store->response_prod++ % RING] = store->out[store->out_sent++];
	page->response_prod = store->response_prod;
	if (store->bytes_left != SIZE_MAX)
		store->bytes_left -= moved;
	if (store->out_sent == store->out_length)
		store->out_sent = store->out_length = 0;
	return moved;
}

bool sim_xenstore_step(struct sim_xenstore *store)
{
	size_t moved;

	/* The counts are not what they were: it never comes back from that. */
	if (lies_about_counts(store)) {
		lie_in_counts(store);
		return false;
	}
	moved = read_requests(store);
	moved += write_responses(store);
	lie_in_counts(store);
	if (moved > 0 && store->notify)
		store->notify(store->arg);
	return moved > 0;
}
