/* SPDX-License-Identifier: BSD-2-Clause */
/* See pressure_harness.h for the contract. */
#include "tests/integration/pressure_harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/deadline.h"

#define POLL_US 50000

/* How often the situations are gone through: more with SLOW=1, PRESSURES times in the soak. */
unsigned pressure_rounds(void)
{
	const char *many = getenv("PRESSURES");

	if (many)
		return (unsigned)strtoul(many, NULL, 10);
	return getenv("SLOW") ? 3 : 1;
}

/* ---- Disks ---- */

/* A file of zeros without a name: it goes with the test's process. */
int pressure_make_file(uint64_t bytes)
{
	char path[] = "/tmp/aerostat-disk-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	return fd;
}

/* QEMU's words for a disk of `bytes` with that serial; `more` goes to the file's node. */
void pressure_add_disk(char *extra, size_t size, const char *serial, int fd, const char *more)
{
	size_t at = strlen(extra);

	snprintf(extra + at, size - at,
		 " -blockdev driver=file,filename=/proc/%d/fd/%d,node-name=%s%s"
		 " -device virtio-blk-pci,drive=%s,serial=%s,id=disk-%s",
		 (int)getpid(), fd, serial, more, serial, serial, serial);
}

/* ---- What the guest says ---- */

/* The number before `unit` in a line that begins with `start`; 0: there is none. */
static uint64_t number_before(const char *text, const char *start, const char *unit)
{
	const char *line = strstr(text, start), *end = line ? strchr(line, '\n') : NULL;
	const char *at = line ? strstr(line, unit) : NULL;

	if (!at || (end && at > end))
		return 0;
	while (at > line && at[-1] >= '0' && at[-1] <= '9')
		at--;
	return strtoull(at, NULL, 10);
}

/* Waits until a workload, "stress 8:", has done so many of " touches" or " pages verified". */
void pressure_wait_workload(struct vm *vm, const char *workload, const char *what, uint64_t wanted)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);
	uint64_t got = 0;
	char *text = NULL;

	while (got < wanted && deadline_left(deadline)) {
		free(text);
		text = harness_command(vm, "stress");
		assert_null(strstr(text, "WRONG"));
		got = number_before(text, workload, what);
		usleep(POLL_US);
	}
	if (got < wanted)
		fail_msg("%s has %lu of %lu%s: %s", workload, got, wanted, what, text);
	free(text);
}

/* Ends all workloads; then nothing is theirs, and the ledger is whole. */
void pressure_stop_all(struct vm *vm)
{
	harness_command_says(vm, "stress stop all", "");
	harness_wait_says(vm, "stress", "no workload runs", true);
	harness_wait_says(vm, "owners -j", "\"anonymous\":0,", true);
	harness_command_says(vm, "audit", "Ledger: ok");
	harness_wait_says(vm, "dmesg", "is not what was written", false);
}

/* ---- The situation in words ---- */

/* Waits until `pressure` names it, and why tasks wait, if that is asked for. */
void pressure_wait_situation(struct vm *vm, const char *word, const char *cause)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);
	bool named = false;
	char *text = NULL, wanted[64];

	snprintf(wanted, sizeof(wanted), "\"situation\":\"%s\"", word);
	while (!named && deadline_left(deadline)) {
		free(text);
		usleep(POLL_US);
		text = harness_command(vm, "pressure -j");
		named = strstr(text, wanted) && (!cause || strstr(text, cause));
	}
	if (!named)
		fail_msg("`pressure` does not say %s%s%s: %s", word, cause ? ", " : "",
			 cause ? cause : "", text);
	free(text);
}
