/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page poison with the real guest: negotiated if it was asked for, and found
 * by the host in the guest's memory.
 */
#include "tests/integration/harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/deadline.h"

static void poison_is_accepted_if_and_only_if_it_is_used(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ .append = "poison=a5" });

	(void)state;
	harness_command_says(vm, "balloon", "PAGE_POISON");
	harness_take(vm, 64 * MIB);
	harness_take(vm, 0);
	harness_check_taken(vm, 0, false);
	harness_stop(vm);

	vm = harness_boot(&(struct guest_options){ .append = "poison=a5a5" });
	harness_command_says(vm, "dmesg", "poison=a5a5 is no byte");
	harness_command_says(vm, "virtio", "PAGE_POISON");
	char *text = harness_command(vm, "balloon");
	assert_null(strstr(text, "PAGE_POISON"));
	free(text);
	harness_stop(vm);
}

/* Counts the bytes of the file in frames that are full of `byte`. */
static uint64_t filled_with(int fd, uint8_t byte)
{
	uint8_t wanted[FRAME], frame[FRAME];
	uint64_t bytes = 0;

	memset(wanted, byte, sizeof(wanted));
	for (off_t at = 0; pread(fd, frame, sizeof(frame), at) == (ssize_t)sizeof(frame);
	     at += (off_t)FRAME)
		if (memcmp(frame, wanted, sizeof(frame)) == 0)
			bytes += FRAME;
	return bytes;
}

static void freed_frames_are_full_of_poison(void **state)
{
	static const struct {
		const char *append, *balloon;
		bool poisoned;
	} ways[] = {
		{ "poison=a5", "page-poison=on", true },
		{ NULL, "page-poison=on", false },
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char path[] = "/tmp/aerostat-memory-XXXXXX";
		int fd = mkstemp(path);
		struct vm *vm;
		uint64_t bytes;

		assert_true(fd >= 0);
		vm = harness_boot(&(struct guest_options){ .append = ways[i].append,
							   .balloon = ways[i].balloon,
							   .memory_file = path });
		unlink(path);
		harness_command_says(vm, "hold 64M", "held ");
		bytes = filled_with(fd, 0xa5);
		assert_true(bytes < 64 * MIB);
		harness_command_says(vm, "release all", "pattern intact");
		if (ways[i].poisoned)
			assert_true(filled_with(fd, 0xa5) >= bytes + 64 * MIB);
		else
			assert_int_equal(filled_with(fd, 0xa5), bytes);
		close(fd);
		harness_stop(vm);
	}
}

/* Until so many bytes more than `before` are poison: a task fills them when it is idle. */
static void wait_filled(int fd, uint64_t before, uint64_t more)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);

	while (filled_with(fd, 0xa5) < before + more)
		if (!deadline_left(deadline))
			fail_msg("%ju bytes are poison, of %ju + %ju",
				 (uintmax_t)filled_with(fd, 0xa5), (uintmax_t)before,
				 (uintmax_t)more);
}

static void what_comes_back_in_blocks_is_full_of_poison_in_the_end(void **state)
{
	char path[] = "/tmp/aerostat-memory-XXXXXX";
	int fd = mkstemp(path);
	struct vm *vm;
	uint64_t bytes;

	(void)state;
	assert_true(fd >= 0);
	vm = harness_boot(&(struct guest_options){ .append = "poison=a5", .memory_file = path });
	unlink(path);
	harness_take(vm, 64 * MIB + 5 * FRAME);
	bytes = filled_with(fd, 0xa5);
	harness_take(vm, 0);
	wait_filled(fd, bytes, 64 * MIB + 5 * FRAME);
	/* Longer than a block: the one who holds it fills it, and frees it unfilled. */
	harness_command_says(vm, "hold 128M 12", "held ");
	bytes = filled_with(fd, 0xa5);
	harness_command_says(vm, "release all", "pattern intact");
	wait_filled(fd, bytes, 128 * MIB);
	harness_command_says(vm, "audit", "Ledger: ok");
	close(fd);
	harness_stop(vm);
}

int poison_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(poison_is_accepted_if_and_only_if_it_is_used),
		TEST(freed_frames_are_full_of_poison),
		TEST(what_comes_back_in_blocks_is_full_of_poison_in_the_end),
	};

	return cmocka_run_group_tests_name("poison", tests, NULL, NULL);
}
