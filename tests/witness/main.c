/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linux's own drivers as witnesses of the VMware and the Hyper-V that tests/hypervisor plays: each
 * plan is gone through with Linux and with Aerostat, and after each step the host's books and the
 * guest's file must agree. To be run from the project's root, when tests/witness/fetch.sh has made
 * the Linux.
 */
#include <stdio.h>

#include "tests/witness/subject.h"

int main(void)
{
	int failed;

	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	failed = vmware_witness();
	return failed + hyperv_witness() != 0;
}
