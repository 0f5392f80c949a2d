/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * balloon: first as /sys/kernel/debug/virtio-balloon on Linux shows it, then
 * what else there is to know.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "drivers/balloon/balloon.h"
#include "drivers/virtio/virtio.h"
#include "kernel/lib/command.h"
#include "kernel/lib/parse.h"
#include "mm/ledger.h"

static uint64_t kb(uint64_t frames)
{
	return frames * (FRAME_SIZE / KIB);
}

static void print_features(uint64_t features)
{
	printf("Features:");
	for (unsigned bit = 0; bit < VIRTIO_FEATURES; bit++) {
		const char *name = virtio_feature_name(VIRTIO_ID_BALLOON, bit);

		if (features >> bit & 1)
			printf(" %s", name ? name : "?");
	}
	printf("%s\n", features == 0 ? " none" : "");
}

static void print_status(const struct balloon_status *s)
{
	uint64_t ballooned = ledger_count(OWNER_BALLOON);

	printf("InflatedTotal: %" PRIu64 " kB\n", s->deflate_on_oom ? 0 : kb(ballooned));
	printf("InflatedFree: %" PRIu64 " kB\n", s->deflate_on_oom ? kb(ballooned) : 0);
	printf("Target: %" PRIu64 " kB\n", kb(s->target));
	printf("Actual: %" PRIu64 " kB\n", kb(s->actual));
	printf("Shortfall: %" PRIu64 " kB\n", kb(s->shortfall));
	printf("Floor: %" PRIu64 " kB\n", kb(s->floor));
	printf("Inflated: %" PRIu64 " frames in %" PRIu64 " requests\n", s->inflated,
	       s->inflate_requests);
	printf("Deflated: %" PRIu64 " frames in %" PRIu64 " requests\n", s->deflated,
	       s->deflate_requests);
	printf("Writes of actual: %" PRIu64 "\n", s->actual_writes);
	printf("Given back for want of memory: %" PRIu64 " frames in %" PRIu64 " events\n",
	       s->oom_frames, s->oom_events);
	print_features(s->features);
	if (s->broken)
		printf("BROKEN: %s\n", s->broken);
}

static int set_floor(const char *text)
{
	uint64_t bytes;

	if (parse_size(text, &bytes)) {
		printf("balloon: %s is no size; write 64M, 1G or a number of bytes\n", text);
		return -ERANGE;
	}
	balloon_set_floor((bytes >> FRAME_SHIFT) + (bytes % FRAME_SIZE != 0));
	return 0;
}

static int cmd_balloon(int argc, char **argv)
{
	struct balloon_status status;

	balloon_status(&status);
	if (!status.present) {
		printf("balloon: the machine has no usable balloon device\n");
		return -ENODEV;
	}
	if (argc == 3 && strcmp(argv[1], "floor") == 0)
		return set_floor(argv[2]);
	if (argc != 1)
		return -EINVAL;
	print_status(&status);
	return 0;
}
COMMAND("balloon", "[floor SIZE]", "the balloon's state",
	"Target, actual, shortfall: memory taken from the guest.\n"
	"balloon floor SIZE: inflation leaves at least this much memory free.",
	cmd_balloon);
