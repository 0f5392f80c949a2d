/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's image for host tests: addresses, where nothing is. */
#ifndef ARCH_IMAGE_H
#define ARCH_IMAGE_H

#include "arch/boot_info.h"

#define image_start ((char *)0x200000)
#define text_end ((char *)0x210123)
#define data_start ((char *)0x213000)
#define image_end ((char *)0x231000)

#endif
