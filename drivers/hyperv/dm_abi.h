/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hyper-V's dynamic memory: the messages of its VMBus channel. Little-endian. A page is 4 KiB.
 * What the host writes is input.
 */
#ifndef DRIVERS_HYPERV_DM_ABI_H
#define DRIVERS_HYPERV_DM_ABI_H

#include <stddef.h>
#include <stdint.h>

/* 525074dc-8985-46e2-8057-a307dc18a502, as it is on the wire. */
#define DM_GUID \
	{ \
		{ \
			0xdc, 0x74, 0x50, 0x52, 0x85, 0x89, 0xe2, 0x46, 0x80, 0x57, 0xa3, 0x07, \
				0xdc, 0x18, 0xa5, 0x02 \
		} \
	}

#define DM_MESSAGE_MAX 4096

#define DM_VERSION(major, minor) ((uint32_t)(major) << 16 | (minor))

enum dm_type {
	DM_VERSION_REQUEST = 1,
	DM_VERSION_RESPONSE = 2, /* host */
	DM_CAPABILITIES = 3,
	DM_CAPABILITIES_RESPONSE = 4, /* host */
	DM_STATUS = 5,
	DM_BALLOON = 6, /* host: give so many pages on top */
	DM_BALLOON_RESPONSE = 7,
	DM_UNBALLOON = 8, /* host: these pages are yours again */
	DM_UNBALLOON_RESPONSE = 9,
	DM_HOT_ADD = 10, /* host */
	DM_HOT_ADD_RESPONSE = 11,
	DM_INFO = 12, /* host */
};

struct dm_header {
	uint16_t type;
	uint16_t size; /* with the header */
	uint32_t transaction;
};

#define DM_LAST_ATTEMPT 1

struct dm_version_request {
	struct dm_header header;
	uint32_t version;
	uint32_t flags;
};

#define DM_ACCEPTED 1

struct dm_version_response {
	struct dm_header header;
	uint64_t flags;
};

#define DM_CAP_BALLOON (UINT64_C(1) << 0)
#define DM_CAP_HOT_ADD (UINT64_C(1) << 1)
#define DM_CAP_ALIGNMENT_SHIFT 2 /* 5:2: hot add is aligned to 2^n MiB */

struct dm_capabilities {
	struct dm_header header;
	uint64_t flags;
	uint64_t pages_min;
	uint64_t page_max;
};

#define DM_CAP_HOT_REMOVE (UINT64_C(1) << 1)
#define DM_CAP_NO_REPORTS (UINT64_C(1) << 2) /* the host does not want STATUS */

struct dm_capabilities_response {
	struct dm_header header;
	uint64_t flags; /* DM_ACCEPTED, too */
};

struct dm_status {
	struct dm_header header;
	uint64_t available; /* pages, as all of these */
	uint64_t committed;
	uint64_t page_file;
	uint64_t zero_free;
	uint32_t page_file_writes;
	uint32_t io_difference;
};

struct dm_balloon {
	struct dm_header header;
	uint32_t pages;
	uint32_t reserved;
};

/* A run of pages: the first in 39:0, their number in 63:40. */
#define DM_RANGE_FIRST_BITS 40
#define DM_RANGE_COUNT_MAX ((UINT64_C(1) << 24) - 1)

#define DM_MORE 1 /* this is not the last message of the answer, or of the request */
#define DM_COUNT_SHIFT 1

struct dm_balloon_response {
	struct dm_header header;
	uint32_t reserved;
	uint32_t more_and_count; /* DM_MORE, and the number of ranges << DM_COUNT_SHIFT */
	uint64_t range[];
};

struct dm_unballoon {
	struct dm_header header;
	uint32_t more; /* DM_MORE */
	uint32_t range_count;
	uint64_t range[];
};

#define DM_RANGES_MAX ((DM_MESSAGE_MAX - sizeof(struct dm_balloon_response)) / sizeof(uint64_t))

/* UNBALLOON_RESPONSE is a header alone. */

struct dm_hot_add {
	struct dm_header header;
	uint64_t range;
	uint64_t region; /* that it lies in; only where header.size says that it is there */
};

/* Pages and DONE: that many came. None and DONE: never ask again. None and not: later, perhaps. */
#define DM_HOT_ADD_DONE 1

struct dm_hot_add_response {
	struct dm_header header;
	uint32_t pages;
	uint32_t result;
};

enum dm_info_type {
	DM_INFO_PAGES_MAX = 0,
};

struct dm_info {
	struct dm_header header;
	uint32_t reserved;
	uint32_t size; /* of what follows */
	uint32_t type;
	uint32_t value_size;
	uint64_t value; /* PAGES_MAX: the most pages that the guest may ever have */
};

_Static_assert(sizeof(struct dm_version_request) == 16, "struct dm_version_request");
_Static_assert(sizeof(struct dm_capabilities) == 32, "struct dm_capabilities");
_Static_assert(sizeof(struct dm_status) == 48, "struct dm_status");
_Static_assert(sizeof(struct dm_balloon) == 16, "struct dm_balloon");
_Static_assert(sizeof(struct dm_balloon_response) == 16, "struct dm_balloon_response");
_Static_assert(sizeof(struct dm_unballoon) == 16, "struct dm_unballoon");
_Static_assert(sizeof(struct dm_hot_add) == 24, "struct dm_hot_add");
_Static_assert(sizeof(struct dm_hot_add_response) == 16, "struct dm_hot_add_response");
_Static_assert(sizeof(struct dm_info) == 32, "struct dm_info");
_Static_assert(DM_RANGES_MAX == 510, "510 ranges a message");

#endif
