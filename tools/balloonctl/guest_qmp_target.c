/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the balloon's target. QMP's `balloon` sets it, and no command reads it. But
 * it is the first field of the device's config space (virtio 1.3, 5.5.4), which
 * QEMU's monitor can read where the guest has mapped it, and QEMU's tree of memory
 * regions tells the address. Reading config space changes nothing in the device.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "tools/balloonctl/guest_qmp.h"
#include "tools/json_member.h"
#include "tools/qmp.h"

#define PAGE 4096

#define MODERN_REGION "virtio-pci-device-virtio-balloon[0]"
#define LEGACY_REGION "virtio-pci[1]" /* [0] is the modern BAR, mapped or not */
#define MMIO_REGION "virtio-mmio[0]"
#define LEGACY_CONFIG 0x14 /* virtio 1.3, 4.1.4.10, without MSI-X */
#define MMIO_CONFIG 0x100  /* 4.2.2 */

/* A refusal by QEMU means that there is none; a lost connection does not. */
static int answer_or_none(int err)
{
	return qmp_has_refused(err) ? -ENOENT : err;
}

static int get_number(struct qmp *qmp, const char *path, const char *property, uint64_t *value)
{
	struct json_object *number;
	int err = answer_or_none(qom_get(qmp, path, property, &number));

	if (err)
		return err;
	if (!json_uint64(number, value))
		err = -ENOENT;
	json_object_put(number);
	return err;
}

/* Text of a property, by free(). */
static int get_text(struct qmp *qmp, const char *path, const char *property, char **text)
{
	struct json_object *string;
	int err = answer_or_none(qom_get(qmp, path, property, &string));

	if (err)
		return err;
	err = -ENOENT;
	if (json_object_is_type(string, json_type_string) && json_object_get_string_len(string)) {
		*text = strdup(json_object_get_string(string));
		err = *text ? 0 : -ENOMEM;
	}
	json_object_put(string);
	return err;
}

static char *join(const char *folder, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

/* Finds where a region begins within its container; *container is by free(). */
static int locate(struct qmp *qmp, const char *region, uint64_t *addr, char **container)
{
	int err;

	if (!region)
		return -ENOMEM;
	err = get_number(qmp, region, "addr", addr);
	/* A BAR that the guest has not mapped has no container. */
	return err ? err : get_text(qmp, region, "container", container);
}

/* The number after the last "0x" of what the monitor prints. */
static int monitor_number(struct qmp *qmp, const char *command, uint32_t *value)
{
	char *text, *at = NULL, *end;
	int err = answer_or_none(qmp_human(qmp, command, &text));
	unsigned long long number;

	if (err)
		return err;
	for (char *next = strstr(text, "0x"); next; next = strstr(next + 1, "0x"))
		at = next;
	number = strtoull(at ? at : "", &end, 16);
	if (!at || end == at + 1 || number > UINT32_MAX)
		err = -ENOENT;
	*value = (uint32_t)number;
	free(text);
	return err;
}

static int read_memory(struct qmp *qmp, uint64_t addr, uint32_t *value)
{
	char command[48];

	snprintf(command, sizeof(command), "xp /1wx 0x%" PRIx64, addr);
	return monitor_number(qmp, command, value);
}

/* The config structure is a region of its own inside the BAR's region. */
static int read_modern(struct qmp *qmp, const struct balloon_path *path, uint32_t *pages)
{
	char *region = join(path->device, MODERN_REGION);
	char *bar = NULL, *bus = NULL;
	uint64_t offset, base;
	int err = locate(qmp, region, &offset, &bar);

	if (!err)
		err = locate(qmp, bar, &base, &bus);
	if (!err)
		err = read_memory(qmp, base + offset, pages);
	free(region);
	free(bar);
	free(bus);
	return err;
}

/* With MSI-X on, which only the guest decides, the config would be elsewhere. */
static int read_legacy(struct qmp *qmp, const struct balloon_path *path, uint32_t *pages)
{
	char *region = join(path->device, LEGACY_REGION), *bus = NULL;
	uint64_t port, vectors;
	char command[48];
	int err = get_number(qmp, path->device, "vectors", &vectors);

	if (err == 0)
		err = vectors ? -ENOENT : 0;
	else if (err == -ENOENT)
		err = 0;
	if (!err)
		err = locate(qmp, region, &port, &bus);
	if (!err && port > UINT16_MAX)
		err = -ENOENT;
	if (!err) {
		snprintf(command, sizeof(command), "i /1wx 0x%" PRIx64, port + LEGACY_CONFIG);
		err = monitor_number(qmp, command, pages);
	}
	free(region);
	free(bus);
	return err;
}

/* The device sits on a bus that is a child of its transport, as is the region. */
static int read_mmio(struct qmp *qmp, const struct balloon_path *path, uint32_t *pages)
{
	char *bus, *region, *system = NULL, *slash;
	uint64_t base;
	int err = get_text(qmp, path->device, "parent_bus", &bus);

	if (err)
		return err;
	slash = strrchr(bus, '/');
	if (slash)
		*slash = '\0';
	region = join(bus, MMIO_REGION);
	err = locate(qmp, region, &base, &system);
	if (!err)
		err = read_memory(qmp, base + MMIO_CONFIG, pages);
	free(bus);
	free(region);
	free(system);
	return err;
}

int qmp_balloon_target(struct qmp *qmp, const struct balloon_path *path, uint64_t *taken)
{
	uint32_t pages;
	int err;

	if (path->is_plain) {
		err = read_mmio(qmp, path, &pages);
	} else {
		err = read_modern(qmp, path, &pages);
		if (err == -ENOENT)
			err = read_legacy(qmp, path, &pages);
	}
	if (!err)
		*taken = (uint64_t)pages * PAGE;
	return err;
}
