/* SPDX-License-Identifier: BSD-2-Clause */
/* boot, ps, reboot, poweroff, exit. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "arch/boot_info.h"
#include "arch/clock.h"
#include "arch/cpu.h"
#include "arch/irq.h"
#include "drivers/acpi/acpi.h"
#include "drivers/balloon/port/vmware_balloon.h"
#include "drivers/hyperv/vmbus.h"
#include "drivers/pvpanic/pvpanic.h"
#include "drivers/xen/xen.h"
#include "drivers/xen/xen_events.h"
#include "kernel/console.h"
#include "kernel/lib/command.h"
#include "kernel/lib/escape.h"
#include "kernel/lib/parse.h"
#include "kernel/shell.h"
#include "kernel/system.h"
#include "kernel/task/task.h"
#include "kernel/vm/vm.h"
#include "mm/ledger.h"
#include "mm/memory.h"

/* QEMU's status is (value << 1) | 1, in eight bits. */
#define EXIT_STATUS_MAX 127

static const struct boot_info *boot_info;

void system_init(const struct boot_info *boot)
{
	boot_info = boot;
}

/* ---- boot ---- */

static const char *memory_type_name(uint32_t type)
{
	static const char *const names[] = { "?", "RAM", "reserved", "ACPI", "NVS", "unusable" };

	return type < ARRAY_SIZE(names) ? names[type] : names[0];
}

static void print_memory_map(void)
{
	const struct memmap *map = memory_map();
	char size[FORMAT_SIZE_MAX];

	printf("Memory map of the firmware:\n");
	for (uint32_t i = 0; i < boot_info->memory_count; i++) {
		const struct boot_memory *m = &boot_info->memory[i];

		printf("  %012" PRIx64 " + %012" PRIx64 "  %s (%" PRIu32 ")\n", m->start, m->size,
		       memory_type_name(m->type), m->type);
	}
	if (boot_info->memory_dropped > 0)
		printf("  and %" PRIu32 " entries for which there was no room\n",
		       boot_info->memory_dropped);
	printf("Managed:\n");
	for (size_t i = 0; i < map->count; i++)
		printf("  %012" PRIx64 " - %012" PRIx64 "\n", pfn_to_paddr(map->range[i].start),
		       pfn_to_paddr(map->range[i].end));
	if (ledger_managed() > map->frames)
		printf("  and %s that came on top (lsmem)\n",
		       format_size(pfn_to_paddr(ledger_managed() - map->frames), size));
	if (map->dropped > 0)
		printf("  %" PRIu64 " frames of RAM are not used\n", map->dropped);
}

static void print_escaped(const char *text)
{
	char piece[ESCAPE_MAX];

	for (; *text; text++)
		console_write(piece, escape_byte((unsigned char)*text, piece));
}

static void print_xen(void)
{
	char version[XEN_VERSION_TEXT_MAX];
	struct xen_event_counts counts;

	if (!xen_is_there())
		return;
	xen_events_get_counts(&counts);
	printf("Xen: %s; %" PRIu64 " events in %" PRIu64 " upcalls, %" PRIu64
	       " of them for nothing\n",
	       xen_get_version(version) ? "does not tell its version" : version, counts.events,
	       counts.upcalls, counts.unclaimed);
}

static int cmd_boot(int argc, char **argv)
{
	struct clock_description clock;

	(void)argv;
	if (argc > 1)
		return -EINVAL;
	printf("Booted by: %s\n", boot_info->way);
	printf("Command line: ");
	print_escaped(boot_info->command_line);
	printf("\nACPI RSDP: %#" PRIx64 "\n", boot_info->acpi_rsdp);
	printf("Processor: %u physical address bits\n", cpu_physical_bits());
	clock_describe(&clock);
	printf("Clock: TSC at %" PRIu64 " MHz, by %s\n", clock.tsc_hz / 1000000, clock.rate_by);
	printf("Alarm: by %s, which rang %" PRIu64 " times\n", clock.alarm_by, clock.rings);
	print_xen();
	print_memory_map();
	return 0;
}
COMMAND("boot", "", "how the machine was booted, and its memory map", NULL, cmd_boot);

/* ---- ps ---- */

static void print_task(const struct task_info *info)
{
	struct vm_user_info user;
	uint64_t offset;
	const char *at = info->waits_at ? symbol_find(info->waits_at, &offset) : NULL;

	printf("%3u %c %4u %8" PRIu64 "  %-12s ", info->id, info->state, info->priority,
	       info->jiffies, info->name);
	if (vm_user_describe(info->id, &user))
		printf("%-22s %8" PRIu64 " %8" PRIu64 "\n", at ? at : "-",
		       user.resident * FRAME_KIB, user.swapped * FRAME_KIB);
	else
		printf("%s\n", at ? at : "-");
}

