/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An entry for each vector: pushes what the processor did not (an error code),
 * the vector's number and the registers, and calls C. Layout: struct
 * trap_frame in entry.h.
 */
	.text
	.macro	entry vector, has_error
	.balign	16
trap_entry_\vector:
	.if	!\has_error
	pushq	$0
	.endif
	pushq	$\vector
	jmp	trap_common
	.endm

	.macro	entries from, to, has_error
	.set	i, \from
	.rept	\to - \from + 1
	entry_number %i, \has_error
	.set	i, i + 1
	.endr
	.endm

	.altmacro
	.macro	entry_number vector, has_error
	entry	\vector, \has_error
	.endm

	/* Exceptions 8, 10 to 14, 17, 21, 29 and 30 come with an error code. */
	entries	0, 7, 0
	entries	8, 8, 1
	entries	9, 9, 0
	entries	10, 14, 1
	entries	15, 16, 0
	entries	17, 17, 1
	entries	18, 20, 0
	entries	21, 21, 1
	entries	22, 28, 0
	entries	29, 30, 1
	entries	31, 80, 0

	.globl	trap_common
	.type	trap_common, @function
trap_common:
	pushq	%rax
	pushq	%rbx
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%rbp
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	cld
	movq	%rsp, %rdi
	/* C wants RSP to be a multiple of 16 at a call; what was pushed is. */
	call	trap_handle
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rbp
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rbx
	popq	%rax
	addq	$16, %rsp	/* the vector and the error code */
	iretq
	.size	trap_common, . - trap_common

	.section .rodata
	.balign	8
	.globl	trap_entries
trap_entries:
	.macro	entry_address vector
	.quad	trap_entry_\vector
	.endm
	.set	i, 0
	.rept	81
	entry_address %i
	.set	i, i + 1
	.endr

	.section .note.GNU-stack, "", @progbits
