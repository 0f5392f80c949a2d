/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Feature bits (virtio 1.3, 2.2 and 6): their names, which of the rings' and
 * transports' own are implemented, and which a person does not want. A bit
 * that is not in the allow-list is never accepted.
 */
#include <errno.h>
#include <string.h>

#include "drivers/virtio/virtio.h"
#include "kernel/lib/log.h"

/* Bits 24 to 49 belong to rings and transports, the others to device types (2.2). */
#define FEATURES_SHARED (VIRTIO_BIT(50) - VIRTIO_BIT(24))

/*
 * The allow-list for those bits. ACCESS_PLATFORM says that the device reaches
 * memory the way the platform wants it to, by an IOMMU perhaps (6.1). We give it
 * physical addresses and never enable an IOMMU, so those are right with the
 * bit as without it. Not here: IN_ORDER, as the shadow takes any order;
 * RING_RESET, as a queue that is broken takes its whole device with it.
 */
#define FEATURES_IMPLEMENTED \
	(VIRTIO_BIT(VIRTIO_F_VERSION_1) | VIRTIO_BIT(VIRTIO_F_INDIRECT_DESC) | \
	 VIRTIO_BIT(VIRTIO_F_EVENT_IDX) | VIRTIO_BIT(VIRTIO_F_ACCESS_PLATFORM) | \
	 VIRTIO_BIT(VIRTIO_F_RING_PACKED) | FEATURES_OF_TRANSPORT)

/* Those of them that each transport implements or not. */
#define FEATURES_OF_TRANSPORT VIRTIO_BIT(VIRTIO_F_NOTIFICATION_DATA)

struct feature_name {
	uint8_t bit;
	const char *name;
};

static const struct feature_name shared_names[] = {
	{ VIRTIO_F_NOTIFY_ON_EMPTY, "NOTIFY_ON_EMPTY" },
	{ VIRTIO_F_ANY_LAYOUT, "ANY_LAYOUT" },
	{ VIRTIO_F_INDIRECT_DESC, "INDIRECT_DESC" },
	{ VIRTIO_F_EVENT_IDX, "EVENT_IDX" },
	{ VIRTIO_F_VERSION_1, "VERSION_1" },
	{ VIRTIO_F_ACCESS_PLATFORM, "ACCESS_PLATFORM" },
	{ VIRTIO_F_RING_PACKED, "RING_PACKED" },
	{ VIRTIO_F_IN_ORDER, "IN_ORDER" },
	{ VIRTIO_F_ORDER_PLATFORM, "ORDER_PLATFORM" },
	{ VIRTIO_F_SR_IOV, "SR_IOV" },
	{ VIRTIO_F_NOTIFICATION_DATA, "NOTIFICATION_DATA" },
	{ 39, "NOTIF_CONFIG_DATA" },
	{ VIRTIO_F_RING_RESET, "RING_RESET" },
	{ 41, "ADMIN_VQ" },
};

/* 5.5.3 */
static const struct feature_name balloon_names[] = {
	{ 0, "MUST_TELL_HOST" }, { 1, "STATS_VQ" },    { 2, "DEFLATE_ON_OOM" },
	{ 3, "FREE_PAGE_HINT" }, { 4, "PAGE_POISON" }, { 5, "REPORTING" },
};

static uint64_t refused_by_person;

static const char *find_name(const struct feature_name *names, size_t count, unsigned bit)
{
	for (size_t i = 0; i < count; i++)
		if (names[i].bit == bit)
			return names[i].name;
	return NULL;
}

const char *virtio_feature_name(uint16_t type, unsigned bit)
{
	const char *name = find_name(shared_names, ARRAY_SIZE(shared_names), bit);

	if (name == NULL && type == VIRTIO_ID_BALLOON)
		name = find_name(balloon_names, ARRAY_SIZE(balloon_names), bit);
	return name;
}

void virtio_refuse_features(uint64_t features)
{
	if ((features & VIRTIO_BIT(VIRTIO_F_VERSION_1)) != 0)
		log_warn("virtio: VERSION_1 cannot be refused: no modern device works without it");
	refused_by_person = features & ~VIRTIO_BIT(VIRTIO_F_VERSION_1);
}

uint64_t virtio_features_allowed(const struct virtio_device *device, uint64_t of_type)
{
	uint64_t shared = FEATURES_IMPLEMENTED & ~FEATURES_OF_TRANSPORT;

	shared |= FEATURES_OF_TRANSPORT & device->transport->features;
	return ((of_type & ~FEATURES_SHARED) | shared) & ~refused_by_person & ~device->declined;
}

static const char *why_declined(const struct virtio_device *device, unsigned bit)
{
	if (device->driver == NULL || device->driver->why_declined == NULL)
		return "the driver does without";
	return device->driver->why_declined(bit);
}

const char *virtio_refusal_reason(const struct virtio_device *device, unsigned bit)
{
	if (virtio_feature_name(device->type, bit) == NULL)
		return "unknown bit";
	if ((refused_by_person >> bit & 1) != 0)
		return "refused on the command line";
	if ((device->declined >> bit & 1) != 0)
		return why_declined(device, bit);
	if ((FEATURES_OF_TRANSPORT & ~device->transport->features) >> bit & 1)
		return "not implemented on this transport";
	if (FEATURES_IMPLEMENTED >> bit & 1)
		return "initialisation failed";
	return "not implemented";
}

/* A bit by a name that need not end in a NUL; VIRTIO_FEATURES: there is none. */
static unsigned find_bit(uint16_t type, const char *text, size_t length)
{
	unsigned bit = 0;

	for (; bit < VIRTIO_FEATURES; bit++) {
		const char *name = virtio_feature_name(type, bit);

		if (name != NULL && strlen(name) == length && memcmp(name, text, length) == 0)
			break;
	}
	return bit;
}

int virtio_parse_features(uint16_t type, const char *text, uint64_t *features)
{
	uint64_t found = 0;

	for (;;) {
		size_t length = strcspn(text, ",");
		unsigned bit = find_bit(type, text, length);

		if (bit == VIRTIO_FEATURES)
			return -EINVAL;
		found |= VIRTIO_BIT(bit);
		if (text[length] == '\0')
			break;
		text += length + 1;
	}
	*features = found;
	return 0;
}
