/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns are a semaphore that all processes share; see soak.h. */
#include "tests/soak/soak.h"

#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define TURNS 2 /* the machine has two cores */

static sem_t *turns;

void turn_prepare(void)
{
	turns = mmap(NULL, sizeof(*turns), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (turns == MAP_FAILED || sem_init(turns, 1, TURNS)) {
		perror("turns");
		exit(1);
	}
}

void turn_take(void)
{
	while (sem_wait(turns) && errno == EINTR)
		;
}

void turn_give(void)
{
	sem_post(turns);
}

void turn_rest(unsigned ms)
{
	turn_give();
	usleep(ms * 1000);
	turn_take();
}
