/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's image in memory, and where all ways of booting enter the kernel. */
#ifndef ARCH_IMAGE_H
#define ARCH_IMAGE_H

#include "arch/boot_info.h"

/* From linker.ld: only their addresses mean something. All are physical. */
extern char image_start[], text_end[], data_start[], image_end[];

/* Runs the kernel, in kernel/main.c. `boot` must stay where it is. */
_Noreturn void kernel_main(const struct boot_info *boot);

#endif
