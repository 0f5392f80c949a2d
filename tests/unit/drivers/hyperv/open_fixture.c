/* SPDX-License-Identifier: BSD-2-Clause */
/* A host that takes messages, and answers; see open_fixture.h. */
#include "tests/unit/drivers/hyperv/open_fixture.h"

#include "drivers/hyperv/hyperv.h"

#define REFUSED 0xc0000001

struct open_host host;

struct vmbus_channel *channel;
struct wait_queue waiters;
uint64_t interrupt_page[FRAME_SIZE / sizeof(uint64_t)];

static void say(union vmbus_message answer)
{
	if (!(host.mute & UINT32_C(1) << answer.header.type)) {
		host.answer = answer;
		host.answers = true;
	}
}

static uint32_t status_of(uint32_t type)
{
	return host.refused & UINT32_C(1) << type ? REFUSED : 0;
}

static void take_frames(uint32_t gpadl, size_t bytes)
{
	assert_true(bytes % 8 == 0 && bytes / 8 <= host.frames_left);
	host.frames_left -= (uint32_t)(bytes / 8);
	if (host.frames_left == 0)
		say((union vmbus_message){
			.gpadl_created = { .header = { .type = VMBUS_GPADL_CREATED },
					   .relid = RELID,
					   .gpadl = gpadl,
					   .status = status_of(VMBUS_GPADL_CREATED) } });
}

static void answer(const union posted *posted, size_t size)
{
	switch (posted->header.type) {
	case VMBUS_GPADL_HEADER:
		host.frames_left = (posted->gpadl_header.range_bytes - 8u) / 8;
		take_frames(posted->gpadl_header.gpadl,
			    size - offsetof(struct vmbus_gpadl_header, frame));
		break;
	case VMBUS_GPADL_BODY:
		take_frames(posted->gpadl_body.gpadl,
			    size - offsetof(struct vmbus_gpadl_body, frame));
		break;
	case VMBUS_OPEN:
		say((union vmbus_message){
			.open_result = { .header = { .type = VMBUS_OPEN_RESULT },
					 .relid = posted->open.relid,
					 .open_id = posted->open.open_id,
					 .status = status_of(VMBUS_OPEN_RESULT) } });
		break;
	case VMBUS_GPADL_TEARDOWN:
		say((union vmbus_message){
			.gpadl_torndown = { .header = { .type = VMBUS_GPADL_TORNDOWN },
					    .gpadl = posted->teardown.gpadl } });
		break;
	}
}

void open_rescind(void)
{
	const union vmbus_message message = {
		.relid = { .header = { .type = VMBUS_RESCIND_OFFER }, .relid = RELID },
	};

	assert_null(vmbus_channels_handle(&message));
}

/* ---- In place of vmbus_message.c, synic.c and hyperv.c ---- */

int vmbus_post(const void *message, size_t size)
{
	union posted *posted = &host.posted[host.posts];

	assert_true(host.posts < POSTS_MAX && size <= sizeof(*posted));
	memcpy(posted, message, size);
	host.sizes[host.posts++] = size;
	if (host.fault)
		return -EIO;
	if (posted->header.type == host.failing && --host.failing_at == 0)
		return host.err;
	if (posted->header.type == host.rescinds_at)
		open_rescind();
	else if (posted->header.type == host.fails_at)
		host.fault = "the host is given up";
	else
		answer(posted, size);
	return 0;
}

int vmbus_await(bool (*done)(const void *arg), const void *arg)
{
	if (host.answers)
		assert_null(vmbus_channels_handle(&host.answer));
	host.answers = false;
	if (done(arg))
		return 0;
	return host.fault ? -EIO : -ETIMEDOUT;
}

bool vmbus_message_has_left(void)
{
	return host.has_left;
}

const char *vmbus_ignore(void)
{
	host.ignored++;
	return NULL;
}

const char *vmbus_host_fault(void)
{
	return host.fault;
}

uint32_t hyperv_vp_index(void)
{
	return 3;
}

int hyperv_signal_event(uint32_t connection)
{
	host.signals++;
	host.signalled = connection;
	return host.signal_err;
}

void synic_listen(struct synic_listener *listener)
{
	assert_null(host.listener);
	host.listener = listener;
}

void synic_unlisten(struct synic_listener *listener)
{
	assert_ptr_equal(host.listener, listener);
	host.listener = NULL;
}

/* ---- What tests share ---- */

struct vmbus_channel *open_offered(uint32_t relid)
{
	const union vmbus_message message = {
		.offer = { .header = { .type = VMBUS_OFFER },
			   .relid = relid,
			   .dedicated_interrupt = VMBUS_DEDICATED_INTERRUPT,
			   .connection = CONNECTION },
	};
	struct vmbus_channel *found;

	assert_null(vmbus_channels_handle(&message));
	found = vmbus_channels_new();
	vmbus_channel_announce(found, NULL);
	return found;
}

int open_set_up(void **state)
{
	(void)state;
	memset(&host, 0, sizeof(host));
	memset(interrupt_page, 0, sizeof(interrupt_page));
	sim_frame_reset();
	sim_log_reset();
	sim_time_reset();
	vmbus_channels_begin();
	vmbus_open_begin(interrupt_page);
	channel = open_offered(RELID);
	return 0;
}

void open_channel(void)
{
	assert_int_equal(vmbus_open(channel, VMBUS_ORDER_MIN, &waiters), 0);
	host.posts = 0;
}
