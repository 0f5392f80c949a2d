/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From reset to running and back: a host that breaks the rules is given up, one that
 * asks for a reset gets it, and one that was given up may be tried again. After each of
 * these every frame has its owner. For balloon.c.
 */
#ifndef DRIVERS_BALLOON_BALLOON_RECOVERY_H
#define DRIVERS_BALLOON_BALLOON_RECOVERY_H

#include "drivers/balloon/balloon_port.h"

struct balloon;

/* Frees all frames, wherever they are: the host has nothing any more. */
void balloon_take_back_all(struct balloon *balloon);

/* Leaves the balloon's frames in-flight for ever: the host goes, and keeps them. */
void balloon_forsake_all(struct balloon *balloon);

/*
 * Brings the port from reset to running. -ENODEV, -ENOTSUP, -EIO, -ENOMEM, -ETIMEDOUT: as
 * the port's start().
 */
int balloon_start_port(struct balloon *balloon);

/*
 * Resets a host that broke the rules; nothing more is expected of it. One that does not
 * even finish its reset may still discard what it has: then all of that stays in-flight.
 */
void balloon_give_up(struct balloon *balloon, enum balloon_fault fault);

/*
 * Resets and starts anew a host that asks for it, which is no fault to punish: frames in
 * the balloon stay there, and those under way return to where they came from. Or it has
 * forgotten everything: then nothing is in the balloon. The next round goes on to the
 * target.
 */
void balloon_recover(struct balloon *balloon, enum balloon_fault fault);

/*
 * Resets and starts anew a host that was given up: frames in the balloon stay there,
 * and those in-flight return to where they came from. -ETIMEDOUT: it does not finish its
 * reset, and nothing has changed; -EIO: it is gone; else the errors of its start(). Then it
 * stays given up, and `*why` is the reason, for people.
 */
int balloon_revive(struct balloon *balloon, const char **why);

#endif
