/* SPDX-License-Identifier: BSD-2-Clause */
/* Pollers and a clock for tests: see fake_pollers.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>

#include "tests/unit/tools/balloonctl/fake_pollers.h"

#include <cmocka.h>

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/balloonctl/guest_backend.h"
#include "tools/balloonctl/periodic.h"

struct fake fake;

void fake_begin(void)
{
	memset(&fake, 0, sizeof(fake));
	fake.now = FAKE_BEGIN;
	fake.state = (struct guest_state){ .ram = 1000, .base = 1000, .left = 1000 };
	fake.slice_ms = PERIODIC_SLICE_MS;
	fake.stop_at = fake.another_at = INT64_MAX;
}

/* ---- the clock ---- */

void fake_pass(int64_t ms)
{
	int64_t before = fake.now;

	fake.now += ms;
	if (before < fake.stop_at && fake.now >= fake.stop_at)
		raise(SIGTERM);
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
	(void)clock;
	*time = (struct timespec){ .tv_sec = fake.now / 1000,
				   .tv_nsec = fake.now % 1000 * 1000000 };
	return 0;
}

int __wrap_nanosleep(const struct timespec *time, struct timespec *rest);
int __wrap_nanosleep(const struct timespec *time, struct timespec *rest)
{
	(void)rest;
	assert_true(time->tv_sec == 0 && time->tv_nsec == fake.slice_ms * 1000000);
	fake_pass(fake.slice_ms);
	return 0;
}

/* ---- pollers ---- */

static struct sample newest(const struct poller *poller)
{
	struct sample sample = { .number = 0 };

	for (size_t i = 0; i < poller->count; i++)
		if (poller->samples[i].time <= fake.now)
			sample = poller->samples[i];
	return sample;
}

int __wrap_poller_start(const char *name, const struct poller_rate *rate, struct poller **out);
int __wrap_poller_start(const char *name, const struct poller_rate *rate, struct poller **out)
{
	struct poller *poller = &fake.pollers[fake.nr_pollers];

	if (fake.start_err)
		return fake.start_err;
	assert_true(fake.nr_pollers < FAKE_POLLERS);
	snprintf(poller->name, sizeof(poller->name), "%s", name);
	poller->rate = *rate;
	snprintf(poller->locale, sizeof(poller->locale), "%s", setlocale(LC_CTYPE, NULL));
	fake.nr_pollers++;
	*out = poller;
	return 0;
}

const char *__wrap_poller_name(const struct poller *poller);
const char *__wrap_poller_name(const struct poller *poller)
{
	return poller->name;
}

void __wrap_poller_latest(struct poller *poller, struct sample *sample);
void __wrap_poller_latest(struct poller *poller, struct sample *sample)
{
	fake.nr_latest++;
	fake_pass(fake.read_ms);
	*sample = newest(poller);
}

bool __wrap_poller_wait(struct poller *poller, uint64_t after, int timeout_ms,
			struct sample *sample);
bool __wrap_poller_wait(struct poller *poller, uint64_t after, int timeout_ms,
			struct sample *sample)
{
	assert_in_range(timeout_ms, 0, PERIODIC_SLICE_MS);
	fake.nr_waits++;
	fake.last_after = after;
	*sample = newest(poller);
	for (; sample->number <= after && timeout_ms > 0; timeout_ms--) {
		fake_pass(1);
		*sample = newest(poller);
	}
	return sample->number > after;
}

void __wrap_poller_ask_stop(struct poller *poller);
void __wrap_poller_ask_stop(struct poller *poller)
{
	(void)poller;
}

void __wrap_poller_stop(struct poller *poller);
void __wrap_poller_stop(struct poller *poller)
{
	poller->stopped = true;
}

struct sample *fake_add(size_t poller, int64_t ms)
{
	struct poller *p = &fake.pollers[poller];
	struct sample *sample = &p->samples[p->count++];

	assert_true(p->count <= FAKE_SAMPLES);
	*sample = (struct sample){ .number = p->count,
				   .time = FAKE_BEGIN + ms,
				   .seen = FAKE_BEGIN + ms,
				   .state = {
					   .ram = 1000, .base = 1000, .left = 800, .taken = 200 } };
	return sample;
}

void fake_add_error(size_t poller, int64_t ms, int err, const char *why)
{
	struct sample *sample = fake_add(poller, ms);

	*sample = (struct sample){ .number = sample->number, .time = sample->time, .err = err };
	strcpy(sample->error, why);
}

/* ---- guests ---- */

int __wrap_guest_list(char ***names, size_t *count, char **error);
int __wrap_guest_list(char ***names, size_t *count, char **error)
{
	*error = NULL;
	*count = fake.nr_found + (fake.now >= fake.another_at);
	*names = malloc((*count + 1) * sizeof((*names)[0]));
	for (size_t i = 0; i < *count; i++) {
		(*names)[i] = malloc(16);
		snprintf((*names)[i], 16, "g%u", (unsigned)i & 0xff);
	}
	fake.nr_lists++;
	return 0;
}

static int state_fake(struct guest *guest, struct guest_state *state)
{
	*state = fake.state;
	return fake.state_err ? guest_fail(guest, fake.state_err, "the guest's own words") : 0;
}

static int stats_fake(struct guest *guest, struct guest_stats *stats)
{
	(void)guest;
	(void)stats;
	return 0;
}

static int find_driver_fake(struct guest *guest, const char *device, bool *driver_ok)
{
	const struct guest_mem_device *is = guest_find_device(&fake.state, device);

	*driver_ok = is->driver_ok;
	return is->has_driver ? 0 : guest_fail(guest, -ENOTSUP, "nobody tells");
}

static void close_fake(struct guest *guest)
{
	(void)guest;
}

static const struct guest_backend backend = {
	.state = state_fake,
	.find_driver = find_driver_fake,
	.stats = stats_fake,
	.close = close_fake,
};

int __wrap_guest_open(const char *name, int64_t deadline, struct guest **out, char **error);
int __wrap_guest_open(const char *name, int64_t deadline, struct guest **out, char **error)
{
	*error = NULL;
	*out = calloc(1, sizeof(**out));
	(*out)->backend = &backend;
	(*out)->name = strdup(name ? name : "web");
	(*out)->deadline = deadline;
	return 0;
}
