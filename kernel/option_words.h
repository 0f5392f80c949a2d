/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words of the kernel's command line: which there are, and what becomes of the
 * others. Every word is accounted for: one that is unknown, has no value, is too long
 * or has a quote that does not end is a mistake, and a line of the log. Some words that
 * loaders add by themselves are passed over (docs/command-line.md has the list).
 */
#ifndef KERNEL_OPTION_WORDS_H
#define KERNEL_OPTION_WORDS_H

#include "kernel/lib/log.h"
#include "kernel/lib/parse.h"
#include "kernel/lib/types.h"

#define OPTION_RUN "run"
#define OPTION_FLOOR "floor"
#define OPTION_STRATEGY "strategy"
#define OPTION_POISON "poison"
#define OPTION_MSIX "virtio.msix"
#define OPTION_REFUSE "virtio.refuse"
#define OPTION_MMIO "virtio_mmio.device"
#define OPTION_POLL "vmware.poll"
#define OPTION_SWAP "swap"
#define OPTION_CACHE "cache"
#define OPTION_VM_IO "vm.io"

/* Room for each one's value, its NUL included; run= may fill the line. */
#define OPTION_FLOOR_MAX FORMAT_SIZE_MAX
#define OPTION_STRATEGY_MAX 32
#define OPTION_POISON_MAX 6
#define OPTION_MSIX_MAX 8
#define OPTION_REFUSE_MAX 256
#define OPTION_MMIO_MAX 80
#define OPTION_POLL_MAX 24
#define OPTION_VM_IO_MAX 16
#define OPTION_SERIAL_MAX 21 /* of a virtio disk: BLOCK_SERIAL_SIZE */

/* Warns of a mistake on the command line and notes it; as log_warn(). */
#define OPTION_MISTAKE(...) \
	do { \
		option_words_note_mistake(); \
		log_warn(__VA_ARGS__); \
	} while (0)

/* Notes a mistake that has been told. */
void option_words_note_mistake(void);

/* Tells whether any mistake was noted. */
bool option_words_have_mistakes(void);

/*
 * Looks at each word's name, and whether it is whole; `cut`: the line was longer than
 * there was room. The values themselves are looked at by those who take them.
 */
void option_words_check(const char *command_line, bool cut);

#endif
