/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The time stamp counter tells the time. Its rate is what the hypervisor or CPUID tell,
 * else it is measured against what other counter there is. The alarm is the local APIC's
 * timer; a processor without one gets the 8254's tick.
 */
#include "arch/clock.h"

#include <assert.h>
#include <stdbool.h>

#include "arch/cpu.h"
#include "arch/hyperv.h"
#include "arch/irq.h"
#include "arch/paging.h"
#include "arch/x86_64/alarm_rate.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/counters.h"
#include "arch/x86_64/entry.h"
#include "arch/x86_64/hyperv_cpuid.h"
#include "arch/x86_64/msr.h"
#include "arch/x86_64/tsc.h"
#include "arch/x86_64/tsc_measure.h"
#include "arch/x86_64/tsc_rate.h"
#include "kernel/lib/elapsed.h"
#include "kernel/lib/panic.h"

#define MSR_KVM_SYSTEM_TIME 0x4b564d01
#define KVM_SYSTEM_TIME_ENABLE 1

#define MSR_HYPERV_TSC_RATE 0x40000022 /* in Hz */

#define NS_SHIFT 32

/* A later alarm rings after this, for nothing. */
#define ALARM_NS_MAX (86400 * NS_PER_S)

static struct tsc_rate rate;
static uint64_t ns_per_tsc; /* fixed point, NS_SHIFT bits */
static struct elapsed elapsed;
static void (*on_alarm)(void);

/* What makes the alarm. */
static enum alarm {
	ALARM_NONE,
	ALARM_TSC_DEADLINE,
	ALARM_APIC_TIMER,
	ALARM_PIT_TICK, /* it comes whether it was asked for or not */
} alarm;
static struct alarm_rate alarm_rate;
static uint64_t alarm_set_at, alarm_ns; /* when it was set, and for how long from then */
static uint64_t rings;

/* ---- The rate ---- */

static const struct tsc_counter apic_counter = {
	.name = "the local APIC's timer",
	.mask = UINT32_MAX,
	.begin = apic_timer_run,
	.read = apic_timer_read,
};

/* The host fills the structure while the MSR is written, and may do so until it is 0. */
static struct tsc_rate ask_pvclock(void)
{
	static struct tsc_pvclock pvclock __attribute__((aligned(64)));

	msr_write(MSR_KVM_SYSTEM_TIME, virt_to_phys(&pvclock) | KVM_SYSTEM_TIME_ENABLE);
	msr_write(MSR_KVM_SYSTEM_TIME, 0);
	return tsc_rate_from_pvclock(&pvclock);
}

static struct tsc_rate ask_hyperv(void)
{
	uint64_t hz;

	if (!hyperv_is_there() || !hyperv_cpuid_has_tsc_rate(hyperv_cpuid()))
		return (struct tsc_rate){ 0 };
	hz = hyperv_msr_read(MSR_HYPERV_TSC_RATE);
	return tsc_rate_is_sound(hz) ? (struct tsc_rate){ hz, "Hyper-V's MSR" }
				     : (struct tsc_rate){ 0 };
}

static struct tsc_rate measure(const struct tsc_counter *counter)
{
	return (struct tsc_rate){ tsc_measure(counter), counter->name };
}

/* The first counter that counts. QEMU's own timer for the APIC is the last resort. */
static struct tsc_rate measure_any(const struct clock_references *references)
{
	struct tsc_rate measured = measure(&counter_pit);
	struct tsc_counter counter;

	if (measured.hz == 0 && counter_find_pm_timer(references, &counter))
		measured = measure(&counter);
	if (measured.hz == 0 && counter_find_hpet(references, &counter))
		measured = measure(&counter);
	if (measured.hz == 0 && cpu_has_apic()) {
		counter = apic_counter;
		counter.hz = tsc_rate_of_apic_timer(cpuid_read) / APIC_TIMER_DIVISOR;
		if (counter.hz > 0)
			measured = measure(&counter);
	}
	return measured;
}

static struct tsc_rate find_rate(const struct clock_references *references)
{
	struct tsc_rate found = ask_hyperv();

	if (found.hz == 0)
		found = tsc_rate_told(cpuid_read, ask_pvclock);
	if (found.hz == 0)
		found = measure_any(references);
	if (found.hz == 0)
		found = tsc_rate_nominal(cpuid_read);
	/* Nothing here works without time: waits have deadlines. */
	if (found.hz == 0)
		panic("clock: nothing tells the rate of the time stamp counter: no CPUID leaf, "
		      "MSR, 8254, ACPI timer or HPET");
	return found;
}

