/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands, and what is to be known of their answers; see vmware_balloon_call.h. Any answer may
 * say anything: a status that a command cannot have is nonsense, and as good as none.
 */
#include "drivers/balloon/port/vmware_balloon_call.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/vmware.h"
#include "kernel/lib/log.h"

/* A physical address has 52 bits: no target is larger, whatever is said. */
#define TARGET_MAX (UINT64_C(1) << (52 - FRAME_SHIFT))

static struct {
	uint32_t capabilities;
	uint64_t target;
	bool forgotten;
	uint64_t failing_awake;			 /* DEADLINE_NEVER: it is not */
	char sentence[VMWARE_CALL_SENTENCE_MAX]; /* while it is */
	bool well[VMWARE_COMMANDS];		 /* its last answer was neither nonsense nor BUSY */
	char unsaid[VMWARE_CALL_SENTENCE_MAX];	 /* a line's; empty: there is none */
	uint64_t said_ns;
	struct vmware_call_counts counts[VMWARE_COMMANDS];
} host = { .failing_awake = DEADLINE_NEVER };

void vmware_call_forget(void)
{
	host = (typeof(host)){ .failing_awake = DEADLINE_NEVER };
	for (size_t i = 0; i < VMWARE_COMMANDS; i++)
		host.well[i] = true;
}

/* ---- Names ---- */

#define COMMAND_NAME(constant, number) [constant] = #constant,
static const char *const command_names[VMWARE_COMMANDS] = { VMWARE_COMMANDS_TABLE(COMMAND_NAME) };

static const char *short_name(const char *constant)
{
	return constant + strlen(VMWARE_PREFIX);
}

static const char *status_name(uint32_t status)
{
#define STATUS_NAME(constant, number) { constant, #constant },
	static const struct {
		uint32_t status;
		const char *name;
	} names[] = { VMWARE_STATUS_TABLE(STATUS_NAME) };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].status == status)
			return short_name(names[i].name);
	return NULL;
}

static void make_sentence(enum vmware_command command, uint32_t status)
{
	const char *asked = short_name(command_names[command]), *answer = status_name(status);

	if (answer)
		snprintf(host.sentence, sizeof(host.sentence), "it answers %s with %s", asked,
			 answer);
	else
		snprintf(host.sentence, sizeof(host.sentence),
			 "it answers %s with status %#" PRIx32, asked, status);
}

/* ---- Answers ---- */

static bool is_success(enum vmware_command command, uint32_t status)
{
	return status == VMWARE_SUCCESS ||
	       (command == VMWARE_START && status == VMWARE_SUCCESS_WITH_CAPABILITIES);
}

/* Whether a command may be answered so by a host that is well. */
static bool makes_sense(enum vmware_command command, uint32_t status)
{
	bool about_frame = command == VMWARE_LOCK || command == VMWARE_UNLOCK;

	switch (status) {
	case VMWARE_PPN_INVALID:
	case VMWARE_PPN_LOCKED:
	case VMWARE_PPN_UNLOCKED:
	case VMWARE_PPN_PINNED:
		return about_frame;
	case VMWARE_PPN_NOTNEEDED:
		return command != VMWARE_START && command != VMWARE_GET_TARGET;
	case VMWARE_RESET:
	case VMWARE_BUSY:
		return true;
	default:
		return is_success(command, status);
	}
}

/* Of what goes on and on there is one line, at its begin; of START the port says what it means. */
static void note_answer(enum vmware_command command, uint32_t status)
{
	bool was_well = host.well[command], fails = !makes_sense(command, status);

	host.well[command] = !fails && status != VMWARE_BUSY;
	if (!fails)
		host.failing_awake = DEADLINE_NEVER;
	if (host.well[command])
		return;
	make_sentence(command, status);
	if (fails && host.failing_awake == DEADLINE_NEVER)
		host.failing_awake = clock_awake_ns();
	if (was_well && command != VMWARE_START)
		memcpy(host.unsaid, host.sentence, sizeof(host.unsaid));
}

