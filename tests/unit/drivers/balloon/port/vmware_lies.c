/* SPDX-License-Identifier: BSD-2-Clause */
/* The table; see vmware_lies.h. */
#include "tests/unit/drivers/balloon/port/vmware_lies.h"

#include "drivers/balloon/port/vmware_abi.h"
#include "kernel/lib/types.h"

#define VALUES(array) .values = (array), .value_count = ARRAY_SIZE(array)
#define NOT_START (~COMMAND_BIT(START))
#define BATCHES ((LOCK_BITS | UNLOCK_BITS) & ~(COMMAND_BIT(LOCK) | COMMAND_BIT(UNLOCK)))

/* Clear words: nothing was done. */
static const uint64_t refusals[] = { VMWARE_CMD_INVALID,   VMWARE_PPN_INVALID, VMWARE_PPN_PINNED,
				     VMWARE_PPN_NOTNEEDED, VMWARE_BUSY,	       VMWARE_FAILURE };
static const uint64_t pins[] = { VMWARE_PPN_INVALID, VMWARE_PPN_PINNED };

/* Not clear: so nobody uses the frame. */
static const uint64_t unknown[] = { 9, 15, 30 };
static const uint64_t unknown_of_all[] = { 9, 30, 31, 32, 0x4242, 0x03000000, 0x80000000 };

static const uint64_t unknown_of_start[] = { 9, 31, 0x4242, 0x03000001, 0x80000000 };

static const uint64_t targets[] = {
	0, 1, 511, 513, 4096, UINT32_MAX, UINT64_C(1) << 40, UINT64_MAX
};
static const uint64_t addresses[] = { UINT64_C(1) << 12, UINT64_C(1) << 21, UINT64_C(1) << 33,
				      UINT64_C(1) << 63, ~UINT64_C(0xfff) };
static const uint64_t words[] = { 0xfff, 0x1f, 0x3, 0x4, 0xffffffff, UINT64_MAX };
static const uint64_t capabilities[] = { 0, 1, 0x8, 0x10, 0x20, 0x2f, 0xffffffff };

