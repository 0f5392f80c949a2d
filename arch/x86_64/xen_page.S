/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page that Xen fills with its entries, 32 bytes for each number of a hypercall. It is code:
 * Xen writes to it by its physical address, the guest only runs it. A call without Xen traps.
 */
	.section .text.xen_page, "ax"
	.balign	4096
	.globl	xen_page
	.type	xen_page, @object
xen_page:
	.fill	4096, 1, 0xcc
	.size	xen_page, 4096

	.section .note.GNU-stack, "", @progbits