static int cmd_ps(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return -EINVAL;
	printf(" ID S PRIO    TICKS  NAME         WAITS IN                IN KB  SWAPPED\n");
	task_for_each(print_task);
	return 0;
}
COMMAND("ps", "", "the tasks",
	"S: R runs or could, S sleeps, D waits for a device's answer, Z has ended.\n"
	"PRIO: smaller runs first. TICKS: hundredths of a second that it ran. Of\n"
	"workloads (stress): their memory that is in frames, and on the swap disk.",
	cmd_ps);

/* ---- The ends ---- */

/* The steps of an end, in their order. */
enum step {
	STEP_NONE,
	STEP_SAY,
	STEP_TELL,
	STEP_LEAVE,
	STEP_TURN_OFF,
	STEP_DEBUG_EXIT,
	STEP_XEN,
	STEP_TURN_OFF_AT_LAST,
};

/* A step of an end that panics on the way is not tried a second time. */
static bool begin_step(enum step step)
{
	static enum step begun;
	bool first = step > begun;

	if (first)
		begun = step;
	return first;
}

/* What isa-debug-exit tells QEMU, for machines that have none. */
static void say_status(uint8_t status)
{
	if (!begin_step(STEP_SAY))
		return;
	printf("# exit %u\n", status);
	console_flush();
}

/* Whoever uses this memory next, firmware first, gave none of it away. */
static void leave_balloon(void)
{
	if (begin_step(STEP_LEAVE))
		vmware_balloon_leave();
}

/*
 * Down a ladder: what the machine does not have is passed. Xen's first domain ends QEMU, as Xen
 * itself would only halt.
 */
_Noreturn static void end(uint8_t status, bool turn_off, enum xen_shutdown reason)
{
	say_status(status);
	leave_balloon();
	if (turn_off && begin_step(STEP_TURN_OFF))
		acpi_power_off();
	if (begin_step(STEP_DEBUG_EXIT))
		cpu_debug_exit(status);
	if (begin_step(STEP_XEN))
		xen_shut_down(reason);
	if (!turn_off && begin_step(STEP_TURN_OFF_AT_LAST))
		acpi_power_off();
	cpu_reset();
}

/* The host may end the machine when it is told: all text is out before. */
void system_panicked(uint8_t status)
{
	say_status(status);
	if (begin_step(STEP_TELL))
		pvpanic_tell();
	end(status, false, XEN_SHUTDOWN_CRASH);
}

/*
 * The host is told that this guest's memory is not to be written to any more. That takes a wait:
 * not in an interrupt, as when no task has its turn any more.
 */
static void leave_hypervisor(void)
{
	static bool begun;
	uint64_t flags = irq_save();

	irq_restore(flags);
	if (begun || !irq_flags_enabled(flags))
		return;
	begun = true;
	vmbus_unload();
}

void system_exit(uint8_t status)
{
	leave_hypervisor();
	end(status, false, XEN_SHUTDOWN_POWER_OFF);
}

void system_power_off(void)
{
	leave_hypervisor();
	end(0, true, XEN_SHUTDOWN_POWER_OFF);
}

void system_reboot(void)
{
	leave_hypervisor();
	console_flush();
	leave_balloon();
	xen_shut_down(XEN_SHUTDOWN_REBOOT);
	acpi_reset();
	cpu_reset();
}

static int cmd_exit(int argc, char **argv)
{
	int failed_status = 0;
	const char *failed = argc == 1 ? shell_failure(&failed_status) : NULL;
	uint64_t status = (uint64_t)failed_status;

	if (argc > 2)
		return -EINVAL;
	if (failed)
		printf("exit: status %d, as this failed: %s\n", failed_status, failed);
	if (argc == 2 && (parse_u64(argv[1], &status) || status > EXIT_STATUS_MAX)) {
		printf("exit: %s is no status; 0 to %d are\n", argv[1], EXIT_STATUS_MAX);
		return -ERANGE;
	}
	system_exit((uint8_t)status);
}
COMMAND("exit", "[N]", "end QEMU with a status",
	"Through isa-debug-exit: QEMU itself ends with (N << 1) | 1. N is 0 to 127.\n"
	"Without N: 1 if a command before it on its line failed, else 0; `exit` on a line\n"
	"of its own ends with 1 if anything failed since boot. If that was\n"
	"`balloon wait`, it is the status of that.\n"
	"A machine without it is turned off (Xen, ACPI) or, failing that, reset.",
	cmd_exit);

static int cmd_poweroff(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return -EINVAL;
	system_power_off();
}
COMMAND("poweroff", "", "turn the machine off (ACPI)", "A machine without ACPI ends as by exit 0.",
	cmd_poweroff);

static int cmd_reboot(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return -EINVAL;
	system_reboot();
}
COMMAND("reboot", "", "reset the machine", NULL, cmd_reboot);
