/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part of a guest that both ways of reaching it share: see guest.h. Amounts
 * that were said are made to add up here; guest_find.c knows how guests are named.
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

static int check_name(struct guest *guest, const char *name)
{
	const char *hash = strrchr(name, '#');

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

/* ---- amounts are checked ---- */

/* Keeps the first complaint, which explains the others. */
__attribute__((format(printf, 2, 3))) static void note(struct guest_state *state,
						       const char *format, ...)
{
	va_list args;

	if (*state->complaint)
		return;
	va_start(args, format);
	vsnprintf(state->complaint, sizeof(state->complaint), format, args);
	va_end(args);
}

/* Why a device cannot be as it was said to be; NULL: it can. */
static const char *find_fault(const struct guest_state *state,
			      const struct guest_mem_device *device)
{
	uint64_t odd = device->block - 1;

	if (device->block == 0 || device->block & odd)
		return "its block is no power of two";
	if (device->region > INT64_MAX || device->plugged > device->region ||
	    device->requested > device->region)
		return "it has more plugged or requested than it can bring";
	if ((device->region | device->plugged | device->requested) & odd)
		return "its sizes are no multiples of its block";
	/* Each is at most half of what a sum can hold. */
	if (state->grown + device->plugged > INT64_MAX ||
	    state->requested + device->requested > INT64_MAX)
		return "it and others bring more than there can be";
	for (unsigned i = 0; i < state->nr_devices; i++)
		if (!strcmp(state->devices[i].name, device->name))
			return "there are two of this name";
	return *device->name ? NULL : "it has no name";
}

void guest_account_device(struct guest_state *state, const struct guest_mem_device *device)
{
	const char *fault = find_fault(state, device);

	state->has_grown = true;
	if (fault) {
		note(state, "the virtio-mem device %.60s makes no sense: %s", device->name, fault);
		return;
	}
	state->grown += device->plugged;
	state->requested += device->requested;
	if (state->nr_devices < GUEST_MEM_DEVICES)
		state->devices[state->nr_devices++] = *device;
}

/* What is said to be left of the RAM that the balloon counts, made possible. */
static uint64_t possible_left(struct guest_state *state, uint64_t counted, int64_t left)
{
	if (left < 0) {
		note(state,
		     "the guest says that its balloon holds more than all its memory: "
		     "%" PRId64 " bytes would be left",
		     left);
		return 0;
	}
	if ((uint64_t)left > counted) {
		note(state,
		     "more memory is said to be left to the guest than it has: "
		     "%" PRId64 " of %" PRIu64 " bytes",
		     left, counted);
		return counted;
	}
	return (uint64_t)left;
}

void guest_account(struct guest_state *state, uint64_t counted, int64_t left)
{
	assert(state->dimms <= counted && counted <= INT64_MAX && state->grown <= INT64_MAX);
	state->base = counted - state->dimms;
	state->ram = counted + state->grown;
	state->taken = counted - possible_left(state, counted, left);
	state->left = state->ram - state->taken;
	assert(state->left >= state->grown && state->base + state->dimms == counted);
}

void guest_account_target(struct guest_state *state, uint64_t taken)
{
	assert(state->left + state->taken == state->ram);
	if (taken > state->base + state->dimms) {
		note(state,
		     "the target is said to be more than all memory: %" PRIu64 " bytes taken",
		     taken);
		return;
	}
	state->has_target = true;
	state->target_left = state->ram - taken;
}

int guest_state(struct guest *guest, struct guest_state *state)
{
	memset(state, 0, sizeof(*state));
	return guest->backend->state(guest, state);
}

/* Whether the balloon can leave so much: -ERANGE. */
static int check_target(struct guest *guest, const struct guest_state *state, uint64_t bytes_left)
{
	if (bytes_left == 0)
		return guest_fail(guest, -ERANGE, "a guest cannot be left without any memory");
	if (bytes_left > state->ram)
		return guest_fail(guest, -ERANGE,
				  "%" PRIu64 " bytes cannot be left to a guest of %" PRIu64
				  " bytes",
				  bytes_left, state->ram);
	if (bytes_left <= state->grown)
		return guest_fail(guest, -ERANGE,
				  "the balloon cannot take what virtio-mem has plugged, %" PRIu64
				  " bytes: `balloonctl shrink` does, or leave the guest more",
				  state->grown);
	return 0;
}

int guest_set_target(struct guest *guest, uint64_t bytes_left)
{
	struct guest_state state;
	int err = guest_state(guest, &state);

	if (!err)
		err = check_target(guest, &state, bytes_left);
	return err ? err : guest->backend->set_target(guest, bytes_left - state.grown);
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

bool guest_unused(const struct guest_state *state, const struct guest_stats *stats, uint64_t *bytes)
{
	uint64_t total = stats->value[STAT_TOTAL_MEMORY];
	bool has_taken = state->has_features && state->accepted >> DEFLATE_ON_OOM_BIT & 1;

	if (!(stats->present >> STAT_TOTAL_MEMORY & 1) || *state->complaint ||
	    (!state->has_features && state->taken))
		return false;
	if (!has_taken && __builtin_add_overflow(total, state->taken, &total))
		return false;
	if (total > state->ram)
		return false;
	*bytes = state->ram - total;
	return true;
}
