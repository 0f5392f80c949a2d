/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio: every device, what it offers, what was accepted, and why the rest was
 * not.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "drivers/virtio/virtio_feature_names.h"
#include "drivers/virtio/virtio_transport.h"
#include "drivers/virtio/virtq.h"
#include "kernel/lib/command.h"
#include "kernel/lib/hooks.h"
#include "kernel/lib/json.h"
#include "kernel/lib/wrap.h"
#include "kernel/task/task.h"

struct bit_name {
	uint16_t value;
	const char *name;
};

/* 5 */
static const struct bit_name type_names[] = {
	{ 1, "network" },
	{ VIRTIO_ID_BLOCK, "block" },
	{ 3, "console" },
	{ 4, "entropy" },
	{ VIRTIO_ID_BALLOON, "balloon" },
	{ 8, "SCSI host" },
	{ 9, "9P" },
	{ 16, "GPU" },
	{ 18, "input" },
	{ 19, "socket" },
	{ 20, "crypto" },
	{ 23, "IOMMU" },
	{ VIRTIO_ID_MEM, "memory" },
	{ 25, "sound" },
	{ 26, "file system" },
	{ 27, "PMEM" },
};

/* 2.1 */
static const struct bit_name status_names[] = {
	{ VIRTIO_STATUS_ACKNOWLEDGE, "ACKNOWLEDGE" }, { VIRTIO_STATUS_DRIVER, "DRIVER" },
	{ VIRTIO_STATUS_FEATURES_OK, "FEATURES_OK" }, { VIRTIO_STATUS_DRIVER_OK, "DRIVER_OK" },
	{ VIRTIO_STATUS_NEEDS_RESET, "NEEDS_RESET" }, { VIRTIO_STATUS_FAILED, "FAILED" },
};

static const char *type_name(uint16_t type)
{
	for (size_t i = 0; i < ARRAY_SIZE(type_names); i++)
		if (type_names[i].value == type)
			return type_names[i].name;
	return "unknown";
}

static void print_status(struct virtio_device *device)
{
	uint8_t status = device->transport->get_status(device);

	printf("  status    0x%02x", status);
	if (status == UINT8_MAX) {
		printf(" (gone)\n");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(status_names); i++)
		if (status & status_names[i].value)
			printf(" %s", status_names[i].name);
	printf("\n");
}

/* Returns "STATS_VQ", or "bit-57" for a bit without a name. */
static const char *feature_name(const struct virtio_device *device, unsigned bit, char text[8])
{
	const char *name = virtio_feature_name(device->type, bit);

	snprintf(text, 8, "bit-%u", bit);
	return name ? name : text;
}

static void print_features(const struct virtio_device *device, const char *title, uint64_t bits)
{
	struct wrap line;
	char text[8];

	wrap_begin(&line, 12);
	wrap_word(&line, "  %-9s 0x%016" PRIx64, title, bits);
	for (unsigned bit = 0; bit < VIRTIO_FEATURES; bit++)
		if (bits >> bit & 1)
			wrap_word(&line, "%s", feature_name(device, bit, text));
	wrap_end(&line);
}

static void print_refused(const struct virtio_device *device)
{
	uint64_t refused = device->offered & ~device->accepted;
	char text[8];

	for (unsigned bit = 0; bit < VIRTIO_FEATURES; bit++)
		if (refused >> bit & 1)
			printf("  refused   %2u %-18s %s\n", bit, feature_name(device, bit, text),
			       virtio_refusal_reason(device, bit));
}

static void print_queues(const struct virtio_device *device)
{
	for (unsigned i = 0; i < device->queue_count; i++) {
		const struct virtq *queue = device->queue[i];

		if (!queue)
			continue;
		printf("  queue %-3u size %u, %u in flight, %" PRIu64 " notifications%s\n", i,
		       queue->size, queue->in_flight, queue->notifications,
		       virtq_is_broken(queue) ? ", broken" : "");
	}
}

