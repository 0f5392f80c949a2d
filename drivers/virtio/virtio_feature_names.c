/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of feature bits, and why one was not accepted; for the commands and the
 * command line. Decides nothing: the allow-list is virtio_features.c.
 */
#include "drivers/virtio/virtio_feature_names.h"

#include <errno.h>
#include <string.h>

#include "drivers/virtio/virtio.h"
#include "drivers/virtio/virtio_transport.h"

/* Of rings and transports, whatever the device (6). */
#define FEATURE_NAME(constant, bit, name) { bit, name },

static const struct virtio_feature_name shared_names[] = {
	VIRTIO_SHARED_FEATURES(FEATURE_NAME){ 0, NULL },
};

static const char *find_name(const struct virtio_feature_name *names, unsigned bit)
{
	while (names->name && names->bit != bit)
		names++;
	return names->name;
}

const char *virtio_feature_name(uint16_t type, unsigned bit)
{
	const struct virtio_driver *driver = virtio_find_driver(type);
	const char *name = find_name(shared_names, bit);

	if (!name && driver && driver->feature_names)
		name = find_name(driver->feature_names, bit);
	return name;
}

static const char *why_declined(const struct virtio_device *device, unsigned bit)
{
	if (!device->driver || !device->driver->why_declined)
		return "the driver does without";
	return device->driver->why_declined(bit);
}

const char *virtio_refusal_reason(const struct virtio_device *device, unsigned bit)
{
	enum virtio_verdict verdict = virtio_feature_verdict(bit, device->transport->features);

	if (!virtio_feature_name(device->type, bit))
		return "unknown bit";
	if (verdict == VIRTIO_REFUSED_BY_PERSON)
		return "refused on the command line";
	if (device->declined >> bit & 1)
		return why_declined(device, bit);
	if (verdict == VIRTIO_NOT_ON_THIS_TRANSPORT)
		return "not implemented on this transport";
	if (verdict == VIRTIO_IMPLEMENTED)
		return "initialisation failed";
	return "not implemented";
}

/* Finds a bit by a name that need not end in a NUL; VIRTIO_FEATURES: there is none. */
static unsigned find_bit(uint16_t type, const char *text, size_t length)
{
	unsigned bit = 0;

	for (; bit < VIRTIO_FEATURES; bit++) {
		const char *name = virtio_feature_name(type, bit);

		if (name && strlen(name) == length && memcmp(name, text, length) == 0)
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
