/* SPDX-License-Identifier: BSD-2-Clause */
/* A second QMP socket, and what balloonctl says: see balloonctl_harness.h. */
#include "tests/integration/balloonctl_harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEMPLATE "/tmp/aerostat-test-XXXXXX"

char balloonctl_folder[] = TEMPLATE, balloonctl_qmp[64], balloonctl_option[128];

int balloonctl_make_folder(void **state)
{
	(void)state;
	strcpy(balloonctl_folder, TEMPLATE);
	if (!mkdtemp(balloonctl_folder))
		return -1;
	snprintf(balloonctl_qmp, sizeof(balloonctl_qmp), "%s/second.qmp", balloonctl_folder);
	snprintf(balloonctl_option, sizeof(balloonctl_option), "-qmp unix:%s,server=on,wait=off",
		 balloonctl_qmp);
	return 0;
}

int balloonctl_remove_folder(void **state)
{
	(void)state;
	unlink(balloonctl_qmp);
	return rmdir(balloonctl_folder);
}

struct vm *balloonctl_boot(struct guest_options guest)
{
	guest.extra = balloonctl_option;
	return harness_boot(&guest);
}

void assert_end(const struct program_end *end, int status, const char *says)
{
	if (end->status != status ||
	    !strstr(says[0] == '!' ? end->err : end->out, says + (*says == '!')))
		fail_msg("status %d, not %d and \"%s\":\n%s%s", end->status, status, says, end->out,
			 end->err);
}