/* ---- The clocks ---- */

static uint64_t tsc_ns(void)
{
	return (uint64_t)((unsigned __int128)tsc_read() * ns_per_tsc >> NS_SHIFT);
}

/* Both clocks, as of now. Before clock_init() both stand at 0. */
static struct elapsed look(void)
{
	uint64_t flags = irq_save();
	struct elapsed now;

	if (rate.hz > 0)
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
	return clock_ns() / (NS_PER_S / TICK_HZ);
}

/* ---- The alarm ---- */

static bool handle_pit_tick(struct irq_handler *handler)
{
	(void)handler;
	rings++;
	on_alarm();
	return true;
}

static struct irq_handler pit_handler = { .handle = handle_pit_tick };

void clock_handle_alarm(void)
{
	if (alarm == ALARM_APIC_TIMER)
		alarm_rate_learn(&alarm_rate, alarm_ns, clock_ns() - alarm_set_at);
	rings++;
	on_alarm();
	apic_end_interrupt();
}

static uint64_t find_apic_timer_hz(void)
{
	uint64_t hz = tsc_rate_of_apic_timer(cpuid_read) / APIC_TIMER_DIVISOR;

	if (hz == 0)
		hz = tsc_measure_counter(&apic_counter, rate.hz);
	return tsc_rate_is_sound(hz) ? hz : 0;
}

static void choose_alarm(void)
{
	uint64_t hz;

	if (cpu_has_apic() && apic_timer_has_deadline()) {
		alarm = ALARM_TSC_DEADLINE;
		alarm_rate_set(&alarm_rate, rate.hz);
		apic_timer_use_deadline();
		return;
	}
	hz = cpu_has_apic() ? find_apic_timer_hz() : 0;
	if (hz > 0) {
		alarm = ALARM_APIC_TIMER;
		alarm_rate_set(&alarm_rate, hz);
		apic_timer_set(0);
		return;
	}
	if (!irq_has_8259())
		panic("clock: nothing rings: neither a local APIC's timer nor an 8254");
	alarm = ALARM_PIT_TICK;
}

/* A time that the timer cannot have is cut: then it rings too early, which is allowed. */
static void set_apic_timer(uint64_t ns)
{
	alarm_ns = min_u64(ns, alarm_rate_longest(&alarm_rate, UINT32_MAX - 1));
	alarm_set_at = clock_ns();
	apic_timer_set((uint32_t)alarm_rate_counts(&alarm_rate, alarm_ns));
}

static void set_deadline(uint64_t ns)
{
	ns = min_u64(ns, ALARM_NS_MAX);
	apic_timer_set_deadline(tsc_read() + alarm_rate_counts(&alarm_rate, ns));
}

void clock_set_alarm(uint64_t time)
{
	uint64_t flags = irq_save();
	uint64_t now = clock_ns();
	uint64_t ns = time > now ? time - now : 0;

	if (alarm == ALARM_TSC_DEADLINE && time == DEADLINE_NEVER)
		apic_timer_set_deadline(0);
	else if (alarm == ALARM_TSC_DEADLINE)
		set_deadline(ns);
	else if (alarm == ALARM_APIC_TIMER && time == DEADLINE_NEVER)
		apic_timer_set(0);
	else if (alarm == ALARM_APIC_TIMER)
		set_apic_timer(ns);
	irq_restore(flags);
}

/* ---- The start ---- */

void clock_init(const struct clock_references *references, void (*alarm_hook)(void))
{
	assert(alarm_hook);
	rate = find_rate(references);
	ns_per_tsc = (NS_PER_S << NS_SHIFT) / rate.hz;
	elapsed_begin(&elapsed, tsc_ns());
	on_alarm = alarm_hook;
	choose_alarm();
	/* The firmware's tick would wake a machine that sleeps, even if nobody hears it. */
	if (alarm == ALARM_PIT_TICK) {
		counter_start_pit_tick();
		irq_register(IRQ_TIMER, &pit_handler);
	} else {
		counter_stop_pit();
	}
}

void clock_describe(struct clock_description *description)
{
	static const char *const names[] = {
		[ALARM_NONE] = "nothing",
		[ALARM_TSC_DEADLINE] = "the TSC's deadline",
		[ALARM_APIC_TIMER] = "the local APIC's timer",
		[ALARM_PIT_TICK] = "the 8254's tick",
	};

	*description = (struct clock_description){
		.tsc_hz = rate.hz,
		.rate_by = rate.from,
		.alarm_by = names[alarm],
		.rings = rings,
	};
}