void vmware_call_say(void)
{
	char line[VMWARE_CALL_SENTENCE_MAX];

	if (host.unsaid[0] == '\0')
		return;
	memcpy(line, host.unsaid, sizeof(line));
	host.unsaid[0] = '\0';
	if (log_is_due(&host.said_ns, clock_ns()))
		log_warn("balloon: VMware: %s", line);
}

static struct vmware_answer give(enum vmware_command command, uint64_t first, uint32_t second)
{
	struct vmware_answer answer = vmware_balloon_command(command, first, second);

	assert(command < VMWARE_COMMANDS);
	host.counts[command].calls++;
	if (!is_success(command, answer.status))
		host.counts[command].failed++;
	note_answer(command, answer.status);
	return answer;
}

uint32_t vmware_call(enum vmware_command command, uint64_t first, uint32_t second)
{
	struct vmware_answer answer = give(command, first, second);
	bool wide = host.capabilities & VMWARE_64_BIT_TARGET;

	assert(command != VMWARE_START);
	if (answer.status == VMWARE_RESET)
		host.forgotten = true;
	/* That of GUEST_ID has no result. */
	if (answer.status == VMWARE_SUCCESS && command != VMWARE_GUEST_ID)
		host.target = wide ? min_u64(answer.result, TARGET_MAX) : (uint32_t)answer.result;
	return answer.status;
}

/* ---- Begin and end ---- */

static int start_error(uint32_t status)
{
	switch (status) {
	case VMWARE_SUCCESS:
	case VMWARE_SUCCESS_WITH_CAPABILITIES:
		return 0;
	case VMWARE_RESET:
	case VMWARE_BUSY:
		return -EAGAIN;
	case VMWARE_FAILURE:
		return -ENODEV;
	default:
		return -EIO;
	}
}

/* A host from before there were capabilities has something else in their place. */
static uint32_t agreed(const struct vmware_answer *answer)
{
	uint32_t common = answer->status == VMWARE_SUCCESS
				  ? VMWARE_BASIC
				  : answer->capabilities & VMWARE_CALL_CAPABILITIES;

	/* Blocks go in the same page. */
	return common & VMWARE_BATCHED ? common : common & ~(uint32_t)VMWARE_BATCHED_2M;
}

int vmware_call_start(void)
{
	struct vmware_answer answer = give(VMWARE_START, VMWARE_CALL_CAPABILITIES, 0);
	int err = start_error(answer.status);

	host.capabilities = err ? 0 : agreed(&answer);
	host.target = 0;
	host.forgotten = err;
	if (err || (host.capabilities & (VMWARE_BASIC | VMWARE_BATCHED)))
		return err;
	/* It counts on this guest by now. */
	vmware_call_end();
	return -ENOTSUP;
}

int vmware_call_end(void)
{
	struct vmware_answer answer = give(VMWARE_START, 0, 0);
	/* Reset, it has nothing, either. */
	int err = answer.status == VMWARE_RESET ? 0 : start_error(answer.status);

	if (err)
		return err;
	host.capabilities = 0;
	host.target = 0;
	host.forgotten = true;
	return 0;
}

/* ---- For the other files ---- */

uint32_t vmware_call_capabilities(void)
{
	return host.capabilities;
}

uint64_t vmware_call_target(void)
{
	return host.target;
}

bool vmware_call_is_forgotten(void)
{
	return host.forgotten;
}

uint64_t vmware_call_failing_awake(const char **what)
{
	*what = host.failing_awake == DEADLINE_NEVER ? NULL : host.sentence;
	return host.failing_awake;
}

void vmware_call_counts(enum vmware_command command, struct vmware_call_counts *counts)
{
	assert(command < VMWARE_COMMANDS);
	*counts = host.counts[command];
}
