/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Into the guest and back, and the hypervisor's own exceptions. Nothing here is in C's hands:
 * VMRUN keeps RAX, RSP, RIP and RFLAGS of both sides, VMLOAD and VMSAVE the rest of the
 * segments, and the other registers are changed by hand.
 */
	.text

	.macro	registers operation
	\operation	8, %rbx
	\operation	16, %rcx
	\operation	24, %rdx
	\operation	32, %rsi
	\operation	48, %rbp
	\operation	56, %r8
	\operation	64, %r9
	\operation	72, %r10
	\operation	80, %r11
	\operation	88, %r12
	\operation	96, %r13
	\operation	104, %r14
	\operation	112, %r15
	.endm
	.macro	load offset, register
	movq	\offset(%rdi), \register
	.endm
	.macro	store offset, register
	movq	\register, \offset(%rdi)
	.endm

	/*
	 * void svm_enter(uint64_t vmcb, struct guest_registers *registers, uint64_t own_vmcb):
	 * runs the guest up to its next exit. Physical addresses; RAX of the registers is not
	 * touched.
	 */
	.globl	svm_enter
	.type	svm_enter, @function
svm_enter:
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	movq	%rdx, %rax
	vmsave
	movq	%rsi, %rdi
	registers load
	movq	40(%rdi), %rdi
	movq	(%rsp), %rax
	vmload
	vmrun
	vmsave
	pushq	%rdi
	movq	16(%rsp), %rdi
	registers store
	popq	40(%rdi)
	movq	16(%rsp), %rax
	vmload
	addq	$24, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	cld
	ret
	.size	svm_enter, . - svm_enter

	/* void svm_take_nmi(void): lets in what waits, which is an NMI at most. */
	.globl	svm_take_nmi
	.type	svm_take_nmi, @function
svm_take_nmi:
	stgi
	nop
	nop
	clgi
	ret
	.size	svm_take_nmi, . - svm_take_nmi

	/* void triple_fault(void): resets the machine. */
	.globl	triple_fault
	.type	triple_fault, @function
triple_fault:
	stgi
	lidt	no_idt(%rip)
	int3
	.size	triple_fault, . - triple_fault

	/* Vector 2 is the test's ring; no other is expected. */
	.macro	entry vector
	.balign	32
	.if	\vector == 2
	incq	hypervisor_nmis(%rip)
	iretq
	.else
	.if	(0x60227d00 >> \vector) & 1
	popq	%rdx			/* these push an error code */
	.endif
	popq	%rsi
	movl	$\vector, %edi
	andq	$-16, %rsp
	call	hypervisor_exception
	.endif
	.endm

	.altmacro
	.macro	entry_number vector
	entry	\vector
	.endm

	.balign	32
	.globl	exception_entries
exception_entries:
	.set	i, 0
	.rept	32
	entry_number %i
	.set	i, i + 1
	.endr

	.section .rodata
no_idt:
	.word	0
	.quad	0

	.section .note.GNU-stack, "", @progbits
