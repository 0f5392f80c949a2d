/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * void context_switch(struct context *from, struct context *to)
 *
 * Tasks are switched only in a call, so only the registers that a call must keep
 * are saved, on the stack of the task that stops running.
 */
	.text
	.globl	context_switch
	.type	context_switch, @function
context_switch:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, (%rdi)
	movq	(%rsi), %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret
	.size	context_switch, . - context_switch

	/* Where a new context begins: R12 holds the function, R13 its argument. */
	.globl	context_begin
	.type	context_begin, @function
context_begin:
	movq	%r13, %rdi
	xorl	%ebp, %ebp	/* backtraces end here */
	call	*%r12
	ud2
	.size	context_begin, . - context_begin

	.section .note.GNU-stack, "", @progbits
