/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rings (virtio 1.3: split 2.7, packed 2.8) as they lie in the guest's memory, which QEMU and the
 * guest write while we look. Where they are QEMU tells, by x-query-virtio-queue-status
 * (not x-query-virtio-status, at which QEMU 11.1 ends itself).
 */
#include "tests/soak/soak.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <json-c/json.h>

#include "tools/qmp.h"
#include "tools/vm.h"

#define BACKEND "/machine/peripheral/balloon0/virtio-backend"

/* 2.7.6, 2.7.8: two bytes of flags, the index, and `entries` entries. */
#define INDEX 2
#define AVAIL_ENTRIES 4
#define USED_ENTRIES 4
#define USED_ENTRY 8

/* 2.8.13: a descriptor's bytes, where its flags are, and the two that say whose it is. */
#define PACKED_DESC 16
#define PACKED_FLAGS 14
#define PACKED_AVAIL_BIT 7
#define PACKED_USED_BIT 15

static uint64_t number_in(struct json_object *reply, const char *name)
{
	struct json_object *number = NULL;

	json_object_object_get_ex(reply, name, &number);
	return json_object_get_uint64(number);
}

int ring_find(struct guest *guest, unsigned queue, bool packed, struct ring *ring)
{
	struct json_object *args = json_object_new_object(), *reply;
	uint64_t end;

	json_object_object_add(args, "path", json_object_new_string(BACKEND));
	json_object_object_add(args, "queue", json_object_new_int((int)queue));
	if (qmp_execute(vm_qmp(guest->vm), "x-query-virtio-queue-status", args, &reply))
		return guest_wrong(guest, "queue %u: %s", queue, qmp_error(vm_qmp(guest->vm)));
	*ring = (struct ring){ .packed = packed,
			       .desc = number_in(reply, "vring-desc"),
			       .avail = number_in(reply, "vring-avail"),
			       .used = number_in(reply, "vring-used"),
			       .entries = number_in(reply, "vring-num") };
	json_object_put(reply);
	end = packed ? ring->desc + ring->entries * PACKED_DESC
		     : ring->used + USED_ENTRIES + ring->entries * USED_ENTRY + sizeof(uint16_t);
	if (ring->desc == 0 || ring->avail == 0 || ring->used == 0 || ring->entries > 1024 ||
	    ring->avail > guest->size - INDEX - sizeof(uint16_t) || end > guest->size)
		return guest_wrong(guest, "queue %u is not in the guest's memory", queue);
	return 0;
}

static uint16_t read16(const struct guest *guest, uint64_t at)
{
	return *(const volatile uint16_t *)(guest->ram + at);
}

/* 2.8.1: the device makes the bits equal when it returns the descriptor. */
static bool is_in_flight_packed(const struct guest *guest, const struct ring *ring)
{
	for (uint64_t i = 0; i < ring->entries; i++) {
		uint16_t flags = read16(guest, ring->desc + i * PACKED_DESC + PACKED_FLAGS);

		if ((flags >> PACKED_AVAIL_BIT ^ flags >> PACKED_USED_BIT) & 1)
			return true;
	}
	return false;
}

bool ring_in_flight(const struct guest *guest, const struct ring *ring)
{
	if (ring->packed)
		return is_in_flight_packed(guest, ring);
	return read16(guest, ring->avail + INDEX) != read16(guest, ring->used + INDEX);
}

bool ring_is_asked(const struct guest *guest, const struct ring *ring)
{
	uint64_t avail_event = ring->used + USED_ENTRIES + ring->entries * USED_ENTRY;
	uint16_t offered = read16(guest, ring->avail + INDEX);

	return offered == read16(guest, ring->used + INDEX) ||
	       offered != read16(guest, avail_event);
}

/* ---- A device that wants a reset ---- */

#define VIRTIO_VENDOR 0x1af4
#define LEGACY_NOTIFY 16 /* 4.1.4.10 */

/* The ports of the one virtio device on bus 0, or 0. */
static uint64_t ports_in(struct json_object *buses)
{
	struct json_object *devices = NULL, *id = NULL, *regions = NULL;

	json_object_object_get_ex(json_object_array_get_idx(buses, 0), "devices", &devices);
	for (size_t i = 0; i < json_object_array_length(devices); i++) {
		struct json_object *device = json_object_array_get_idx(devices, i);

		json_object_object_get_ex(device, "id", &id);
		json_object_object_get_ex(device, "regions", &regions);
		if (number_in(id, "vendor") == VIRTIO_VENDOR)
			return number_in(json_object_array_get_idx(regions, 0), "address");
	}
	return 0;
}

int ring_upset(struct guest *guest, const struct ring *ring)
{
	uint16_t *avail = (uint16_t *)(guest->ram + ring->avail);
	struct qmp *qmp = vm_qmp(guest->vm);
	struct json_object *buses;
	char line[64], *text;
	uint64_t ports;

	if (qmp_execute(qmp, "query-pci", NULL, &buses))
		return guest_wrong(guest, "query-pci: %s", qmp_error(qmp));
	ports = ports_in(buses);
	json_object_put(buses);
	if (ports == 0)
		return guest_wrong(guest, "the balloon has no ports");
	/* An entry for a descriptor that is not there. */
	avail[AVAIL_ENTRIES / 2 + avail[INDEX / 2] % ring->entries] = 0x7fff;
	avail[INDEX / 2]++;
	snprintf(line, sizeof(line), "o/h 0x%" PRIx64 " 0", ports + LEGACY_NOTIFY);
	if (qmp_human(qmp, line, &text))
		return guest_wrong(guest, "%s: %s", line, qmp_error(qmp));
	free(text);
	return 0;
}
