/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pressure stall information: see psi.h. Shares are fractions of 2^32; the kernel has no
 * floating point.
 */
#include "mm/psi.h"

#define ONE (UINT64_C(1) << 32)
#define HALF (ONE / 2)

/* What a period leaves of an average: e to the -2/10, -2/60, -2/300. */
static const uint64_t kept[PSI_WINDOWS] = { 3516421809, 4154161520, 4266429413 };

/* A product of two fractions, of which not both are ONE. */
static uint64_t times(uint64_t a, uint64_t b)
{
	return (a * b + HALF) >> 32;
}

/* A fraction below ONE to the power of `n`, which is 1 or more. */
static uint64_t power(uint64_t base, uint64_t n)
{
	uint64_t result = base;

	for (n--; n > 0; n /= 2) {
		if (n & 1)
			result = times(result, base);
		base = times(base, base);
	}
	return result;
}

/* Moves the averages towards a share that `n` periods had, each of them. */
static void sample(struct psi_line *line, uint64_t share, uint64_t n)
{
	for (unsigned w = 0; w < PSI_WINDOWS; w++) {
		uint64_t old = line->share[w], left = power(kept[w], n);

		line->share[w] = old > share ? share + times(old - share, left)
					     : share - times(share - old, left);
	}
}

/* Counts `ns` of the period under way. */
static void count(struct psi_line *line, uint64_t ns)
{
	if (!line->on)
		return;
	line->total_ns += ns;
	line->period_ns += ns;
}

static void end_period(struct psi_line *line)
{
	sample(line, line->period_ns * ONE / PSI_PERIOD_NS, 1);
	line->period_ns = 0;
}

/* Whole periods in which nothing changed. */
static void count_periods(struct psi_line *line, uint64_t n)
{
	sample(line, line->on ? ONE : 0, n);
	if (line->on)
		line->total_ns += n * PSI_PERIOD_NS;
}

static void advance(struct psi *psi, uint64_t now_ns)
{
	uint64_t periods;

	if (now_ns <= psi->now_ns)
		return;
	if (now_ns >= psi->period_end_ns) {
		count(&psi->some, psi->period_end_ns - psi->now_ns);
		count(&psi->full, psi->period_end_ns - psi->now_ns);
		end_period(&psi->some);
		end_period(&psi->full);
		periods = (now_ns - psi->period_end_ns) / PSI_PERIOD_NS;
		if (periods > 0) {
			count_periods(&psi->some, periods);
			count_periods(&psi->full, periods);
		}
		psi->now_ns = psi->period_end_ns + periods * PSI_PERIOD_NS;
		psi->period_end_ns = psi->now_ns + PSI_PERIOD_NS;
	}
	count(&psi->some, now_ns - psi->now_ns);
	count(&psi->full, now_ns - psi->now_ns);
	psi->now_ns = now_ns;
}

void psi_init(struct psi *psi, uint64_t now_ns)
{
	*psi = (struct psi){ .now_ns = now_ns, .period_end_ns = now_ns + PSI_PERIOD_NS };
}

void psi_set(struct psi *psi, unsigned waiting, bool others_run, uint64_t now_ns)
{
	advance(psi, now_ns);
	psi->some.on = waiting > 0;
	psi->full.on = waiting > 0 && !others_run;
}

static void read_line(const struct psi_line *line, struct psi_figures *figures)
{
	figures->total_us = line->total_ns / NS_PER_US;
	for (unsigned w = 0; w < PSI_WINDOWS; w++)
		figures->average[w] = (unsigned)((line->share[w] * 10000 + HALF) >> 32);
}

void psi_read(const struct psi *psi, uint64_t now_ns, struct psi_figures *some,
	      struct psi_figures *full)
{
	struct psi then = *psi;

	advance(&then, now_ns);
	read_line(&then.some, some);
	read_line(&then.full, full);
}