static void print_device(struct virtio_device *device)
{
	printf("%s %s (type %u), %s, %" PRIu64 " interrupts\n", device->address,
	       type_name(device->type), device->type, device->transport->name,
	       device->interrupt_count);
	if (*device->interrupts_by)
		printf("  interrupts by %s\n", device->interrupts_by);
	if (device->broken)
		printf("  broken    %s\n", device->broken);
	print_status(device);
	if (device->offered) {
		print_features(device, "offered", device->offered);
		print_features(device, "accepted", device->accepted);
		print_refused(device);
	} else {
		printf("  no driver has asked for its features\n");
	}
	print_queues(device);
}

/* ---- -j ---- */

static void print_json_features(const struct virtio_device *device, const char *name, uint64_t bits)
{
	const char *comma = "";
	char text[8];

	printf(",\"%s\":[", name);
	for (unsigned bit = 0; bit < VIRTIO_FEATURES; bit++) {
		if (!(bits >> bit & 1))
			continue;
		printf("%s\"%s\"", comma, feature_name(device, bit, text));
		comma = ",";
	}
	printf("]");
}

static void print_json_refused(const struct virtio_device *device)
{
	uint64_t refused = device->offered & ~device->accepted;
	const char *comma = "";
	char text[8];

	printf(",\"refused\":[");
	for (unsigned bit = 0; bit < VIRTIO_FEATURES; bit++) {
		if (!(refused >> bit & 1))
			continue;
		printf("%s{\"feature\":\"%s\",\"reason\":", comma, feature_name(device, bit, text));
		json_print_string(virtio_refusal_reason(device, bit));
		printf("}");
		comma = ",";
	}
	printf("]");
}

static void print_json_queues(const struct virtio_device *device)
{
	const char *comma = "";

	printf(",\"queues\":[");
	for (unsigned i = 0; i < device->queue_count; i++) {
		const struct virtq *queue = device->queue[i];

		if (!queue)
			continue;
		printf("%s{\"queue\":%u,\"size\":%u,\"in-flight\":%u,\"notifications\":%" PRIu64
		       ",\"broken\":%s}",
		       comma, i, queue->size, queue->in_flight, queue->notifications,
		       virtq_is_broken(queue) ? "true" : "false");
		comma = ",";
	}
	printf("]");
}

static void print_device_json(struct virtio_device *device)
{
	printf("{\"address\":\"%s\",\"name\":\"%s\",\"type\":%u,\"transport\":\"%s\"",
	       device->address, type_name(device->type), device->type, device->transport->name);
	printf(",\"interrupts\":%" PRIu64 ",\"interrupts-by\":", device->interrupt_count);
	json_print_string(*device->interrupts_by ? device->interrupts_by : NULL);
	printf(",\"status\":%u,\"broken\":", device->transport->get_status(device));
	json_print_string(device->broken);
	print_json_features(device, "offered", device->offered);
	print_json_features(device, "accepted", device->accepted);
	print_json_refused(device);
	print_json_queues(device);
	printf("}");
}

static void print_json(void)
{
	const char *comma = "";

	printf("{\"devices\":[");
	for (struct virtio_device *device = virtio_devices(); device; device = device->next) {
		printf("%s", comma);
		print_device_json(device);
		comma = ",";
	}
	printf("]}\n");
}

static int cmd_virtio(int argc, char **argv)
{
	struct virtio_device *device = virtio_devices();

	if (argc == 2 && strcmp(argv[1], "-j") == 0) {
		print_json();
		return 0;
	}
	if (argc != 1)
		return -EINVAL;
	if (!device)
		printf("no virtio devices\n");
	for (; device && !lib_interrupted(); device = device->next) {
		print_device(device);
		task_yield();
	}
	return 0;
}

COMMAND("virtio", "[-j]", "virtio devices, their features and queues",
	"Features are shown as offered, as accepted, and one by one where they\n"
	"were refused, with the reason. With -j: one line of JSON.",
	cmd_virtio);