/* clang-format off */
const struct vmware_lie_row vmware_lies[] = {
	{ "no lie",
	  .lie = { .kind = VMWARE_LIE_NONE }, .must_go_on = true },
	{ "one command is refused",
	  .lie = { .kind = VMWARE_LIE_REFUSES, .commands = NOT_START, .times = 1 },
	  VALUES(refusals), .must_go_on = true },
	{ "each third command is refused",
	  .lie = { .kind = VMWARE_LIE_REFUSES, .every = 3 },
	  VALUES(refusals) },
	{ "all commands are refused",
	  .lie = { .kind = VMWARE_LIE_REFUSES },
	  VALUES(refusals) },
	{ "all commands but START are refused",
	  .lie = { .kind = VMWARE_LIE_REFUSES, .commands = NOT_START },
	  VALUES(refusals) },
	{ "frames do not go",
	  .lie = { .kind = VMWARE_LIE_REFUSES, .commands = LOCK_BITS },
	  VALUES(refusals), .must_go_on = true },
	{ "frames do not come back",
	  .lie = { .kind = VMWARE_LIE_REFUSES, .commands = UNLOCK_BITS },
	  VALUES(refusals), .must_go_on = true },
	{ "the target is not told",
	  .lie = { .kind = VMWARE_LIE_REFUSES, .commands = COMMAND_BIT(GET_TARGET) },
	  VALUES(refusals) },
	{ "nobody wants to know who the guest is",
	  .lie = { .kind = VMWARE_LIE_REFUSES, .commands = COMMAND_BIT(GUEST_ID) },
	  VALUES(refusals), .must_go_on = true },
	{ "unknown statuses, and nothing is done",
	  .lie = { .kind = VMWARE_LIE_REFUSES, .commands = NOT_START },
	  VALUES(unknown_of_all), .lenient = true },
	{ "unknown statuses, and all is done",
	  .lie = { .kind = VMWARE_LIE_PRETENDS, .commands = NOT_START },
	  VALUES(unknown_of_all), .lenient = true },
	{ "unknown statuses of START",
	  .lie = { .kind = VMWARE_LIE_REFUSES, .commands = COMMAND_BIT(START) },
	  VALUES(unknown_of_start) },
	{ "RESET at one command",
	  .lie = { .kind = VMWARE_LIE_FORGETS, .times = 1 }, .must_go_on = true },
	{ "RESET at each seventh command",
	  .lie = { .kind = VMWARE_LIE_FORGETS, .every = 7 } },
	{ "RESET at each command",
	  .lie = { .kind = VMWARE_LIE_FORGETS }, .must_break = true },
	{ "RESET at each command but START",
	  .lie = { .kind = VMWARE_LIE_FORGETS, .commands = NOT_START }, .must_break = true },
	{ "RESET of what was just done",
	  .lie = { .kind = VMWARE_LIE_FORGETS_LATE, .commands = LOCK_BITS | UNLOCK_BITS,
		   .times = 3 }, .must_go_on = true },
	{ "a target that moves at one command",
	  .lie = { .kind = VMWARE_LIE_TARGET, .times = 1 },
	  VALUES(targets), .must_go_on = true },
	{ "a target that is another at each second command",
	  .lie = { .kind = VMWARE_LIE_RESULT, .commands = NOT_START, .every = 2 },
	  VALUES(targets), .must_go_on = true },
	{ "each third frame is refused",
	  .lie = { .kind = VMWARE_LIE_ONE_REFUSED, .commands = LOCK_BITS, .every = 3 },
	  VALUES(refusals), .must_go_on = true },
	{ "all frames are refused",
	  .lie = { .kind = VMWARE_LIE_ONE_REFUSED, .commands = LOCK_BITS },
	  VALUES(pins), .must_go_on = true },
	{ "each third frame does not come back",
	  .lie = { .kind = VMWARE_LIE_ONE_REFUSED, .commands = UNLOCK_BITS, .every = 3 },
	  VALUES(refusals), .must_go_on = true },
	{ "no frame comes back",
	  .lie = { .kind = VMWARE_LIE_ONE_REFUSED, .commands = UNLOCK_BITS },
	  VALUES(pins), .must_go_on = true },
	{ "frames that are said to be in already",
	  .lie = { .kind = VMWARE_LIE_ONE_REFUSED, .commands = LOCK_BITS, .every = 2,
		   .value = VMWARE_PPN_LOCKED }, .lenient = true, .must_go_on = true },
	{ "frames that are said not to have been in, and come back",
	  .lie = { .kind = VMWARE_LIE_ONE_PRETENDED, .commands = UNLOCK_BITS, .every = 2,
		   .value = VMWARE_PPN_UNLOCKED }, .must_go_on = true },
	{ "entries with unknown statuses, of which nothing is done",
	  .lie = { .kind = VMWARE_LIE_ONE_REFUSED, .commands = BATCHES, .every = 5 },
	  VALUES(unknown), .lenient = true, .must_go_on = true },
	{ "entries with unknown statuses, of which all is done",
	  .lie = { .kind = VMWARE_LIE_ONE_PRETENDED, .commands = BATCHES, .every = 5 },
	  VALUES(unknown), .lenient = true, .must_go_on = true },
	{ "an address in the batch page is another",
	  .lie = { .kind = VMWARE_LIE_ADDRESS, .commands = BATCHES, .times = 1 },
	  VALUES(addresses), .lenient = true, .must_break = true },
	{ "all addresses in the batch page are others",
	  .lie = { .kind = VMWARE_LIE_ADDRESS, .commands = BATCHES },
	  VALUES(addresses), .lenient = true, .must_break = true },
	{ "words in the batch page that are anything",
	  .lie = { .kind = VMWARE_LIE_ADDRESS, .commands = BATCHES, .every = 3 },
	  VALUES(words), .blind = true },
	{ "frames that are taken, and said to be refused",
	  .lie = { .kind = VMWARE_LIE_ONE_PRETENDED, .commands = LOCK_BITS, .every = 2 },
	  VALUES(refusals), .blind = true },
	{ "frames that are kept, and said to be given back",
	  .lie = { .kind = VMWARE_LIE_ONE_REFUSED, .commands = UNLOCK_BITS, .every = 2 },
	  .blind = true, .must_go_on = true },
	{ "capabilities that are none, or not common",
	  .lie = { .kind = VMWARE_LIE_RESULT, .commands = COMMAND_BIT(START) },
	  VALUES(capabilities), .blind = true },
};
/* clang-format on */
const size_t vmware_lie_count = ARRAY_SIZE(vmware_lies);
