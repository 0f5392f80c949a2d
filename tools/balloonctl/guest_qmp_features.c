/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads what QEMU says of the device's driver: the feature bits by their names, and
 * the device status (virtio 1.3, 2.1 and 2.2).
 */
#include <string.h>

#include <json-c/json.h>

#include "kernel/lib/types.h"
#include "tools/balloonctl/guest.h"
#include "tools/balloonctl/guest_qmp.h"
#include "tools/json_member.h"

#define FEATURE_BITS 64 /* as QEMU's masks have; virtio's registers could tell more */

/* The name that VIRTIO_F_ACCESS_PLATFORM had before virtio 1.1; QEMU keeps it. */
#define OLD_NAME "IOMMU_PLATFORM"
#define OLD_NAME_BIT 33

/* "VIRTIO_BALLOON_F_STATS_VQ: words"; the bit, or -1 for a name that is not ours. */
static int feature_bit(const char *text)
{
	static const char *const prefixes[] = { "VIRTIO_BALLOON_F_", "VIRTIO_RING_F_",
						"VIRTIO_F_" };
	size_t len = strcspn(text, ":");

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		size_t prefix = strlen(prefixes[i]);

		if (strncmp(text, prefixes[i], prefix) != 0)
			continue;
		text += prefix;
		len -= prefix;
		if (len == strlen(OLD_NAME) && !strncmp(text, OLD_NAME, len))
			return OLD_NAME_BIT;
		for (unsigned bit = 0; bit < FEATURE_BITS; bit++) {
			const char *name = guest_feature_name(bit);

			if (name && strlen(name) == len && !strncmp(name, text, len))
				return (int)bit;
		}
	}
	return -1;
}

static uint64_t bits_of_names(struct json_object *array)
{
	size_t count = array ? json_object_array_length(array) : 0;
	uint64_t bits = 0;

	for (size_t i = 0; i < count; i++) {
		struct json_object *text = json_object_array_get_idx(array, i);
		int bit = json_object_is_type(text, json_type_string)
				  ? feature_bit(json_object_get_string(text))
				  : -1;

		if (bit >= 0)
			bits |= 1ull << bit;
	}
	return bits;
}

/* Names of the device and of the transport, and a mask of bits that QEMU has no name for. */
static uint64_t feature_bits(struct json_object *status, const char *member)
{
	struct json_object *set;
	uint64_t unknown = 0;

	if (!json_object_object_get_ex(status, member, &set))
		return 0;
	json_member_uint64(set, "unknown-dev-features", &unknown);
	return unknown | bits_of_names(json_member_array(set, "dev-features")) |
	       bits_of_names(json_member_array(set, "transports"));
}

static bool has_status(struct json_object *status, const char *word)
{
	struct json_object *set = NULL, *words;
	size_t count;

	json_object_object_get_ex(status, "status", &set);
	words = json_member_array(set, "statuses");
	count = words ? json_object_array_length(words) : 0;
	for (size_t i = 0; i < count; i++) {
		struct json_object *text = json_object_array_get_idx(words, i);

		if (json_object_is_type(text, json_type_string) &&
		    !strncmp(json_object_get_string(text), word, strlen(word)))
			return true;
	}
	return false;
}

void qmp_read_driver(struct json_object *status, struct guest_state *state)
{
	struct json_object *broken;

	state->has_features = state->has_driver = true;
	state->offered = feature_bits(status, "host-features");
	state->accepted = feature_bits(status, "guest-features");
	state->driver_ok = has_status(status, "VIRTIO_CONFIG_S_DRIVER_OK");
	if (json_object_object_get_ex(status, "broken", &broken) && json_object_get_boolean(broken))
		state->driver_ok = false;
}
