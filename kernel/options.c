/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the balloon, of virtio and of kernel/vm on the kernel's command line. */
#include "kernel/options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "drivers/balloon/port/vmware_balloon.h"
#include "drivers/virtio/virtio.h"
#include "drivers/virtio/virtio_feature_names.h"
#include "drivers/virtio/virtio_pci.h"
#include "kernel/command_line.h"
#include "kernel/lib/parse.h"
#include "kernel/option_words.h"
#include "mm/ledger.h"

_Static_assert(OPTION_SERIAL_MAX == BLOCK_SERIAL_SIZE, "option_words.h");

/* Inflation leaves a 64th of RAM free, at least 1 MiB, at most 16 MiB. */
#define FLOOR_SHARE 64
#define FLOOR_MIN (1 * MIB / FRAME_SIZE)
#define FLOOR_MAX (16 * MIB / FRAME_SIZE)

static uint64_t default_floor(void)
{
	uint64_t share = ledger_managed() / FLOOR_SHARE;

	return min_u64(max_u64(share, FLOOR_MIN), FLOOR_MAX);
}

/* Whether there is a value; one that is empty or too long has been told. */
static bool get_value(const char *command_line, const char *name, char *text, size_t size)
{
	return command_line_option(command_line, name, text, size) && text[0];
}

/* floor=SIZE */
static uint64_t choose_floor(const char *command_line)
{
	uint64_t frames = default_floor();
	char text[OPTION_FLOOR_MAX];

	if (get_value(command_line, OPTION_FLOOR, text, sizeof(text)) &&
	    balloon_parse_floor(text, &frames))
		OPTION_MISTAKE("floor=%s is no size within this memory; write floor=64M", text);
	return frames;
}

/* strategy=NAME */
static enum balloon_strategy choose_strategy(const char *command_line)
{
	enum balloon_strategy strategy = BALLOON_AUTO;
	char text[OPTION_STRATEGY_MAX];

	if (get_value(command_line, OPTION_STRATEGY, text, sizeof(text)) &&
	    balloon_parse_strategy(text, &strategy))
		OPTION_MISTAKE("unknown strategy %s; choose %s", text, balloon_strategy_names());
	return strategy;
}

/* poison=XX: two hexadecimal digits. */
static bool choose_poison(const char *command_line, uint8_t *byte)
{
	char text[2 + OPTION_POISON_MAX] = "0x";
	uint64_t value;

	if (!get_value(command_line, OPTION_POISON, text + 2, OPTION_POISON_MAX))
		return false;
	if (strlen(text) != 4 || parse_u64(text, &value)) {
		OPTION_MISTAKE("poison=%s is no byte; write poison=a5", text + 2);
		return false;
	}
	*byte = (uint8_t)value;
	return true;
}

/* virtio.refuse=NAME,NAME: features to do without. */
static void refuse_features(const char *command_line)
{
	char names[OPTION_REFUSE_MAX];
	uint64_t features;

	if (!get_value(command_line, OPTION_REFUSE, names, sizeof(names)))
		return;
	if (virtio_parse_features(VIRTIO_ID_BALLOON, names, &features))
		OPTION_MISTAKE("virtio: virtio.refuse=%s has an unknown name; "
			       "write virtio.refuse=EVENT_IDX,INDIRECT_DESC",
			       names);
	else
		virtio_refuse_features(features);
}

/* virtio.msix=off: INTx even where a device could do better. */
static void choose_interrupts(const char *command_line)
{
	char text[OPTION_MSIX_MAX];

	if (!get_value(command_line, OPTION_MSIX, text, sizeof(text)))
		return;
	if (strcmp(text, "off") == 0)
		virtio_pci_refuse_msix();
	else if (strcmp(text, "on") != 0)
		OPTION_MISTAKE("virtio: virtio.msix=%s is unknown; choose on or off", text);
}

/* vmware.poll=SECONDS */
uint64_t options_vmware_poll(const char *command_line)
{
	uint64_t ns = VMWARE_BALLOON_POLL_NS, wanted;
	char text[OPTION_POLL_MAX];

	if (!get_value(command_line, OPTION_POLL, text, sizeof(text)))
		return ns;
	if (!parse_seconds(text, &wanted) && wanted >= VMWARE_BALLOON_POLL_MIN_NS &&
	    wanted <= VMWARE_BALLOON_POLL_MAX_NS)
		return wanted;
	OPTION_MISTAKE("vmware.poll=%s is no time from 0.001 to 60 seconds; write vmware.poll=0.5",
		       text);
	return ns;
}

/* vm.io=lockstep: one request at a time, and nothing else meanwhile. */
static bool choose_lockstep(const char *command_line)
{
	char text[OPTION_VM_IO_MAX];

	if (!get_value(command_line, OPTION_VM_IO, text, sizeof(text)))
		return false;
	if (strcmp(text, "lockstep") != 0 && strcmp(text, "overlapped") != 0)
		OPTION_MISTAKE("vm: vm.io=%s is unknown; choose overlapped or lockstep", text);
	return strcmp(text, "lockstep") == 0;
}

void options_fill_vm(const char *command_line, struct vm_config *config)
{
	*config = (struct vm_config){ .lockstep = choose_lockstep(command_line) };
	get_value(command_line, OPTION_SWAP, config->swap, sizeof(config->swap));
	get_value(command_line, OPTION_CACHE, config->cache, sizeof(config->cache));
}

void options_tell_virtio(const char *command_line)
{
	refuse_features(command_line);
	choose_interrupts(command_line);
}

void options_fill_balloon(const char *command_line, struct balloon_config *config)
{
	config->floor = choose_floor(command_line);
	config->strategy = choose_strategy(command_line);
	config->poison = choose_poison(command_line, &config->poison_byte);
}
