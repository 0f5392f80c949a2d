/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metrics.c: samples of guests in Prometheus' text format (version 0.0.4):
 * base units, all lines of a metric together, unknown values absent. Which of its
 * conditions a guest is in is a set of states: one of them is 1. Values stand
 * beside their ages.
 */
#ifndef TOOLS_BALLOONCTL_METRICS_H
#define TOOLS_BALLOONCTL_METRICS_H

#include <stddef.h>
#include <stdio.h>

#include "tools/balloonctl/poller.h"

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct metrics_guest {
	const char *name;
	const struct sample *sample;
	int64_t now; /* by deadline_now() */
	bool hangs;  /* it has not answered for too long, and its poller still waits */
};

/* Writes all metrics of `count` guests; the caller checks whether the file could be written. */
void metrics_write(FILE *file, const struct metrics_guest *guests, size_t count);

#endif
