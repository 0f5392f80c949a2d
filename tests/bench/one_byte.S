/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The least that a PVH kernel can do: one byte to COM1, then nothing. What
 * QEMU and its firmware need for this, every guest needs.
 */
	.section .note.pvh, "a", @note
	.long	4
	.long	4
	.long	18	/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz	"Xen"
	.long	_start

	.text
	.code32
	.globl	_start
_start:
	movw	$0x3f8, %dx
	movb	$'!', %al
	outb	%al, %dx
1:	cli
	hlt
	jmp	1b

	.section .note.GNU-stack, "", @progbits
