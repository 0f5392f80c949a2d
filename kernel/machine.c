/* SPDX-License-Identifier: BSD-2-Clause */
/* From ACPI's tables, or a PC's habits where there are none. */
#include "kernel/machine.h"

#include <inttypes.h>

#include "arch/boot_info.h"
#include "arch/clock.h"
#include "arch/cpu.h"
#include "arch/irq.h"
#include "drivers/acpi/acpi.h"
#include "kernel/lib/log.h"

/* The place of a PC's first I/O APIC, if no table says otherwise. */
#define IOAPIC_DEFAULT 0xfec00000

/* A hostile table has no end of them. */
#define IOAPICS_MAX 8

static void find_ioapics(void)
{
	uint32_t first_gsi;
	paddr_t address;

	for (size_t n = 0; n < IOAPICS_MAX; n++) {
		if (acpi_find_ioapic(n, &address, &first_gsi)) {
			if (n == 0)
				irq_add_ioapic(IOAPIC_DEFAULT, 0);
			return;
		}
		if (irq_add_ioapic(address, first_gsi))
			log_warn("acpi: the I/O APIC at %#" PRIx64 " cannot be used", address);
	}
}

void machine_find(const struct boot_info *boot, struct clock_references *references)
{
	*references = (struct clock_references){ 0 };
	acpi_init(boot->acpi_rsdp);
	/* They lead to a local APIC. */
	if (cpu_has_apic())
		find_ioapics();
	acpi_find_pm_timer(&references->pm_timer_port, &references->pm_timer_bits);
	acpi_find_hpet(&references->hpet);
}
