/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hyper-V's side with guests at random: a good one, beside a model of which frames it has given;
 * and one that does whatever comes to its mind, which the sanitizers watch. A seed as an argument
 * repeats a walk.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/random.h"
#include "tests/unit/hypervisor/hyperv_guest.h"

#define STEPS 3000
#define FRAMES 4096 /* that the good guest gives of, from GUEST_FREE on */

static uint64_t dice;

static union {
	struct dm_header header;
	struct dm_balloon balloon;
	struct dm_unballoon unballoon;
	uint8_t bytes[DM_MESSAGE_MAX];
} packet;

static bool given[FRAMES];

static uint64_t given_count(void)
{
	uint64_t count = 0;

	for (size_t i = 0; i < FRAMES; i++)
		count += given[i];
	return count;
}

/* ---- A good guest ---- */

/* A run of frames that it has, of at most `most`, from a place at random; 0: it has none. */
static uint64_t choose_run(uint64_t most, uint64_t *first)
{
	uint64_t from = random_below(&dice, FRAMES), i = 0, count = 0;

	while (i < FRAMES && given[(from + i) % FRAMES])
		i++;
	*first = (from + i) % FRAMES;
	while (count < most && *first + count < FRAMES && !given[*first + count])
		count++;
	return count;
}

/* Gives what it is asked for, and now and then less. */
static void answer_balloon(uint64_t pages)
{
	struct {
		struct dm_balloon_response head;
		uint64_t range[8];
	} response;
	uint64_t left = random_below(&dice, 8) == 0 ? pages / 2 : pages, first = 0;
	bool more = true;

	while (more) {
		uint32_t ranges = 0, most = 1 + (uint32_t)random_below(&dice, 8);

		while (ranges < most && left > 0) {
			uint64_t count = choose_run(left, &first);

			if (count == 0)
				break;
			memset(&given[first], true, count);
			response.range[ranges++] = (GUEST_FREE + first) | count << 40;
			left -= count;
		}
		more = left > 0 && ranges > 0;
		response.head.more_and_count = ranges << DM_COUNT_SHIFT | more;
		guest_send(&response, DM_BALLOON_RESPONSE,
			   (uint32_t)(sizeof(response.head) + 8 * ranges));
	}
}

static void take_back(void)
{
	struct dm_header response;

	for (uint32_t i = 0; i < packet.unballoon.range_count; i++) {
		uint64_t first = (packet.unballoon.range[i] & ((UINT64_C(1) << 40) - 1));
		uint64_t count = packet.unballoon.range[i] >> 40;

		assert_in_range(first, GUEST_FREE, GUEST_FREE + FRAMES - count);
		for (uint64_t n = first - GUEST_FREE; n < first - GUEST_FREE + count; n++) {
			assert_true(given[n]);
			given[n] = false;
			memset(guest_page(GUEST_FREE + n), 1, FRAME_SIZE);
		}
	}
	if (!packet.unballoon.more)
		guest_send(&response, DM_UNBALLOON_RESPONSE, sizeof(response));
}

static void do_what_is_asked(void)
{
	while (guest_receive(&packet) > 0) {
		if (packet.header.type == DM_BALLOON)
			answer_balloon(packet.balloon.pages);
		else if (packet.header.type == DM_UNBALLOON)
			take_back();
	}
}

static void reach_again(void)
{
	do_what_is_asked();
	guest_close_channel();
	guest_open_channel();
	/* Or the host asks before the guest has read what it waits for. */
	hv_control.common.target = given_count();
	guest_negotiate();
}

static void a_good_guest_and_its_host_agree_on_each_frame(void **state)
{
	(void)state;
	guest_begin(0);
	guest_reach(HYPERV_READY);
	memset(given, 0, sizeof(given));
	for (unsigned step = 0; step < STEPS; step++) {
		hv_control.common.target = random_below(&dice, FRAMES);
		hyperv_control()->wish.order = (uint32_t)random_below(&dice, 4);
		hyperv_control()->wish.ranges_most = (uint32_t)random_below(&dice, 3) * 7;
		hyperv_control()->wish.ask_most = (uint32_t)random_below(&dice, 2) * 100;
		hyperv_control()->wish.polls = (uint32_t)random_below(&dice, 2);
		sim_machine_time += random_below(&dice, 20000000);
		sim_machine_ring();
		if (random_below(&dice, 50) == 0)
			reach_again();
		do_what_is_asked();
		if (sim_machine_violation())
			fail_msg("%s", sim_machine_violation());
		assert_int_equal(hyperv_control()->seen.ballooned, given_count());
		for (uint64_t i = 0; i < FRAMES; i++)
			assert_int_equal(host_frames_has(GUEST_FREE + i), given[i]);
	}
	assert_true(hyperv_control()->seen.given > STEPS * UINT64_C(100));
}

/* ---- A mad one ---- */

