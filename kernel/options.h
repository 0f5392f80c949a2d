/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's options, words of its command line. A value that makes no sense
 * is named in the log, and the default is used. Not here: run= (shell_task.c) and
 * virtio_mmio.device= (virtio_mmio_find.c); which words there are is in option_words.h.
 */
#ifndef KERNEL_OPTIONS_H
#define KERNEL_OPTIONS_H

#include "drivers/balloon/balloon_settings.h"
#include "kernel/lib/types.h"
#include "kernel/vm/vm.h"

/* Fills `config` from floor=, strategy= and poison=. After memory is known. */
void options_fill_balloon(const char *command_line, struct balloon_config *config);

/* Returns how often VMware is asked for its target, in ns: vmware.poll=, or a second. */
uint64_t options_vmware_poll(const char *command_line);

/*
 * Tells virtio of virtio.refuse= and virtio.msix=. After the balloon's driver, which
 * has the names of its features; before any device is found.
 */
void options_tell_virtio(const char *command_line);

/* Fills `config` from swap=, cache= and vm.io=. */
void options_fill_vm(const char *command_line, struct vm_config *config);

#endif
