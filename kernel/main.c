/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the entry to a console, in the order in which it happens. All ways of
 * booting meet in kernel_main().
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/cpu.h"
#include "arch/image.h"
#include "arch/irq.h"
#include "drivers/acpi/acpi.h"
#include "drivers/balloon/balloon.h"
#include "drivers/balloon/port/virtio_balloon.h"
#include "drivers/pci/pci.h"
#include "drivers/pci/pci_hotplug.h"
#include "drivers/pci/pci_intx.h"
#include "drivers/virtio/virtio.h"
#include "kernel/command_line.h"
#include "kernel/console.h"
#include "kernel/lib/log.h"
#include "kernel/lib/parse.h"
#include "kernel/pci_windows.h"
#include "kernel/shell.h"
#include "kernel/show_mem.h"
#include "kernel/system.h"
#include "kernel/task/task.h"
#include "kernel/virtio_mmio_find.h"
#include "mm/frame.h"
#include "mm/ledger.h"
#include "mm/memory.h"
#include "mm/poison.h"

#define EXIT_NO_MEMORY 1

/* Inflation leaves a 64th of RAM free, at least 1 MiB, at most 16 MiB. */
#define FLOOR_SHARE 64
#define FLOOR_MIN (1 * MIB / FRAME_SIZE)
#define FLOOR_MAX (16 * MIB / FRAME_SIZE)

/* An allocation fails for good: a person wants to know where the memory is. */
static void say_out_of_memory(unsigned order)
{
	log_warn("memory: no run of order %u is free", order);
	show_mem();
}

static void start_memory(const struct boot_info *boot)
{
	paddr_t start = (uintptr_t)image_start, end = (uintptr_t)image_end;
	char size[FORMAT_SIZE_MAX];
	int err = memory_init(boot, start, end, cpu_physical_bits());

	if (err == -EINVAL) {
		printf("The memory map has no RAM at %#llx to %#llx, where the kernel lies.\n",
		       (unsigned long long)start, (unsigned long long)end);
		system_exit(EXIT_NO_MEMORY);
	}
	if (err) {
		printf("Aerostat needs a machine with at least 16 MiB of memory; this one has "
		       "%s.\n",
		       format_size(pfn_to_paddr(memory_map()->frames), size));
		system_exit(EXIT_NO_MEMORY);
	}
	frame_set_reclaimer(balloon_reclaim);
	frame_set_failure_hook(say_out_of_memory);
}

static const struct pci_hotplug_ops hotplug_ops = {
	.added = virtio_pci_add,
	.removing = virtio_pci_remove,
};

/* virtio.msix=off on the command line: INTx even where a device could do better. */
static void choose_interrupts(const char *command_line)
{
	char text[8];

	if (!command_line_option(command_line, "virtio.msix", text, sizeof(text)))
		return;
	if (strcmp(text, "off") == 0)
		virtio_pci_refuse_msix();
	else if (strcmp(text, "on") != 0)
		log_warn("virtio: virtio.msix=%s is neither on nor off", text);
}

static void start_pci(const struct boot_info *boot)
{
	struct pci_windows windows;
	paddr_t ecam = 0;
	uint8_t last_bus = 0;

	acpi_init(boot->acpi_rsdp);
	if (acpi_find_ecam(&ecam, &last_bus) || pci_config_use_ecam(ecam, last_bus)) {
		if (pci_config_use_ports()) {
			log_info("pci: none");
			return;
		}
	}
	pci_windows_find(boot, ecam, last_bus, &windows);
	pci_scan(&windows);
	pci_route_intx();
	choose_interrupts(boot->command_line);
	virtio_pci_probe();
	pci_hotplug_start(&hotplug_ops);
}

static uint64_t default_floor(void)
{
	uint64_t share = ledger_managed() / FLOOR_SHARE;

	return share < FLOOR_MIN ? FLOOR_MIN : share > FLOOR_MAX ? FLOOR_MAX : share;
}

/* floor=SIZE, or the default; in frames. */
static uint64_t choose_floor(const char *command_line)
{
	char text[FORMAT_SIZE_MAX];
	uint64_t floor;

	if (!command_line_option(command_line, "floor", text, sizeof(text)))
		return default_floor();
	if (balloon_parse_floor(text, &floor)) {
		log_warn("floor=%s is no size within this memory; write floor=64M", text);
		return default_floor();
	}
	return floor;
}

/* strategy=NAME */
static enum balloon_strategy choose_strategy(const char *command_line)
{
	enum balloon_strategy strategy = BALLOON_AUTO;
	char text[32];

	if (command_line_option(command_line, "strategy", text, sizeof(text)) &&
	    balloon_parse_strategy(text, &strategy))
		log_warn("unknown strategy=%s; choose " BALLOON_STRATEGY_NAMES, text);
	return strategy;
}

/* poison=XX: two hexadecimal digits. */
static bool choose_poison(const char *command_line, uint8_t *byte)
{
	char text[8] = "0x";
	uint64_t value;

	if (!command_line_option(command_line, "poison", text + 2, sizeof(text) - 2))
		return false;
	if (strlen(text) != 4 || parse_u64(text, &value)) {
		log_warn("poison=%s is no byte; write poison=a5", text + 2);
		return false;
	}
	*byte = (uint8_t)value;
	return true;
}

static void start_balloon(const char *command_line)
{
	struct balloon_config config = {
		.floor = choose_floor(command_line),
		.strategy = choose_strategy(command_line),
	};

	config.poison = choose_poison(command_line, &config.poison_byte);
	if (config.poison)
		poison_enable(config.poison_byte);
	balloon_init(&config);
	virtio_balloon_start();
}

/* Break + m: what a person has typed so far stays above. */
static void show_mem_at_once(void)
{
	printf("\n");
	show_mem();
}

/* virtio.refuse=NAME,NAME on the command line: features to do without. */
static void refuse_features(const char *command_line)
{
	char names[256];
	uint64_t features;

	if (!command_line_option(command_line, "virtio.refuse", names, sizeof(names)))
		return;
	if (virtio_parse_features(VIRTIO_ID_BALLOON, names, &features))
		log_warn("virtio: virtio.refuse=%s has an unknown name; "
			 "write virtio.refuse=EVENT_IDX,INDIRECT_DESC",
			 names);
	else
		virtio_refuse_features(features);
}

static void print_banner(const struct boot_info *boot)
{
	char size[FORMAT_SIZE_MAX];

	printf("Aerostat: %s of memory, booted by %s\n",
	       format_size(pfn_to_paddr(ledger_managed()), size), boot->way);
	printf("`help` lists the commands. Under `make run`: Ctrl-A C is QEMU's monitor\n"
	       "(there `balloon 256` leaves the guest 256 MiB), Ctrl-A X leaves.\n");
}

_Noreturn void kernel_main(const struct boot_info *boot)
{
	cpu_init();
	console_init();
	system_init(boot);
	start_memory(boot);
	irq_init();
	task_init();
	clock_init(task_tick);
	console_start();
	console_set_magic(show_mem_at_once);
	irq_enable();
	refuse_features(boot->command_line);
	/* Before there are devices: it gets each of them as soon as it is found. */
	start_balloon(boot->command_line);
	start_pci(boot);
	virtio_mmio_find(boot->command_line);
	print_banner(boot);
	task_create("shell", TASK_PRIORITY_SHELL, shell_task,
		    (void *)(uintptr_t)boot->command_line);
	task_idle();
}
