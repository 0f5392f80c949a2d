/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Feature bits (virtio 1.3, 2.2 and 6) that belong to rings and transports, and
 * which of them this driver accepts. Knows no device: those of a device type
 * are its driver's, and virtio_feature_names.h has the names of both. Host programs
 * include this file.
 */
#ifndef DRIVERS_VIRTIO_VIRTIO_FEATURES_H
#define DRIVERS_VIRTIO_VIRTIO_FEATURES_H

#include "kernel/lib/types.h"

/* X(constant, bit, name): all of them (6); the first two are of legacy devices only. */
#define VIRTIO_SHARED_FEATURES(X) \
	X(VIRTIO_F_NOTIFY_ON_EMPTY, 24, "NOTIFY_ON_EMPTY") \
	X(VIRTIO_F_ANY_LAYOUT, 27, "ANY_LAYOUT") \
	X(VIRTIO_F_INDIRECT_DESC, 28, "INDIRECT_DESC") \
	X(VIRTIO_F_EVENT_IDX, 29, "EVENT_IDX") \
	X(VIRTIO_F_VERSION_1, 32, "VERSION_1") \
	X(VIRTIO_F_ACCESS_PLATFORM, 33, "ACCESS_PLATFORM") \
	X(VIRTIO_F_RING_PACKED, 34, "RING_PACKED") \
	X(VIRTIO_F_IN_ORDER, 35, "IN_ORDER") \
	X(VIRTIO_F_ORDER_PLATFORM, 36, "ORDER_PLATFORM") \
	X(VIRTIO_F_SR_IOV, 37, "SR_IOV") \
	X(VIRTIO_F_NOTIFICATION_DATA, 38, "NOTIFICATION_DATA") \
	X(VIRTIO_F_NOTIF_CONFIG_DATA, 39, "NOTIF_CONFIG_DATA") \
	X(VIRTIO_F_RING_RESET, 40, "RING_RESET") \
	X(VIRTIO_F_ADMIN_VQ, 41, "ADMIN_VQ")

#define VIRTIO_FEATURE_CONSTANT(constant, bit, name) constant = (bit),
enum { VIRTIO_SHARED_FEATURES(VIRTIO_FEATURE_CONSTANT) };
#undef VIRTIO_FEATURE_CONSTANT

#define VIRTIO_FEATURES 64 /* bits that this driver reads */
#define VIRTIO_BIT(bit) (UINT64_C(1) << (bit))

/*
 * Returns the bits that may be accepted: of `of_type` those that belong to
 * device types, of the rings' those that are implemented, of the transports'
 * those in `of_transport`; none that a person refused.
 */
uint64_t virtio_features_allowed(uint64_t of_type, uint64_t of_transport);

/*
 * Makes virtio_features_allowed() leave these bits out from now on, and no
 * others: for people and tests. VERSION_1 cannot be refused (6.1); the log says so.
 */
void virtio_refuse_features(uint64_t features);

/* Verdicts of the allow-list on a bit; of a device type's own bits it implements none. */
enum virtio_verdict {
	VIRTIO_IMPLEMENTED,
	VIRTIO_REFUSED_BY_PERSON,
	VIRTIO_NOT_ON_THIS_TRANSPORT,
	VIRTIO_NOT_IMPLEMENTED,
};

/* Looks up a bit below VIRTIO_FEATURES, for a transport that implements `of_transport`. */
enum virtio_verdict virtio_feature_verdict(unsigned bit, uint64_t of_transport);

#endif
