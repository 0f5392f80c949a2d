/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the entry to a console, in the order in which it happens: read from
 * kernel_main(), at the end, where all ways of booting meet.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "arch/clock.h"
#include "arch/cpu.h"
#include "arch/hyperv.h"
#include "arch/image.h"
#include "arch/irq.h"
#include "arch/vmware.h"
#include "arch/xen.h"
#include "drivers/balloon/balloon.h"
#include "drivers/balloon/port/hyperv_balloon.h"
#include "drivers/balloon/port/virtio_balloon.h"
#include "drivers/balloon/port/vmware_balloon.h"
#include "drivers/block/block.h"
#include "drivers/hyperv/vmbus.h"
#include "drivers/mem/virtio_mem.h"
#include "kernel/command_line.h"
#include "kernel/console.h"
#include "kernel/devices.h"
#include "kernel/lib/hooks.h"
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/parse.h"
#include "kernel/machine.h"
#include "kernel/option_words.h"
#include "kernel/options.h"
#include "kernel/poison_task.h"
#include "kernel/pressure.h"
#include "kernel/shell.h"
#include "kernel/show_mem.h"
#include "kernel/system.h"
#include "kernel/task/task.h"
#include "kernel/vm/vm.h"
#include "kernel/xen_task.h"
#include "mm/frame.h"
#include "mm/ledger.h"
#include "mm/memory.h"
#include "mm/poison.h"

#define EXIT_NO_MEMORY 1

static void begin_panic(void)
{
	irq_disable();
	console_use_polling();
}

static const struct panic_hooks panic_hooks = {
	.begin = begin_panic,
	.backtrace = cpu_backtrace,
	.symbol = symbol_find,
	.last_words = show_mem,
	.halt = system_panicked,
};

/* Gives the floors below what they call without knowing it. */
static void set_hooks(void)
{
	panic_set_hooks(&panic_hooks);
	lib_set_console(console_write);
	lib_set_clock(clock_ns);
	lib_set_interrupted(console_interrupted);
}

/* Reclaiming did not help either: a person wants to know where the memory is. */
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
		printf("The memory map has no RAM at %#" PRIx64 " to %#" PRIx64
		       ", where the kernel lies.\n",
		       start, end);
		system_exit(EXIT_NO_MEMORY);
	}
	if (err) {
		printf("Aerostat needs a machine with at least 16 MiB of memory; this one has "
		       "%s.\n",
		       format_size(pfn_to_paddr(memory_map()->frames), size));
		system_exit(EXIT_NO_MEMORY);
	}
	frame_set_reclaimer(pressure_reclaim);
	frame_set_failure_hook(say_out_of_memory);
}

/* Before any of it is read. */
static void check_command_line(char *command_line, bool cut)
{
	if (cut)
		command_line_drop_last_word(command_line);
	option_words_check(command_line, cut);
}

static bool poison; /* free memory is to be full of one byte */

static void start_balloon(const char *command_line)
{
	struct balloon_config config;

	options_fill_balloon(command_line, &config);
	poison = config.poison;
	if (poison)
		poison_enable(config.poison_byte);
	balloon_init(&config);
	virtio_balloon_start();
}

static void start_vmbus(void)
{
	int err;

	hyperv_balloon_start();
	err = vmbus_start();
	if (err && err != -ENODEV)
		log_warn("vmbus: Hyper-V's channels cannot be used: error %d", -err);
}

static void start_vm(const char *command_line)
{
	struct vm_config config;

	options_fill_vm(command_line, &config);
	vm_start(&config, show_mem);
}

static const struct xen_task_ops xen_ops = {
	.power_off = system_power_off,
	.reboot = system_reboot,
};

/* What uses memory in earnest begins when it is known how much there is. */
static void shell_start(void *command_line)
{
	xen_task_wait_for_memory();
	vm_wait_for_disks();
	if (poison)
		poison_task_start();
	shell_task(command_line);
}

/* What the machine was started with, and what has come on top of it. */
static void print_banner(const struct boot_info *boot)
{
	uint64_t booted = memory_map()->frames, come = ledger_managed() - booted;
	char size[FORMAT_SIZE_MAX];

	printf("Aerostat " AEROSTAT_VERSION ": %s of memory",
	       format_size(pfn_to_paddr(booted), size));
	if (come > 0)
		printf(" and %s plugged in", format_size(pfn_to_paddr(come), size));
	printf(", booted by %s\n", boot->way);
	printf("`help` lists the commands.");
	/* A guest of Xen is started otherwise, and these balloons are not QEMU's. */
	if (vmware_is_there() || hyperv_is_there())
		printf(" Under `make run`: Ctrl-A C is QEMU's monitor, Ctrl-A X leaves.");
	else if (!xen_is_there())
		printf(" Under `make run`: Ctrl-A C is QEMU's monitor\n"
		       "(there `balloon 256` leaves the guest 256 MiB), Ctrl-A X leaves.");
	putchar('\n');
}

_Noreturn void kernel_main(const struct boot_info *boot)
{
	char *command_line = (char *)(uintptr_t)boot->command_line;
	struct clock_references references;

	set_hooks();			     /* text and panics have somewhere to go */
	cpu_init();			     /* exceptions end in a panic */
	console_init();			     /* output, by polling */
	system_init(boot);		     /* what `boot` shows */
	start_memory(boot);		     /* every frame has an owner */
	irq_init();			     /* lines, all masked */
	task_init();			     /* from here on this is the idle task */
	machine_find(boot, &references);     /* ACPI's tables, I/O APICs, counters */
	clock_init(&references, task_alarm); /* time */
	xen_task_init();		     /* events, if Xen is there */
	console_start();		     /* input, and output in the background */
	console_set_magic(show_mem_at_once); /* Break + m */
	irq_enable();			     /* alarms and keys come */
	check_command_line(command_line, boot->command_line_cut);
	start_balloon(boot->command_line); /* it waits for its device */
	virtio_mem_start();		   /* so does memory that comes and goes */
	block_start();			   /* and so do disks */
	start_vm(boot->command_line);	   /* what lies on disks is memory, too */
	pressure_start();		   /* how short of memory it is, from here on */
	options_tell_virtio(boot->command_line);
	devices_find(boot); /* which may be among these, or come later */
	virtio_mem_begin(); /* memory comes as the host wishes */
	xen_task_start(&xen_ops);
	/* The hypervisor's own balloon, beside a virtio one that may be there. */
	vmware_balloon_start(options_vmware_poll(boot->command_line));
	start_vmbus();	    /* so do Hyper-V's balloon and memory */
	print_banner(boot); /* a person is greeted */
	task_create("shell", TASK_PRIORITY_SHELL, shell_start, command_line);
	task_idle(); /* runs the other tasks, else waits for interrupts */
}
