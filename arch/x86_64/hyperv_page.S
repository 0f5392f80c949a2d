/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page that Hyper-V lays its way in over: VMCALL or VMMCALL, whichever the processor has, and
 * a return. It is code: Hyper-V writes to it by its physical address, or shows another page in its
 * place; the guest only runs it. A call without Hyper-V traps.
 */
	.section .text.hyperv_page, "ax"
	.balign	4096
	.globl	hyperv_page
	.type	hyperv_page, @object
hyperv_page:
	.fill	4096, 1, 0xcc
	.size	hyperv_page, 4096

	.section .note.GNU-stack, "", @progbits
