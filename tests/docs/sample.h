/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sample.c: the samples of a page. A sample is a fence with a marker in the
 * line before it:
 *
 *	<!-- sample: numbers MEM=256M BALLOON=deflate-on-oom=on -->
 *	```
 *	aerostat> show_mem         typed at the guest's console
 *	aerostat> sleep 1          as often as it takes, until the lines after it have come
 *	                           and, without such, the memory that QEMU asked for
 *	...                        any lines of output
 *	(qemu) balloon 128         QEMU's monitor; the balloon's end is waited for
 *	$ balloonctl status        a shell
 *	```
 *
 * What comes after "←" in a line is a remark. Lines before the first command are
 * what the guest says before its first prompt. The words of a marker:
 *
 *	numbers        numbers, and the blanks around them, may differ
 *	exact=TEXT     but not in lines that contain TEXT
 *	continue       in the guest of the sample before
 *	guest          there is a guest, though the sample does not type to it
 *	settled        begins when all tasks have come to rest
 *	ends=STATUS    the last command ends QEMU, with this exit status
 *	needs=PROGRAM  left out, with a word, where PROGRAM is not installed
 *	qemu=7,10      what is said depends on QEMU: only played with one whose major
 *	               version is no such, and that is said
 *	MEM=1G ...     variables of tools/run.sh
 *
 * A value with blanks stands in quotes. A fence with commands but without such a
 * marker must say <!-- not compared: REASON --> instead.
 */
#ifndef TESTS_DOCS_SAMPLE_H
#define TESTS_DOCS_SAMPLE_H

#include <stdbool.h>

#include "tests/docs/lines.h"

struct sample_counts {
	unsigned samples, differing, left_out, excused;
};

/*
 * Plays all samples of a page, which was read from @path, and complains on stderr
 * of each that differs. With @update it is rewritten instead, in @page.
 */
void sample_check_page(const char *path, struct lines *page, bool update,
		       struct sample_counts *counts);

#endif
