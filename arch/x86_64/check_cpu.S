/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asks the processor for all that the image needs, in the PVH entry's 32-bit mode,
 * before any of it is used: a processor without long mode would reset the machine
 * in silence. If something is missing: a line that names it where the console would be
 * (see docs/platform.md, "Where text goes"), and the end, with a status where the machine
 * has isa-debug-exit, else by the keyboard controller's reset and a triple fault.
 */
#include "arch/platform.h"
#include "arch/x86_64/cpu_needs.h"

#define EFLAGS_ID	0x00200000	/* it can be changed where there is CPUID */
#define LEAF_RANGE	0x80000000	/* extended leaves have a highest of their own */

#define UART_LSR	5
#define UART_SCR	7		/* keeps what is written, if a UART is there */
#define LSR_THRE	0x20		/* takes a byte */
#define LSR_READS	0x10000		/* then it is as good as not there */
#define EXIT_READS	0x10000		/* QEMU 10 ends a little later: see cpu_debug_exit() */

	.section .text, "ax"
	.code32

	/* Returns if all is there. Keeps EBX; interrupts are off, the stack is ours. */
	.globl	check_cpu
	.type	check_cpu, @function
check_cpu:
	pushl	%ebx
	movl	$no_cpuid, %edi
	pushfl
	popl	%eax
	movl	%eax, %ecx
	xorl	$EFLAGS_ID, %eax
	pushl	%eax
	popfl
	pushfl
	popl	%eax
	cmpl	%ecx, %eax
	je	missing

	movl	$needs, %esi
next_need:
	leal	12(%esi), %edi		/* its name */
	movl	(%esi), %eax
	testl	%eax, %eax
	jz	all_there
	andl	$LEAF_RANGE, %eax
	cpuid
	cmpl	(%esi), %eax		/* the highest leaf of this range */
	jb	missing
	movl	(%esi), %eax
	cpuid
	pushl	%edx			/* an array: EAX, EBX, ECX, EDX */
	pushl	%ecx
	pushl	%ebx
	pushl	%eax
	movl	4(%esi), %ecx
	movl	(%esp, %ecx, 4), %eax
	addl	$16, %esp
	movl	8(%esi), %ecx
	btl	%ecx, %eax
	jnc	missing
	movl	%edi, %esi		/* past the name and to the next multiple of 4 */
1:	lodsb
	testb	%al, %al
	jnz	1b
	addl	$3, %esi
	andl	$-4, %esi
	jmp	next_need

all_there:
	popl	%ebx
	ret
	.size	check_cpu, . - check_cpu

	/* EDI: the name of what is missing. */
missing:
	call	find_line
	movl	$text_before, %esi
	call	print
	movl	%edi, %esi
	call	print
	movl	$text_after, %esi
	call	print

	movl	$CPU_NEEDS_STATUS, %eax
	movw	$PORT_DEBUG_EXIT, %dx
	outl	%eax, %dx
	movl	$EXIT_READS, %ecx
1:	inb	%dx, %al
	cmpb	$0xff, %al		/* nothing is there */
	loopne	1b
	movb	$KEYBOARD_PULSE_RESET, %al
	outb	%al, $PORT_KEYBOARD_COMMAND
	lidt	no_idt
	int3

	/* Stores in EBP the first port of the first serial line that answers, or 0. */
find_line:
	movl	$lines, %esi
1:	movzwl	(%esi), %ebp
	testl	%ebp, %ebp
	jz	2f
	addl	$2, %esi
	leal	UART_SCR(%ebp), %edx
	movb	$0x5a, %al
	outb	%al, %dx
	inb	%dx, %al
	cmpb	$0x5a, %al
	jne	1b
	movb	$0xa5, %al
	outb	%al, %dx
	inb	%dx, %al
	cmpb	$0xa5, %al
	jne	1b
2:	ret

	/* ESI: a text with its NUL; EBP: a serial line. Without one, port 0xe9 may be there. */
print:
	lodsb
	testb	%al, %al
	jz	4f
	movl	$PORT_DEBUGCON, %edx
	testl	%ebp, %ebp
	jz	3f
	movb	%al, %ah
	movl	$LSR_READS, %ecx
	leal	UART_LSR(%ebp), %edx
1:	inb	%dx, %al
	testb	$LSR_THRE, %al
	jnz	2f
	loop	1b
2:	movb	%ah, %al
	movl	%ebp, %edx
3:	outb	%al, %dx
	jmp	print
4:	ret

	.section .rodata
	/* Entries of: leaf, register, bit, name; the end is a leaf of 0. */
	.balign	4
needs:
	.macro	need leaf, reg, bit, name:vararg
	.long	\leaf, \reg, \bit
	.asciz	\name
	.balign	4
	.endm
#define NEED(leaf, reg, bit, name) need leaf, reg, bit, name;
	CPU_NEEDS(NEED)
	.long	0
lines:
	.word	PORT_COM1, PORT_COM2, PORT_COM3, PORT_COM4, 0
no_cpuid:
	.asciz	"CPUID"
text_before:
	.asciz	CPU_NEEDS_BEFORE
text_after:
	.ascii	CPU_NEEDS_AFTER
	.asciz	CPU_NEEDS_END
no_idt:
	.word	0
	.long	0

	.section .note.GNU-stack, "", @progbits
