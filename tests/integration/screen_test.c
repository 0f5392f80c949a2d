/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the console's commands print: for people, on lines of 80 columns; for programs,
 * objects that fit their schemas.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/integration/harness.h"
#include "tests/integration/program.h"
#include "tests/schema/schema.h"

#define COLUMNS 80

/* Much to show: large numbers, many devices of many kinds, all features. */
static const struct guest_options rich = {
	.mem = "900G",
	.balloon = "deflate-on-oom=on,free-page-reporting=on,page-poison=on,bus=rp",
	.append = "poison=a5",
	.extra = "-device pcie-root-port,id=rp,chassis=1,slot=1 -device virtio-rng-pci "
		 "-device e1000e -device nec-usb-xhci -device virtio-scsi-pci -device ich9-ahci "
		 "-device virtio-serial-pci"
};

static size_t columns_of(const char *line, size_t length)
{
	size_t column = 0;

	for (size_t i = 0; i < length; i++)
		column = line[i] == '\t' ? (column / 8 + 1) * 8 : column + 1;
	return column;
}

static void check_columns(const char *what, const char *text)
{
	for (size_t length; *text; text += length + (text[length] != '\0')) {
		length = strcspn(text, "\n");
		if (columns_of(text, length) > COLUMNS)
			fail_msg("`%s` has a line of %zu columns: %.*s", what,
				 columns_of(text, length), (int)length, text);
	}
}

static void check_command(struct vm *vm, const char *line)
{
	char *answer = harness_command(vm, line);

	check_columns(line, answer);
	free(answer);
}

/* Calls `help NAME` for each command that `help` lists. */
static void check_all_help(struct vm *vm)
{
	char *list = harness_command(vm, "help"), line[64];
	size_t count = 0;

	check_columns("help", list);
	for (const char *at = list; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		size_t length = strcspn(at, " \n");

		if (length == 0)
			continue;
		snprintf(line, sizeof(line), "help %.*s", (int)length, at);
		check_command(vm, line);
		count++;
	}
	assert_true(count > 20);
	free(list);
}

static void every_command_fits_80_columns(void **state)
{
	static const char *const lines[] = {
		"show_mem", "balloon",	"stats",    "owners",  "audit",	      "virtio",
		"lspci",    "lspci -v", "events",   "console", "uptime",      "ps",
		"features", "boot",	"hold 1M",  "held",    "release all", "heap 1M",
		"version",  "lsmem",	"pressure", "lsblk",
	};
	struct vm *vm = harness_boot(&rich);

	(void)state;
	/* Long figures; it is on its way meanwhile. */
	harness_set_target(vm, 700 * GIB);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		check_command(vm, lines[i]);
	check_all_help(vm);
	harness_stop(vm);
}

static void make_help_fits_80_columns(void **state)
{
	static const char *const argv[] = { "/bin/sh", "-c", "make -s help", NULL };
	const struct program_end *end = program_run(argv);

	(void)state;
	assert_int_equal(end->status, 0);
	assert_non_null(strstr(end->out, "make test "));
	check_columns("make help", end->out);
}

static void check_object(struct vm *vm, const char *line, const char *schema)
{
	char *answer = harness_command(vm, line), error[SCHEMA_ERROR];

	/* One object, on one line. */
	assert_int_equal(strcspn(answer, "\n") + 1, strlen(answer));
	if (schema_check(schema, answer, error))
		fail_msg("`%s`: %s\n%s", line, error, answer);
	free(answer);
}

static void check_all_objects(struct vm *vm)
{
	check_object(vm, "version -j", "guest-version");
	check_object(vm, "show_mem -j", "guest-show-mem");
	check_object(vm, "owners -j", "guest-owners");
	check_object(vm, "audit -j", "guest-audit");
	check_object(vm, "virtio -j", "guest-virtio");
	check_object(vm, "lspci -j", "guest-lspci");
	check_object(vm, "lsmem -j", "guest-lsmem");
	check_object(vm, "lsblk -j", "guest-lsblk");
	check_object(vm, "events -j", "guest-events");
	check_object(vm, "pressure -j", "guest-pressure");
}

static void every_object_fits_its_schema(void **state)
{
	struct vm *vm = harness_boot(&rich);

	(void)state;
	harness_take(vm, 64 * MIB);
	check_all_objects(vm);
	check_object(vm, "balloon -j", "guest-balloon");
	check_object(vm, "stats -j", "guest-stats");
	harness_command_says(vm, "balloon -j", "\"target\":67108864,\"actual\":67108864,");
	harness_command_says(vm, "stats -j", "{\"requests\":");
	harness_stop(vm);
	/* Without a balloon, and without PCI. */
	vm = harness_boot(&(struct guest_options){ .mem = "64M", .balloon = "none" });
	check_all_objects(vm);
	harness_stop(vm);
}

int screen_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_command_fits_80_columns),
		TEST(make_help_fits_80_columns),
		TEST(every_object_fits_its_schema),
	};

	return cmocka_run_group_tests_name("screen", tests, NULL, NULL);
}
