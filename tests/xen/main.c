/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tests on real Xen. To be run from the project's root, when tests/xen/fetch.sh has brought
 * what the group needs:
 *
 *	run first|domains|witness
 *
 * QEMU, BUILD, and RESULTS for the logs, are in the environment, as for the integration tests; and
 * ICOUNT, if times are to be counted by instructions.
 */
#include "tests/xen/machine.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	if (argc == 2 && strcmp(argv[1], "first") == 0)
		return first_tests() != 0;
	if (argc == 2 && strcmp(argv[1], "domains") == 0)
		return domains_tests() != 0;
	if (argc == 2 && strcmp(argv[1], "witness") == 0)
		return witness_tests() != 0;
	fprintf(stderr, "usage: run first|domains|witness\n");
	return 2;
}
