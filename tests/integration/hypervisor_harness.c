/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests inside the hypervisor for tests; see hypervisor_harness.h. */
#include "tests/integration/hypervisor_harness.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/deadline.h"

#define POLL_US 1000

struct inside inside_boot(struct guest_options guest)
{
	char path[] = "/tmp/aerostat-memory-XXXXXX";
	struct inside inside;
	int fd = mkstemp(path), err;

	assert_true(fd >= 0);
	close(fd);
	guest.memory_file = path;
	if (!guest.hypervisor)
		guest.hypervisor = "plain";
	inside.vm = harness_boot(&guest);
	err = hypervisor_open(path, &inside.hypervisor, NULL);
	unlink(path);
	if (err)
		fail_msg("no control block in the guest's memory: %s", strerror(-err));
	inside.common = hypervisor_common(inside.hypervisor);
	return inside;
}

void inside_close(struct inside *inside)
{
	hypervisor_close(inside->hypervisor);
	inside->hypervisor = NULL;
}

void inside_stop(struct inside *inside)
{
	struct hv_control_common common = *(struct hv_control_common *)inside->common;

	if (common.violation[0])
		fail_msg("the guest: %.*s", HV_CONTROL_TEXT, common.violation);
	if (common.death[0])
		fail_msg("%.*s", HV_CONTROL_TEXT, common.death);
	if (common.touched)
		fail_msg("the guest touched what the host has %ju times, last %#jx at RIP %#jx",
			 (uintmax_t)common.touched, (uintmax_t)common.touched_address,
			 (uintmax_t)common.touched_rip);
	harness_stop(inside->vm);
	inside_close(inside);
}

static void wait_between(volatile uint64_t *field, uint64_t least, uint64_t most, const char *what)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);

	for (uint64_t is = *field; is < least || is > most; is = *field) {
		if (deadline_left(deadline) == 0)
			fail_msg("%s is %ju, not %ju", what, (uintmax_t)is, (uintmax_t)least);
		usleep(POLL_US);
	}
}

void inside_wait(volatile uint64_t *field, uint64_t value, const char *what)
{
	wait_between(field, value, value, what);
}

void inside_wait_least(volatile uint64_t *field, uint64_t value, const char *what)
{
	wait_between(field, value, UINT64_MAX, what);
}

/* Rings that come together are one, so each is waited for. */
void inside_ring(struct inside *inside)
{
	uint64_t before = inside->common->rings;

	harness_execute(inside->vm, "inject-nmi");
	inside_wait(&inside->common->rings, before + 1, "the number of rings");
}
