/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Split rings (virtio 1.3, 2.7) as they lie in the guest's memory, which QEMU and the
 * guest write while we look. Where they are QEMU tells, by x-query-virtio-queue-status
 * (not x-query-virtio-status, at which QEMU 11.1 ends itself).
 */
#include "tests/soak/soak.h"

#include <json-c/json.h>

#include "tools/qmp.h"
#include "tools/vm.h"

#define BACKEND "/machine/peripheral/balloon0/virtio-backend"

/* 2.7.6, 2.7.8: two bytes of flags, the index, and `entries` entries. */
#define INDEX 2
#define USED_ENTRIES 4
#define USED_ENTRY 8

static uint64_t number_in(struct json_object *reply, const char *name)
{
	struct json_object *number = NULL;

	json_object_object_get_ex(reply, name, &number);
	return json_object_get_uint64(number);
}

int ring_find(struct guest *guest, unsigned queue, struct ring *ring)
{
	struct json_object *args = json_object_new_object(), *reply;
	uint64_t used_end;

	json_object_object_add(args, "path", json_object_new_string(BACKEND));
	json_object_object_add(args, "queue", json_object_new_int((int)queue));
	if (qmp_execute(vm_qmp(guest->vm), "x-query-virtio-queue-status", args, &reply))
		return guest_wrong(guest, "queue %u: %s", queue, qmp_error(vm_qmp(guest->vm)));
	ring->avail = number_in(reply, "vring-avail");
	ring->used = number_in(reply, "vring-used");
	ring->entries = number_in(reply, "vring-num");
	json_object_put(reply);
	used_end = ring->used + USED_ENTRIES + ring->entries * USED_ENTRY + sizeof(uint16_t);
	if (ring->avail == 0 || ring->used == 0 || ring->entries > 1024 ||
	    ring->avail > guest->size - INDEX - sizeof(uint16_t) || used_end > guest->size)
		return guest_wrong(guest, "queue %u is not in the guest's memory", queue);
	return 0;
}

static uint16_t read16(const struct guest *guest, uint64_t at)
{
	return *(const volatile uint16_t *)(guest->ram + at);
}

bool ring_in_flight(const struct guest *guest, const struct ring *ring)
{
	return read16(guest, ring->avail + INDEX) != read16(guest, ring->used + INDEX);
}

bool ring_is_asked(const struct guest *guest, const struct ring *ring)
{
	uint64_t avail_event = ring->used + USED_ENTRIES + ring->entries * USED_ENTRY;
	uint16_t offered = read16(guest, ring->avail + INDEX);

	return offered == read16(guest, ring->used + INDEX) ||
	       offered != read16(guest, avail_event);
}
