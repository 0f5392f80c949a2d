/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A sign of life: see life.h. QEMU keeps whole seconds of the time of an answer, so of two
 * in one second the second goes unnoticed: the guest is asked once a second. Only a change
 * counts, since QEMU's clock may be another machine's.
 */
#include <assert.h>
#include <errno.h>

#include "tools/balloonctl/life.h"
#include "tools/deadline.h"

#define ASK_MS 1000

/* QEMU asks at once if it did not ask before. */
static int ask(struct guest *guest, struct life *life, int64_t now)
{
	int err = 0;

	life->next_ask = now + ASK_MS;
	if (life->polls || life->interval)
		err = guest_set_interval(guest, 0);
	if (err)
		return err;
	life->polls = !life->interval;
	return guest_set_interval(guest, life->interval ? life->interval : 1);
}

static enum life_sign judge(const struct life *life, const struct guest_state *state,
			    const struct guest_stats *stats, int64_t now)
{
	if (stats->has_pulse ? stats->pulse != life->pulse
			     : stats->ever && stats->update != life->update)
		return LIFE_SHOWN;
	if (now - life->since < LIFE_MS)
		return LIFE_ASKED;
	return state->has_features || stats->ever || stats->has_pulse ? LIFE_SILENT : LIFE_MUTE;
}

int life_look(struct guest *guest, struct life *life, const struct guest_state *state,
	      enum life_sign *sign)
{
	int64_t now = deadline_now();
	struct guest_stats stats;
	int err;

	*sign = LIFE_MUTE;
	if (state->lacks_balloon || (state->has_features && !(state->accepted >> STATS_VQ_BIT & 1)))
		return 0;
	err = guest_stats(guest, &stats);
	if (err)
		return err;
	if (!life->asking) {
		life->asking = true;
		life->since = now;
		life->next_ask = now;
		life->update = stats.update;
		life->pulse = stats.pulse;
		if (!life->polls)
			life->interval = stats.interval;
	}
	*sign = judge(life, state, &stats, now);
	if (*sign == LIFE_ASKED && !stats.has_pulse && now >= life->next_ask)
		err = ask(guest, life, now);
	if (err != -EREMOTEIO)
		return err;
	/* It cannot be asked in this way. */
	*sign = LIFE_MUTE;
	return 0;
}

void life_forget(struct life *life)
{
	life->asking = false;
}

void life_end(struct guest *guest, struct life *life)
{
	assert(!life->polls || life->interval == 0);
	if (life->polls)
		guest_set_interval(guest, 0);
	life->polls = false;
}
