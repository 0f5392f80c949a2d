/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Amounts of a guest's memory: see guest.h and guest_backend.h. QEMU, libvirt and the guest
 * have said them; here they are checked and made to add up.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tools/balloonctl/guest_backend.h"

#define POLL_LATE_S 2 /* QEMU keeps whole seconds of statistics, and the guest may take one */

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
	else
		state->nr_unlisted++;
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

/*
 * Whether statistics are of the RAM as it is now. Of a device that can plug and unplug between two
 * of them nobody knows, and a balloon that gives back has left them behind.
 */
static bool are_of_now(const struct guest_state *state, const struct guest_stats *stats)
{
	if (state->has_grown || (state->has_target && state->target_left > state->left))
		return false;
	return stats->interval && stats->age <= (double)stats->interval + POLL_LATE_S;
}

bool guest_unused(const struct guest_state *state, const struct guest_stats *stats, uint64_t *bytes)
{
	uint64_t total = stats->value[STAT_TOTAL_MEMORY];
	bool has_taken = state->has_features && state->accepted >> DEFLATE_ON_OOM_BIT & 1;

	if (!(stats->present >> STAT_TOTAL_MEMORY & 1) || *state->complaint ||
	    (!state->has_features && state->taken) || !are_of_now(state, stats))
		return false;
	if (!has_taken && __builtin_add_overflow(total, state->taken, &total))
		return false;
	if (total > state->ram)
		return false;
	*bytes = state->ram - total;
	return true;
}
