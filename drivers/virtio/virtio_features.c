/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The allow-list of feature bits (virtio 1.3, 2.2 and 6): which of the rings'
 * and transports' own are implemented, and which a person does not want. A bit
 * that is not in the list is never accepted.
 */
#include "drivers/virtio/virtio_features.h"

#include <assert.h>

#include "kernel/lib/log.h"

/* Bits 24 to 49 belong to rings and transports, the others to device types (2.2). */
#define FEATURES_SHARED (VIRTIO_BIT(50) - VIRTIO_BIT(24))

/*
 * ACCESS_PLATFORM says that the device reaches memory the way the platform
 * wants it to, perhaps by an IOMMU (6.1). We give it physical addresses and never
 * enable an IOMMU, so those are right with the bit and without it. Not here:
 * IN_ORDER, as the shadow takes any order; RING_RESET, as a queue that is broken
 * takes its whole device with it.
 */
#define FEATURES_IMPLEMENTED \
	(VIRTIO_BIT(VIRTIO_F_VERSION_1) | VIRTIO_BIT(VIRTIO_F_INDIRECT_DESC) | \
	 VIRTIO_BIT(VIRTIO_F_EVENT_IDX) | VIRTIO_BIT(VIRTIO_F_ACCESS_PLATFORM) | \
	 VIRTIO_BIT(VIRTIO_F_RING_PACKED) | FEATURES_OF_TRANSPORT)

/* Those that each transport implements or not. */
#define FEATURES_OF_TRANSPORT VIRTIO_BIT(VIRTIO_F_NOTIFICATION_DATA)

_Static_assert((FEATURES_IMPLEMENTED & ~FEATURES_SHARED) == 0, "device types have their own");
_Static_assert(VIRTIO_FEATURES == 8 * sizeof(uint64_t), "all bits fit into a mask");

static uint64_t refused_by_person;

void virtio_refuse_features(uint64_t features)
{
	if (features & VIRTIO_BIT(VIRTIO_F_VERSION_1))
		log_warn("virtio: VERSION_1 cannot be refused: no modern device works without it");
	refused_by_person = features & ~VIRTIO_BIT(VIRTIO_F_VERSION_1);
}

uint64_t virtio_features_allowed(uint64_t of_type, uint64_t of_transport)
{
	uint64_t shared = FEATURES_IMPLEMENTED & ~FEATURES_OF_TRANSPORT;

	/* Each transport names what it implements of its own, and nothing else. */
	assert(!(of_transport & ~FEATURES_OF_TRANSPORT));
	return ((of_type & ~FEATURES_SHARED) | shared | of_transport) & ~refused_by_person;
}

enum virtio_verdict virtio_feature_verdict(unsigned bit, uint64_t of_transport)
{
	assert(bit < VIRTIO_FEATURES);
	if (refused_by_person >> bit & 1)
		return VIRTIO_REFUSED_BY_PERSON;
	if ((FEATURES_OF_TRANSPORT & ~of_transport) >> bit & 1)
		return VIRTIO_NOT_ON_THIS_TRANSPORT;
	return FEATURES_IMPLEMENTED >> bit & 1 ? VIRTIO_IMPLEMENTED : VIRTIO_NOT_IMPLEMENTED;
}
