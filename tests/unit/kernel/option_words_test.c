/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of kernel/option_words.c: which words are told, how, and which are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "arch/boot_info.h"
#include "kernel/option_words.h"
#include "tests/sim/sim_log.h"

static void check(const char *command_line)
{
	sim_log_reset();
	option_words_check(command_line, false);
}

static void assert_told(const char *command_line, const char *warning)
{
	check(command_line);
	assert_string_equal(sim_log_warning, warning);
	assert_int_equal(sim_log_warnings, 1);
}

static void assert_untold(const char *command_line)
{
	check(command_line);
	if (sim_log_warnings > 0)
		fail_msg("%s: %s", command_line, sim_log_warning);
}

/* Mistakes are counted as long as the machine runs: this test comes first. */
static void a_line_without_mistakes_has_none(void **state)
{
	(void)state;
	assert_untold("");
	assert_untold("  \t ");
	assert_untold("run=\"show_mem; exit\" floor=1.5G strategy=auto poison=a5 virtio.msix=off "
		      "virtio.refuse=EVENT_IDX virtio_mmio.device=512@0xfeb02e00:12 "
		      "vmware.poll=0.5 floor=1");
	assert_untold("run=\"rn=1 stratgy=2\"");
	assert_false(option_words_have_mistakes());
	assert_told("rn=1", "command line: rn=1 is unknown; did you mean run=?");
	assert_true(option_words_have_mistakes());
}

static void a_word_that_is_nearly_known_is_told_with_the_known_one(void **state)
{
	static const struct {
		const char *word, *near;
	} typos[] = {
		{ "rn=\"audit; exit\"", "run" },
		{ "flor=64M", "floor" },
		{ "Floor=64M", "floor" },
		{ "RUN=audit", "run" },
		{ "poisen=a5", "poison" },
		{ "virtio.msi=off", "virtio.msix" },
		{ "virtio-refuse=X", "virtio.refuse" },
		{ "virtio.mmio.device=1", "virtio_mmio.device" },
		/* A letter less or more, at the beginning too; six of eighteen. */
		{ "un=audit", "run" },
		{ "xfloor=64M", "floor" },
		{ "virtio_mmio.devicexxxxxx=1", "virtio_mmio.device" },
		/* Two changes of eight letters are as many as may be; case is none. */
		{ "strAtexx=1", "strategy" },
		/* As near to virtio.refuse, which comes later. */
		{ "virtio.refx=1", "virtio.msix" },
	};
	char warning[120];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(typos); i++) {
		snprintf(warning, sizeof(warning), "command line: %s is unknown; did you mean %s=?",
			 typos[i].word, typos[i].near);
		check(typos[i].word);
		assert_string_equal(sim_log_warning, warning);
	}
}

#define KNOWN \
	"run, floor, strategy, poison, virtio.msix, virtio.refuse, virtio_mmio.device, " \
	"vmware.poll, swap, cache, vm.io"

static void a_word_like_none_is_told_with_all_known_ones(void **state)
{
	(void)state;
	assert_told("quiet", "command line: quiet is unknown; known are " KNOWN);
	assert_told("on=1", "command line: on=1 is unknown; known are " KNOWN);
	assert_told("flxxr=1", "command line: flxxr=1 is unknown; known are " KNOWN);
	assert_told("=", "command line: = is unknown; known are " KNOWN);
	assert_told("memory_is_low_and_has_been=1",
		    "command line: memory_is_low_and_has_been=1 is unknown; known are " KNOWN);
	/* All of the list fits into a line of the log. */
	assert_true(strlen("warning: command line: ... is unknown; known are " KNOWN) + 40 <=
		    LOG_LINE_MAX);
}

static void a_long_word_is_shown_in_part(void **state)
{
	char line[200] = "";

	(void)state;
	memset(line, 'x', 150);
	check(line);
	assert_int_equal(strspn(strchr(sim_log_warning, 'x'), "x"), 40);
	assert_non_null(strstr(sim_log_warning, "xx... is unknown; known are "));
	line[40] = '\0';
	check(line);
	assert_non_null(strstr(sim_log_warning, "xx is unknown; known are "));
}

static void what_loaders_add_is_passed_over(void **state)
{
	(void)state;
	assert_untold("BOOT_IMAGE=/boot/aerostat.elf BOOTIF=01-52-54-00-12-34-56 initrd=x.img "
		      "-- --- root=/dev/vda ro console=ttyS0");
	assert_untold("reboot=k panic=1 pci=off nomodule 8250.nr_uarts=0 i8042.noaux i8042.nomux "
		      "i8042.dumbkbd 8250. swiotlb=noforce noapic noacpi rw");
	/* Whole names only, and no more of a family than its members. */
	assert_told("pcix=1", "command line: pcix=1 is unknown; known are " KNOWN);
	assert_told("-=1", "command line: -=1 is unknown; known are " KNOWN);
	assert_told("i8042=1", "command line: i8042=1 is unknown; known are " KNOWN);
}

static void what_has_no_end_is_told_by_its_beginning(void **state)
{
	(void)state;
	assert_told("floor=1M run=\"show_mem; ex",
		    "command line: run=\"show_mem; ex is left out, as its quote does not end");
	assert_told("root=\"x", "command line: root=\"x is left out, as its quote does not end");
}

static void a_word_without_a_value_is_told_one(void **state)
{
	(void)state;
	assert_told("floor", "command line: floor has no value; write floor=64M");
	assert_told("floor=", "command line: floor= has no value; write floor=64M");
	assert_told("run=\"\"",
		    "command line: run=\"\" has no value; write run=\"show_mem; exit\"");
}

static void a_value_that_does_not_fit_is_told(void **state)
{
	(void)state;
	assert_untold("virtio.msix=1234567");
	assert_untold("virtio.msix=\"1234567\"");
	assert_told("virtio.msix=12345678",
		    "command line: virtio.msix=12345678 is left out, as its value is longer than "
		    "7 bytes; write virtio.msix=off");
}

static void a_cut_is_told(void **state)
{
	(void)state;
	sim_log_reset();
	option_words_check("floor=1M ", true);
	assert_int_equal(sim_log_warnings, 1);
	assert_string_equal(
		sim_log_warning,
		"command line: longer than 4095 bytes, and cut after its last whole word");
}

/* Mistakes are counted on, so this test comes last. */
static void after_many_mistakes_the_rest_is_counted(void **state)
{
	static char line[2 * 2000 + 1];

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(line); i += 2)
		memcpy(line + i, "a ", 2);
	check(line);
	assert_true(sim_log_warnings < 33);
	assert_non_null(
		strstr(sim_log_warning, " more words were not looked at, after 32 mistakes"));
	sim_log_reset();
	check("a b");
	assert_string_equal(sim_log_warning,
			    "command line: 2 more words were not looked at, after 32 mistakes");
	check("a");
	assert_int_equal(sim_log_warnings, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_without_mistakes_has_none),
		cmocka_unit_test(what_loaders_add_is_passed_over),
		cmocka_unit_test(a_word_like_none_is_told_with_all_known_ones),
		cmocka_unit_test(a_long_word_is_shown_in_part),
		cmocka_unit_test(what_has_no_end_is_told_by_its_beginning),
		cmocka_unit_test(a_word_without_a_value_is_told_one),
		cmocka_unit_test(a_value_that_does_not_fit_is_told),
		cmocka_unit_test(a_cut_is_told),
		cmocka_unit_test(a_word_that_is_nearly_known_is_told_with_the_known_one),
		cmocka_unit_test(after_many_mistakes_the_rest_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
