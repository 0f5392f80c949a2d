/* SPDX-License-Identifier: BSD-2-Clause */
/* fw_cfg.c: files that QEMU's `-fw_cfg name=,string=` gives (its docs/specs/fw_cfg). */
#ifndef TESTS_HYPERVISOR_FW_CFG_H
#define TESTS_HYPERVISOR_FW_CFG_H

#include <stddef.h>

/* Reads a file as a text with its NUL, cut to `size` bytes; an empty one if it is not there. */
void fw_cfg_read(const char *name, char *text, size_t size);

#endif
