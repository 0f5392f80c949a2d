/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMware's balloon protocol ("vmmemctl"), as numbers. There is no specification: these are those
 * of open-vm-tools (modules/shared/vmmemctl) and of Linux' drivers/misc/vmw_balloon.c.
 *
 * A command is `in eax, dx` (arch/vmware.h) with two arguments. It is obeyed when the instruction
 * ends; the answer is a status, and a result: the target, where the status is VMWARE_SUCCESS.
 * There is no interrupt: the guest asks for the target now and then.
 */
#ifndef DRIVERS_BALLOON_PORT_VMWARE_ABI_H
#define DRIVERS_BALLOON_PORT_VMWARE_ABI_H

/* X(constant, number): commands. Number 5 never was one. */
#define VMWARE_COMMANDS_TABLE(X) \
	X(VMWARE_START, 0)	       /* capabilities wanted; 0: no more of it */ \
	X(VMWARE_GET_TARGET, 1)	       /* frames that the guest has at most */ \
	X(VMWARE_LOCK, 2)	       /* a frame's number */ \
	X(VMWARE_UNLOCK, 3)	       /* likewise */ \
	X(VMWARE_GUEST_ID, 4)	       /* which system it is */ \
	X(VMWARE_BATCHED_LOCK, 6)      /* the batch page's frame, how many entries */ \
	X(VMWARE_BATCHED_UNLOCK, 7)    /* likewise */ \
	X(VMWARE_BATCHED_2M_LOCK, 8)   /* an entry is 512 frames */ \
	X(VMWARE_BATCHED_2M_UNLOCK, 9) /* likewise */ \
	X(VMWARE_DOORBELL_SET, 10)     /* VMCI context, VMCI resource */

/* Names for people are those of the constants, without this. */
#define VMWARE_PREFIX "VMWARE_"

#define VMWARE_COMMAND_CONSTANT(constant, number) constant = (number),
enum vmware_command { VMWARE_COMMANDS_TABLE(VMWARE_COMMAND_CONSTANT) VMWARE_COMMANDS };
#undef VMWARE_COMMAND_CONSTANT

/* Capabilities. Bit 0 stays 0: a forgotten version of the protocol had it. */
enum vmware_capability {
	VMWARE_BASIC = 1 << 1,		  /* LOCK, UNLOCK */
	VMWARE_BATCHED = 1 << 2,	  /* the batch page */
	VMWARE_BATCHED_2M = 1 << 3,	  /* entries of 2 MiB in it */
	VMWARE_SIGNALLED_WAKEUP = 1 << 4, /* DOORBELL_SET */
	VMWARE_64_BIT_TARGET = 1 << 5,	  /* else a target has 32 bits */
};

/* X(constant, status): of a command; all from 0 to 8 may be that of an entry, too. */
#define VMWARE_STATUS_TABLE(X) \
	X(VMWARE_SUCCESS, 0) \
	X(VMWARE_CMD_INVALID, 1) \
	X(VMWARE_PPN_INVALID, 2) \
	X(VMWARE_PPN_LOCKED, 3)	   /* it is in already */ \
	X(VMWARE_PPN_UNLOCKED, 4)  /* it was not in */ \
	X(VMWARE_PPN_PINNED, 5)	   /* the host cannot take this one */ \
	X(VMWARE_PPN_NOTNEEDED, 6) /* the target is reached */ \
	X(VMWARE_RESET, 7)	   /* the host has forgotten the balloon */ \
	X(VMWARE_BUSY, 8) \
	X(VMWARE_SUCCESS_WITH_CAPABILITIES, 0x03000000) /* of START */ \
	X(VMWARE_FAILURE, 0xffffffff)			/* and what nobody answers */

#define VMWARE_STATUS_CONSTANT(constant, status) constant = (status),
enum vmware_status { VMWARE_STATUS_TABLE(VMWARE_STATUS_CONSTANT) };
#undef VMWARE_STATUS_CONSTANT

/*
 * An entry of the batch page, 64 bits: an address, bits that stay 0, and the status, which the
 * host writes. That of FAILURE is its lowest bits.
 */
#define VMWARE_ENTRIES 512
#define VMWARE_ENTRY_STATUS 0x1fu
#define VMWARE_ENTRY_FAILURE (VMWARE_FAILURE & VMWARE_ENTRY_STATUS)

/* GUEST_ID's argument: one of none of the systems that have a number. */
#define VMWARE_GUEST_UNKNOWN 0

#endif