static void scribble(uint64_t pfn)
{
	uint8_t *page;
	uint64_t at = random_below(&dice, FRAME_SIZE), count = 1 + random_below(&dice, 64);

	if (host_frames_has(pfn))
		return;
	page = guest_page(pfn);
	for (uint64_t i = at; i < at + count && i < FRAME_SIZE; i++)
		page[i] = (uint8_t)random_below(&dice, random_below(&dice, 2) ? 8 : 256);
}

static void post_nonsense(void)
{
	struct hv_post_message *input = guest_page(GUEST_INPUT);
	uint32_t types[] = { 1, 3, 5, 7, 8, 9, 11, 13, 14, 16 };

	if (host_frames_has(GUEST_INPUT))
		return;
	memset(input, 0, sizeof(*input));
	for (unsigned i = 0; i < 60; i++)
		input->payload[random_below(&dice, 240)] = (uint8_t)random_below(&dice, 256);
	memcpy(input->payload, &types[random_below(&dice, 10)], 4);
	if (random_below(&dice, 2))
		memcpy(input->payload + 8, &guest_dm.relid, 4);
	input->connection = guest_connection;
	input->type = HV_MESSAGE_CHANNEL;
	input->size = (uint32_t)random_below(&dice, 250);
	guest_hypercall(HV_POST_MESSAGE, GUEST_INPUT * FRAME_SIZE, 0);
}

/* A packet whose payload begins as one of dm's. */
static void send_nonsense(void)
{
	uint8_t bytes[128];
	uint16_t type = (uint16_t)random_below(&dice, 14), size = sizeof(bytes);

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)random_below(&dice, random_below(&dice, 2) ? 3 : 256);
	memcpy(bytes, &type, 2);
	if (random_below(&dice, 2))
		size = (uint16_t)(8 * random_below(&dice, 17));
	memcpy(bytes + 2, &size, 2);
	if (host_frames_has(GUEST_RINGS) || guest_ring(false)->write % 8 != 0 ||
	    guest_ring(false)->write >= GUEST_RING_BYTES)
		return;
	for (uint64_t i = 0; i < GUEST_RING_FRAMES; i++)
		if (host_frames_has(GUEST_RINGS + i))
			return;
	guest_put(bytes, (uint32_t)random_below(&dice, sizeof(bytes) + 1));
	guest_hypercall(HV_SIGNAL_EVENT | HV_CALL_FAST, guest_dm.connection, 0);
}

static void set_lies(void)
{
	uint32_t *lies = (uint32_t *)&hyperv_control()->lie;
	size_t words = sizeof(hyperv_control()->lie) / sizeof(*lies);

	memset(lies, 0, words * sizeof(*lies));
	if (random_below(&dice, 2))
		lies[random_below(&dice, words)] = (uint32_t)random_below(&dice, 1 << 14);
	hyperv_control()->lie.storm %= 100;
}

static void do_anything(void)
{
	uint8_t message[HV_MESSAGE_PAYLOAD];
	uint8_t vector;

	switch (random_below(&dice, 10)) {
	case 0:
		post_nonsense();
		break;
	case 1:
	case 2:
	case 3:
		send_nonsense();
		break;
	case 4:
		scribble(GUEST_FIRST + random_below(&dice, 32));
		break;
	case 5:
		sim_machine_msr_write(0x40000080 + (uint32_t)random_below(&dice, 0x20),
				      random_below(&dice, 2) << 16 | random_below(&dice, 256));
		break;
	case 6:
		set_lies();
		break;
	case 7:
		hv_control.common.target = random_below(&dice, FRAMES);
		hyperv_control()->wish.order = (uint32_t)random_below(&dice, 4);
		sim_machine_time += random_below(&dice, 20000000);
		break;
	case 8:
		while (sim_machine_take_interrupt(&vector))
			;
		guest_hypercall(random_below(&dice, 0x100) << 32 |
					(0x8000 + random_below(&dice, 4)),
				(GUEST_FIRST + random_below(&dice, 40)) * FRAME_SIZE,
				(GUEST_FIRST + random_below(&dice, 40)) * FRAME_SIZE);
		break;
	default:
		if (!host_frames_has(GUEST_MESSAGES))
			memcpy(message, guest_page(GUEST_MESSAGES), sizeof(message));
		break;
	}
	sim_machine_ring();
}

static void a_mad_guest_does_the_host_no_harm(void **state)
{
	(void)state;
	for (unsigned life = 0; life < 100; life++) {
		guest_begin(1024);
		guest_reach((enum hyperv_progress)(HYPERV_SYNIC + random_below(&dice, 5)));
		for (unsigned step = 0; step < 200; step++)
			do_anything();
		/* A reset makes all good again. */
		memset(&hyperv_control()->lie, 0, sizeof(hyperv_control()->lie));
		hv_control.common.target = 0;
		sim_machine_restart();
		assert_int_equal(host_frames_count(), 1024);
		assert_int_equal(hyperv_control()->seen.ballooned, 0);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_guest_and_its_host_agree_on_each_frame),
		cmocka_unit_test(a_mad_guest_does_the_host_no_harm),
	};

	dice = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
