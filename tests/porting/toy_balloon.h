/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * toy_balloon.c: the smallest balloon device: registers of virtio over MMIO (virtio
 * 1.3, 4.2), split rings, queues to inflate and deflate. It is a thread, and what it
 * was given it takes away for real: touching that memory ends the process.
 */
#ifndef TESTS_PORTING_TOY_BALLOON_H
#define TESTS_PORTING_TOY_BALLOON_H

#include <stdint.h>

#define TOY_PADDR UINT64_C(0xfeb00000)
#define TOY_SIZE 0x200
#define TOY_GSI 5

/* Where the registers seem to lie: only addresses in it mean something. */
extern char toy_window[TOY_SIZE];

/* Read and write a register of 32 bits; from any thread. */
uint32_t toy_read(const void *reg);
void toy_write(void *reg, uint32_t value);

/* Plugs it in: its thread starts. */
void toy_start(void);

/* Asks the driver for so many frames. Not from the device's thread. */
void toy_set_target(uint32_t frames);

/* Frames that it has, and what the driver last said how many those are. */
uint64_t toy_frames(void);
uint32_t toy_actual(void);

#endif
