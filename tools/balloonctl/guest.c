/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part of a guest that both ways of reaching it share: see guest.h. guest_account.c
 * makes amounts that were said add up; guest_find.c knows how guests are named.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/balloonctl/guest_backend.h"
#include "tools/balloonctl/guest_thread.h"

int guest_fail(struct guest *guest, int err, const char *format, ...)
{
	va_list args;

	assert(err < 0);
	va_start(args, format);
	vsnprintf(guest->error, sizeof(guest->error), format, args);
	va_end(args);
	return err;
}

/* ---- open and close ---- */

bool guest_is_uri(const char *name)
{
	const char *colon = name ? strstr(name, "://") : NULL;

	return colon && strcspn(name, "/") > (size_t)(colon - name);
}

/* What libvirt would take for Xen: as the scheme, with or without a way there, or at its end. */
static bool is_xen(const char *name)
{
	if (!strncasecmp(name, "xen:", 4))
		return true;
	return guest_is_uri(name) &&
	       (!strncasecmp(name, "xen+", 4) || strcasestr(name, "?name=xen:") ||
		strcasestr(name, "&name=xen:"));
}

const char *guest_refusal(const char *name)
{
	if (!is_xen(name))
		return NULL;
	return "guests of Xen are not balloonctl's: in Xen's first domain, `xl list` shows them, "
	       "and `xl mem-set DOMAIN SIZE` sets what one has left";
}

static int check_name(struct guest *guest, const char *name)
{
	const char *hash = strrchr(name, '#'), *refusal = guest_refusal(name);

	if (refusal)
		return guest_fail(guest, -EINVAL, "%s: %s", name, refusal);
	if (!guest_is_uri(name))
		return guest_find_check(guest, name);
	if (hash && hash[1] != '\0')
		return 0;
	return guest_fail(guest, -EINVAL,
			  "%s names no domain: write it after a #, as in libvirt:///session#name",
			  name);
}

int guest_check_name(const char *name, char **error)
{
	struct guest guest = { .name = NULL };
	int err = check_name(&guest, name);

	*error = err ? strdup(guest.error) : NULL;
	return err;
}

static int open_libvirt(struct guest *guest, const char *name)
{
	return guest_thread_open(guest, &guest_backend_libvirt, name);
}

static int open_socket(struct guest *guest, const char *name)
{
	char *found;
	int err;

	err = guest_find_socket(guest, name, &found);
	if (!err) {
		guest->backend = &guest_backend_qmp;
		err = guest->backend->open(guest, found);
	}
	free(found);
	return err;
}

int guest_open(const char *name, int64_t deadline, struct guest **out, char **error)
{
	struct guest *guest = calloc(1, sizeof(*guest));
	int err;

	*error = NULL;
	if (!guest)
		return -ENOMEM;
	guest->deadline = deadline;
	if (name)
		guest->name = strdup(name);
	err = name ? check_name(guest, name) : 0;
	if (!err)
		err = guest_is_uri(name) ? open_libvirt(guest, name) : open_socket(guest, name);
	if (err) {
		*error = strdup(guest->error);
		guest_close(guest);
		return err;
	}
	*out = guest;
	return 0;
}

void guest_close(struct guest *guest)
{
	if (!guest)
		return;
	if (guest->backend)
		guest->backend->close(guest);
	free(guest->name);
	free(guest);
}

void guest_set_deadline(struct guest *guest, int64_t deadline)
{
	guest->deadline = deadline;
	if (guest->backend->note_deadline)
		guest->backend->note_deadline(guest);
}

const char *guest_name(const struct guest *guest)
{
	return guest->name;
}

const char *guest_error(const struct guest *guest)
{
	return guest->error;
}

bool guest_may_be_kept(const struct guest *guest)
{
	return guest->backend->shared;
}

/* ---- memory ---- */

int guest_memory(struct guest *guest, struct guest_state *state)
{
	memset(state, 0, sizeof(*state));
	return guest->backend->state(guest, state);
}

int guest_state(struct guest *guest, struct guest_state *state)
{
	int err = guest_memory(guest, state);

	/* The backend has left its words. */
	return !err && state->lacks_balloon ? -ENODEV : err;
}

