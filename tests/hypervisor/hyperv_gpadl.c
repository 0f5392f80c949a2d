/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of frames; see hyperv_gpadl.h. */
#include "tests/hypervisor/hyperv_gpadl.h"

#include <string.h>

#include "tests/hypervisor/hyperv_host.h"
#include "tests/hypervisor/personality.h"

#define LISTS 8
#define FRAMES_MAX 512

struct list {
	uint32_t gpadl; /* 0: nobody's */
	uint32_t relid;
	uint32_t count; /* of frames that there will be */
	uint32_t have;
	uint64_t frame[FRAMES_MAX];
};

static struct list lists[LISTS];

static struct list *find(uint32_t gpadl)
{
	for (size_t i = 0; i < LISTS; i++)
		if (lists[i].gpadl == gpadl)
			return &lists[i];
	return NULL;
}

/* The frames of one message: as many as it has room for, or as are still missing. */
static bool add(struct list *list, const void *frames, uint32_t bytes, uint32_t most)
{
	uint32_t count = bytes / sizeof(list->frame[0]), missing = list->count - list->have;

	if (count > most)
		count = most;
	if (count > missing)
		count = missing;
	if (count < missing && count < most) {
		machine_violate("a message of a GPADL has fewer frames than it could");
		return false;
	}
	for (uint32_t i = 0; i < count; i++) {
		uint64_t *frame = &list->frame[list->have++];

		memcpy(frame, (const uint8_t *)frames + i * sizeof(*frame), sizeof(*frame));
		if (!machine_is_ram(*frame, 1)) {
			machine_violate("a GPADL has a frame that is no RAM");
			return false;
		}
	}
	return true;
}

static bool is_sound(const struct vmbus_gpadl_header *message)
{
	uint32_t frames = (uint32_t)(message->range_bytes - sizeof(uint64_t)) / sizeof(uint64_t);

	return message->gpadl != 0 && message->range_count == 1 && message->byte_offset == 0 &&
	       message->byte_count != 0 && message->byte_count % FRAME_BYTES == 0 &&
	       message->range_bytes > sizeof(uint64_t) &&
	       frames == message->byte_count / FRAME_BYTES && frames <= FRAMES_MAX;
}

bool gpadl_begin(const struct vmbus_gpadl_header *message, uint32_t bytes)
{
	struct list *list;

	if (!is_sound(message)) {
		machine_violate("a GPADL's header contradicts itself");
		return false;
	}
	if (find(message->gpadl)) {
		machine_violate("a GPADL has the number of another one");
		return false;
	}
	list = find(0);
	if (!list) {
		machine_violate("there are more GPADLs than any guest needs");
		return false;
	}
	list->gpadl = message->gpadl;
	list->relid = message->relid;
	list->count = message->byte_count / FRAME_BYTES;
	list->have = 0;
	if (!add(list, (const uint8_t *)message + offsetof(struct vmbus_gpadl_header, frame),
		 bytes - (uint32_t)offsetof(struct vmbus_gpadl_header, frame),
		 VMBUS_GPADL_HEADER_FRAMES)) {
		list->gpadl = 0;
		return false;
	}
	return list->have == list->count;
}

bool gpadl_go_on(const struct vmbus_gpadl_body *message, uint32_t bytes, uint32_t *relid)
{
	struct list *list = message->gpadl ? find(message->gpadl) : NULL;

	if (!list || list->have == list->count) {
		machine_violate("a body without a GPADL that it belongs to");
		return false;
	}
	if (!add(list, message->frame, bytes - (uint32_t)offsetof(struct vmbus_gpadl_body, frame),
		 VMBUS_GPADL_BODY_FRAMES)) {
		list->gpadl = 0;
		return false;
	}
	*relid = list->relid;
	return list->have == list->count;
}

const uint64_t *gpadl_frames(uint32_t relid, uint32_t gpadl, uint32_t *count)
{
	const struct list *list = gpadl ? find(gpadl) : NULL;

	if (!list || list->relid != relid || list->have < list->count)
		return NULL;
	*count = list->count;
	return list->frame;
}

bool gpadl_forget(uint32_t gpadl)
{
	struct list *list = gpadl ? find(gpadl) : NULL;

	if (list)
		list->gpadl = 0;
	return list;
}

void gpadl_forget_of(uint32_t relid)
{
	for (size_t i = 0; i < LISTS; i++)
		if (lists[i].relid == relid)
			lists[i].gpadl = 0;
}

void gpadl_forget_all(void)
{
	for (size_t i = 0; i < LISTS; i++)
		lists[i].gpadl = 0;
}
