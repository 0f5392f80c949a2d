/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 8254 timer (Intel 8254 data sheet), ACPI's power management timer (ACPI 6.4,
 * 4.8.3.3) and the HPET (IA-PC HPET specification 1.0a, 2.3).
 */
#include "arch/x86_64/counters.h"

#include "arch/io.h"
#include "arch/mmio.h"
#include "arch/paging.h"
#include "arch/platform.h"

/* ---- 8254 ---- */

#define PIT_HZ 1193182
#define PIT_CHANNEL0_RATE 0x34 /* low then high byte, mode 2 */
#define PIT_CHANNEL0_ONCE 0x30 /* low then high byte, mode 0 */
#define PIT_CHANNEL2_ONCE 0xb0
#define PIT_LATCH_CHANNEL2 0x80
#define PIT_LATCH_STATUS2 0xe8
#define PIT_STATUS_OUTPUT 0x80 /* in mode 0: it has counted down */
#define SPEAKER_GATE 0x01      /* lets channel 2 count */
#define SPEAKER_DATA 0x02      /* lets it be heard */

static void pit_begin(void)
{
	uint8_t speaker = io_read8(PORT_SPEAKER);

	io_write8(PORT_SPEAKER, (uint8_t)((speaker & ~SPEAKER_DATA) | SPEAKER_GATE));
	io_write8(PORT_PIT_COMMAND, PIT_CHANNEL2_ONCE);
	io_write8(PORT_PIT_CHANNEL2, 0xff);
	io_write8(PORT_PIT_CHANNEL2, 0xff);
}

static uint32_t pit_read(void)
{
	uint8_t low;

	io_write8(PORT_PIT_COMMAND, PIT_LATCH_CHANNEL2);
	low = io_read8(PORT_PIT_CHANNEL2);
	return UINT16_MAX - (uint32_t)(low | io_read8(PORT_PIT_CHANNEL2) << 8);
}

/* It lasts for 55 ms. The speaker's port has the same bit, but a microvm has no such port. */
static bool pit_has_wrapped(void)
{
	io_write8(PORT_PIT_COMMAND, PIT_LATCH_STATUS2);
	return io_read8(PORT_PIT_CHANNEL2) & PIT_STATUS_OUTPUT;
}

const struct tsc_counter counter_pit = {
	.name = "the 8254 timer",
	.hz = PIT_HZ,
	.mask = UINT16_MAX,
	.begin = pit_begin,
	.read = pit_read,
	.has_wrapped = pit_has_wrapped,
};

/* In this mode it counts down once and is silent then. */
void counter_stop_pit(void)
{
	io_write8(PORT_PIT_COMMAND, PIT_CHANNEL0_ONCE);
	io_write8(PORT_PIT_CHANNEL0, 1);
	io_write8(PORT_PIT_CHANNEL0, 0);
}

void counter_start_pit_tick(void)
{
	uint16_t divisor = (PIT_HZ + TICK_HZ / 2) / TICK_HZ;

	io_write8(PORT_PIT_COMMAND, PIT_CHANNEL0_RATE);
	io_write8(PORT_PIT_CHANNEL0, (uint8_t)divisor);
	io_write8(PORT_PIT_CHANNEL0, (uint8_t)(divisor >> 8));
}

/* ---- ACPI's timer ---- */

#define PM_TIMER_HZ 3579545

static uint16_t pm_timer_port;

static uint32_t pm_timer_read(void)
{
	return io_read32(pm_timer_port);
}

bool counter_find_pm_timer(const struct clock_references *references, struct tsc_counter *counter)
{
	unsigned bits = references->pm_timer_bits;

	if (references->pm_timer_port == 0 || (bits != 24 && bits != 32))
		return false;
	pm_timer_port = references->pm_timer_port;
	*counter = (struct tsc_counter){
		.name = "ACPI's timer",
		.hz = PM_TIMER_HZ,
		.mask = UINT32_MAX >> (32 - bits),
		.read = pm_timer_read,
	};
	return true;
}

/* ---- HPET ---- */

#define HPET_SIZE 1024
#define HPET_PERIOD 0x04 /* the capabilities' high half: femtoseconds */
#define HPET_CONFIG 0x10
#define HPET_CONFIG_ENABLE 1
#define HPET_COUNTER 0xf0
#define FS_PER_S UINT64_C(1000000000000000)
#define PERIOD_FS_MIN 1000000	/* 1 GHz */
#define PERIOD_FS_MAX 100000000 /* 10 MHz; the specification's */

static uint8_t *hpet;

static void hpet_begin(void)
{
	mmio_write32(hpet + HPET_CONFIG, mmio_read32(hpet + HPET_CONFIG) | HPET_CONFIG_ENABLE);
}

static uint32_t hpet_read(void)
{
	return mmio_read32(hpet + HPET_COUNTER);
}

bool counter_find_hpet(const struct clock_references *references, struct tsc_counter *counter)
{
	uint32_t period;
	void *window;

	if (references->hpet == 0 || references->hpet % HPET_SIZE != 0 ||
	    paging_map_device(references->hpet, HPET_SIZE, &window))
		return false;
	hpet = window;
	period = mmio_read32(hpet + HPET_PERIOD);
	if (period < PERIOD_FS_MIN || period > PERIOD_FS_MAX)
		return false;
	*counter = (struct tsc_counter){
		.name = "the HPET",
		.hz = FS_PER_S / period,
		.mask = UINT32_MAX,
		.begin = hpet_begin,
		.read = hpet_read,
	};
	return true;
}
