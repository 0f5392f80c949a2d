/* SPDX-License-Identifier: BSD-2-Clause */
/* watch_lines.c: guests that are watched by a program, a line of JSON for each look. */
#ifndef TOOLS_BALLOONCTL_WATCH_LINES_H
#define TOOLS_BALLOONCTL_WATCH_LINES_H

struct guest_set;

/*
 * Prints each look at each guest on a line of its own as soon as it is over, also those
 * at guests that come later, until a signal asks for the end or nobody reads the lines any
 * more.
 */
void watch_lines(struct guest_set *set);

#endif