int guest_look(struct guest *guest, struct guest_state *state)
{
	int err = guest_memory(guest, state);

	if (err || !state->lacks_balloon || state->has_grown || state->dimms)
		return err;
	return -ENODEV;
}

int guest_set_target(struct guest *guest, uint64_t bytes_left)
{
	struct guest_state state;
	uint64_t counted;
	int err = guest_state(guest, &state);

	if (err)
		return err;
	counted = state.base + state.dimms;
	if (bytes_left == 0)
		return guest_fail(guest, -ERANGE, "a guest cannot be left without any memory");
	if (bytes_left > counted)
		return guest_fail(guest, -ERANGE,
				  "%" PRIu64 " bytes cannot be left to a guest of %" PRIu64
				  " bytes",
				  bytes_left, counted);
	return guest->backend->set_target(guest, bytes_left);
}

const struct guest_mem_device *guest_find_device(const struct guest_state *state, const char *name)
{
	for (unsigned i = 0; i < state->nr_devices; i++)
		if (!strcmp(state->devices[i].name, name))
			return &state->devices[i];
	return NULL;
}

/* Looks at the guest for the device; *is is what it is now. */
static int need_device(struct guest *guest, const char *name, struct guest_mem_device *is)
{
	const struct guest_mem_device *found;
	struct guest_state state;
	int err = guest_memory(guest, &state);

	if (err)
		return err;
	found = guest_find_device(&state, name);
	if (!found)
		return guest_fail(guest, -ENODEV, "the machine has no virtio-mem device %s%s", name,
				  state.nr_unlisted ? " among those that balloonctl lists" : "");
	*is = *found;
	return 0;
}

int guest_request(struct guest *guest, const char *device, uint64_t bytes)
{
	struct guest_mem_device is;
	int err = need_device(guest, device, &is);

	if (err)
		return err;
	if (bytes % is.block)
		return guest_fail(guest, -ERANGE,
				  "%s plugs blocks of %" PRIu64 " bytes, and %" PRIu64
				  " bytes are no multiple",
				  device, is.block, bytes);
	if (bytes > is.region)
		return guest_fail(guest, -ERANGE,
				  "%s can bring %" PRIu64 " bytes at most, and not %" PRIu64,
				  device, is.region, bytes);
	return guest->backend->request(guest, device, bytes);
}

int guest_find_driver(struct guest *guest, const char *device, bool *driver_ok)
{
	struct guest_mem_device is;
	int err = need_device(guest, device, &is);

	return err ? err : guest->backend->find_driver(guest, device, driver_ok);
}

int guest_find_drivers(struct guest *guest, struct guest_state *state)
{
	for (unsigned i = 0; i < state->nr_devices; i++) {
		struct guest_mem_device *device = &state->devices[i];
		int err = guest->backend->find_driver(guest, device->name, &device->driver_ok);

		if (err && err != -ENOTSUP)
			return err;
		device->has_driver = !err;
	}
	return 0;
}

int guest_find_migration(struct guest *guest, bool *migrates)
{
	*migrates = false;
	if (!guest->backend->find_migration)
		return guest_fail(guest, -ENOTSUP, "whether the guest is migrated cannot be known");
	return guest->backend->find_migration(guest, migrates);
}

int guest_stats(struct guest *guest, struct guest_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	return guest->backend->stats(guest, stats);
}

int guest_set_interval(struct guest *guest, unsigned seconds)
{
	return guest->backend->set_interval(guest, seconds);
}

int guest_peek(struct guest *guest, uint64_t paddr, void *to, size_t size)
{
	assert(size > 0 && size <= GUEST_PEEK_MAX && paddr <= INT64_MAX - size);
	return guest->backend->peek(guest, paddr, to, size);
}

int guest_halt(struct guest *guest, bool *ran)
{
	*ran = false;
	return guest->backend->halt(guest, ran);
}

int guest_resume(struct guest *guest)
{
	return guest->backend->resume(guest);
}

int guest_cost(struct guest *guest, struct guest_cost *cost)
{
	return guest->backend->cost(guest, cost);
}
