/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers/virtio/virtio_mmio_parse.c: places of devices as a command line has them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/virtio/virtio_mmio.h"

#define BASE UINT64_C(0xfeb00e00)

static void assert_parsed(const char *text, uint64_t size, uint64_t base, uint32_t gsi)
{
	struct virtio_mmio_place got;

	if (virtio_mmio_parse(text, &got) != 0)
		fail_msg("\"%s\" is refused", text);
	assert_true(got.size == size && got.base == base && got.gsi == gsi);
	assert_true(got.has_irq);
	assert_false(got.level);
}

static void command_line_is_read_as_linux_reads_it(void **state)
{
	(void)state;
	assert_parsed("512@0xfeb00e00:12", 512, 0xfeb00e00, 12);
	assert_parsed("0x200@0xfeb00e00:0x18:3", 512, 0xfeb00e00, 24);
	assert_parsed("4K@3489660928:5", 4096, 0xd0000000, 5);
	assert_parsed("1M@0x1001e000:74:1", 1048576, 0x1001e000, 74);
	/* A number has 23 digits at most. */
	assert_parsed("512@0x0000000000000feb00e00:12", 512, 0xfeb00e00, 12);
}

static void bad_words_of_the_command_line_are_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"512",
		"512@",
		"512@0xfeb00e00",
		"512@0xfeb00e00:",
		"@0xfeb00e00:5",
		"512@:5",
		"512@0xfeb00e00:5:",
		"512@0xfeb00e00:5:1:1",
		"512@0xfeb00e00:5x",
		"512@0xfeb00e00:-1",
		"512@ 0xfeb00e00:5",
		"512@0xfeb00e00:4294967296",
		"512@0x1feb00e0000000000:5",
		"512@0x0000000000000000000000000000feb00e00:5",
		"512@0x00000000000000feb00e00:12",
		"512:0xfeb00e00@5",
		"5Q@0xfeb00e00:5",
	};
	struct virtio_mmio_place got = { .base = BASE };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (virtio_mmio_parse(texts[i], &got) != -EINVAL)
			fail_msg("\"%s\" is taken", texts[i]);
		assert_true(got.base == BASE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_line_is_read_as_linux_reads_it),
		cmocka_unit_test(bad_words_of_the_command_line_are_refused),
	};

	return cmocka_run_group_tests_name("virtio_mmio_parse", tests, NULL, NULL);
}
