/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A reading of the other counter lies between two of the time stamp counter; of a few
 * readings the least disturbed one counts. A host that stops the guest in between
 * stretches both alike, unless the other counter wraps meanwhile: then it is begun anew.
 */
#include "arch/x86_64/tsc_measure.h"

#include <stddef.h>

#include "arch/cpu.h"
#include "arch/x86_64/tsc.h"
#include "arch/x86_64/tsc_rate.h"

#define SAMPLE_READINGS 4
#define ATTEMPTS 20
#define ATTEMPTS_FOR_LONG 10 /* that a window of a second stands for */

/* A counter that shows the same for so many readings and counts of the TSC stands still. */
#define STILL_READINGS 1000
#define STILL_TSC (UINT64_C(1) << 24)

/* Longer, and a counter of 24 bits at 3.6 MHz may have wrapped. */
#define WINDOW_TSC_MAX (UINT64_C(1) << 31)

struct sample {
	uint32_t count;
	uint64_t tsc;
};

/* How far both went. */
struct window {
	uint32_t counts;
	uint64_t tsc;
};

static struct sample take_sample(const struct tsc_counter *counter)
{
	uint64_t shortest = UINT64_MAX;
	struct sample sample = { 0 };

	for (unsigned i = 0; i < SAMPLE_READINGS; i++) {
		uint64_t before = tsc_read();
		uint32_t count = counter->read();
		uint64_t after = tsc_read();

		if (after - before >= shortest)
			continue;
		shortest = after - before;
		sample = (struct sample){ count, before + shortest / 2 };
	}
	return sample;
}

/* Lets both run until one of the bounds is reached. False: the counter stands still. */
static bool run(const struct tsc_counter *counter, uint32_t counts, uint64_t tsc,
		struct window *window)
{
	struct sample start, now;
	unsigned still = 0;

	if (counter->begin)
		counter->begin();
	start = take_sample(counter);
	do {
		cpu_relax();
		now = take_sample(counter);
		*window = (struct window){ (now.count - start.count) & counter->mask,
					   now.tsc - start.tsc };
		if (window->counts == 0 && ++still >= STILL_READINGS && window->tsc > STILL_TSC)
			return false;
	} while (window->counts < counts && window->tsc < tsc);
	return true;
}

/* False: the counter is of no use. */
static bool run_undisturbed(const struct tsc_counter *counter, uint32_t counts, uint64_t tsc,
			    struct window *window)
{
	for (unsigned i = 0; i < ATTEMPTS; i++) {
		if (!run(counter, counts, tsc, window))
			return false;
		if (window->tsc >= WINDOW_TSC_MAX)
			i += ATTEMPTS_FOR_LONG - 1;
		else if (window->counts > 0 && !(counter->has_wrapped && counter->has_wrapped()))
			return true;
	}
	return false;
}

/* 0: that is no rate of any counter, or one that stands still. */
static uint64_t scale(uint64_t value, uint64_t by, uint64_t per)
{
	return value == 0 || by > UINT64_MAX / value ? 0 : value * by / per;
}

uint64_t tsc_measure(const struct tsc_counter *counter)
{
	struct window window;
	uint64_t hz;

	if (!run_undisturbed(counter, (uint32_t)(counter->hz / 1000), WINDOW_TSC_MAX, &window))
		return 0;
	hz = scale(window.tsc, counter->hz, window.counts);
	return tsc_rate_is_sound(hz) ? hz : 0;
}

uint64_t tsc_measure_counter(const struct tsc_counter *counter, uint64_t tsc_hz)
{
	struct window window;

	if (!run_undisturbed(counter, counter->mask, tsc_hz / 8000, &window))
		return 0;
	return scale(window.counts, tsc_hz, window.tsc);
}
