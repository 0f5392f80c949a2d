/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The time stamp counter tells the time. Its rate is measured against channel 2 of
 * the 8254 timer, which makes no interrupts, for a millisecond. Channel 0 makes
 * the tick.
 */
#include "arch/clock.h"

#include <assert.h>
#include <stdbool.h>

#include "arch/cpu.h"
#include "arch/io.h"
#include "arch/irq.h"
#include "arch/platform.h"
#include "kernel/lib/elapsed.h"
#include "kernel/lib/panic.h"

#define PIT_HZ 1193182
#define PIT_CHANNEL0_RATE 0x34 /* low then high byte, mode 2 */
#define PIT_CHANNEL2_ONCE 0xb0 /* low then high byte, mode 0 */
#define PIT_LATCH_CHANNEL2 0x80
#define SPEAKER_GATE 0x01	/* lets channel 2 count */
#define SPEAKER_OUTPUT2 0x20	/* channel 2 has counted down */
#define SPEAKER_DATA 0x02	/* lets it be heard */
#define CALIBRATION_COUNTS 1193 /* a millisecond */
#define CALIBRATION_ATTEMPTS 20

/* More than a second on any processor, so the millisecond must be over. */
#define CALIBRATION_TSC_MAX (UINT64_C(1) << 32)

#define NS_SHIFT 32

static uint64_t tsc_hz;
static uint64_t ns_per_tsc; /* fixed point, NS_SHIFT bits */
static struct elapsed elapsed;
static volatile uint64_t jiffies;
static void (*on_tick)(void);

static uint64_t read_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static uint64_t tsc_ns(void)
{
	return (uint64_t)((unsigned __int128)read_tsc() * ns_per_tsc >> NS_SHIFT);
}

static uint16_t read_channel2(void)
{
	uint8_t low;

	io_write8(PORT_PIT_COMMAND, PIT_LATCH_CHANNEL2);
	low = io_read8(PORT_PIT_CHANNEL2);
	return (uint16_t)(low | io_read8(PORT_PIT_CHANNEL2) << 8);
}

/*
 * Stores what channel 2 showed and the time stamp of that. Each reading lies
 * between two time stamps; of a few readings the least disturbed one counts.
 */
static void sample(uint16_t *count, uint64_t *tsc)
{
	uint64_t shortest = UINT64_MAX;

	for (int i = 0; i < 4; i++) {
		uint64_t before = read_tsc();
		uint16_t value = read_channel2();
		uint64_t after = read_tsc();

		if (after - before < shortest) {
			shortest = after - before;
			*count = value;
			*tsc = before + (after - before) / 2;
		}
	}
}

/* False if the host stopped the guest for longer than the counter lasts: 55 ms. */
static bool measure_once(uint64_t *hz)
{
	uint16_t count0 = 0, count1 = 0;
	uint64_t tsc0 = 0, tsc1 = 0;

	io_write8(PORT_PIT_COMMAND, PIT_CHANNEL2_ONCE);
	io_write8(PORT_PIT_CHANNEL2, 0xff);
	io_write8(PORT_PIT_CHANNEL2, 0xff);
	sample(&count0, &tsc0);
	do {
		cpu_relax();
		sample(&count1, &tsc1);
		/* Nothing here works without time: waits have deadlines, tasks a tick. */
		if (count1 == count0 && tsc1 - tsc0 > CALIBRATION_TSC_MAX)
			panic("clock: the 8254 timer does not count (a microvm needs pit=on)");
	} while ((uint16_t)(count0 - count1) < CALIBRATION_COUNTS);
	*hz = (tsc1 - tsc0) * PIT_HZ / (uint16_t)(count0 - count1);
	return !(io_read8(PORT_SPEAKER) & SPEAKER_OUTPUT2);
}

static uint64_t measure_tsc_hz(void)
{
	uint8_t speaker = io_read8(PORT_SPEAKER);
	uint64_t hz;

	io_write8(PORT_SPEAKER, (uint8_t)((speaker & ~SPEAKER_DATA) | SPEAKER_GATE));
	for (int i = 0; !measure_once(&hz) && i < CALIBRATION_ATTEMPTS; i++)
		;
	return hz;
}

static bool handle_tick(struct irq_handler *handler)
{
	(void)handler;
	jiffies++;
	on_tick();
	return true;
}

static struct irq_handler tick_handler = { .handle = handle_tick };

void clock_init(void (*tick)(void))
{
	uint16_t divisor = (PIT_HZ + TICK_HZ / 2) / TICK_HZ;

	assert(tick);
	tsc_hz = measure_tsc_hz();
	ns_per_tsc = (UINT64_C(1000000000) << NS_SHIFT) / tsc_hz;
	elapsed_begin(&elapsed, tsc_ns());
	on_tick = tick;
	io_write8(PORT_PIT_COMMAND, PIT_CHANNEL0_RATE);
	io_write8(PORT_PIT_CHANNEL0, (uint8_t)divisor);
	io_write8(PORT_PIT_CHANNEL0, (uint8_t)(divisor >> 8));
	irq_register(IRQ_TIMER, &tick_handler);
}

/* Both clocks, as of now. Before clock_init() both stand at 0. */
static struct elapsed look(void)
{
	uint64_t flags = irq_save();
	struct elapsed now;

	if (tsc_hz > 0)
		elapsed_look(&elapsed, tsc_ns(), CLOCK_AWAKE_STEP_NS);
	now = elapsed;
	irq_restore(flags);
	return now;
}

uint64_t clock_ns(void)
{
	return look().ns;
}

uint64_t clock_awake_ns(void)
{
	return look().awake_ns;
}

uint64_t clock_jiffies(void)
{
	return jiffies;
}

uint64_t clock_tsc_hz(void)
{
	return tsc_hz;
}
