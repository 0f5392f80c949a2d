/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands of balloonctl, in the order of --help. Each is in the file of its
 * name, but take and give, which are in set.c, and shrink, which is in grow.c.
 */
#include "tools/balloonctl/command.h"

const struct command *const commands[] = {
	&command_list, &command_status, &command_set,	&command_take,	&command_give,
	&command_grow, &command_shrink, &command_stats, &command_watch, &command_record,
	&command_plot, &command_export, &command_dump,	NULL,
};
