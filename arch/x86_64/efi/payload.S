/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel that the UEFI image carries, as a file in the middle of it. The
 * build names the file (KERNEL_ELF); alignment is what ELF headers need.
 */
	.section .rodata, "a"
	.balign 16
	.globl payload_start
	.hidden payload_start
payload_start:
	.incbin KERNEL_ELF
	.globl payload_end
	.hidden payload_end
payload_end:

	.section .note.GNU-stack, "", @progbits
