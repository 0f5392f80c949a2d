/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU enters by PVH (Xen's docs/misc/pvh.pandoc): 32-bit protected mode, no paging. From here to
 * 64-bit mode, in C on a stack of our own; later to the copy at the top of RAM.
 *
 * The first tables are data: they show the first 4 GiB twice, where they are and at PHYS_MAP.
 */
#include "tests/hypervisor/layout.h"

#define PTE_TABLE	0x003	/* present, writable */
#define PTE_LARGE	0x083	/* and a page of 2 MiB */
#define CR0_BOOT	0x80010033	/* PG, WP, NE, ET, MP, PE */
#define CR4_PAE		0x20
#define MSR_EFER	0xc0000080
#define EFER_LME	0x100

	/* Tells PVH loaders the 32-bit entry: XEN_ELFNOTE_PHYS32_ENTRY. */
	.section .note.pvh, "a", @note
	.long	4
	.long	4
	.long	18
	.asciz	"Xen"
	.long	hypervisor_start

	.section .text, "ax"

	/* EBX: physical address of struct hvm_start_info. */
	.code32
	.globl	hypervisor_start
	.type	hypervisor_start, @function
hypervisor_start:
	cli
	cld
	movl	$stack_top, %esp
	movl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$first_pml4, %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_LME, %eax
	wrmsr
	movl	$CR0_BOOT, %eax
	movl	%eax, %cr0
	lgdt	gdt_pointer
	ljmpl	$SELECTOR_CODE, $start64
	.size	hypervisor_start, . - hypervisor_start

	.code64
start64:
	movl	$SELECTOR_DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%eax, %fs
	movl	%eax, %gs
	movl	$SELECTOR_TSS, %eax
	ltr	%ax
	movl	$bss_start, %edi
	movl	$bss_end, %ecx
	subl	%edi, %ecx
	shrl	$3, %ecx
	xorl	%eax, %eax
	rep stosq
	movl	%ebx, %edi		/* clears the upper half */
	call	hypervisor_main
1:	hlt
	jmp	1b

	/*
	 * void relocate(void *to, const void *from, size_t size, uint64_t cr3): copies, and
	 * goes on in the copy, which the tables of `cr3` show where the original was. The stack
	 * is part of it.
	 */
	.globl	relocate
	.type	relocate, @function
relocate:
	movq	%rcx, %rax
	movq	%rdx, %rcx
	rep movsb
	movq	%rax, %cr3
	ret
	.size	relocate, . - relocate

	.section .data
	.balign	4096
first_pml4:
	.quad	first_pdpt + PTE_TABLE
	.fill	PHYS_MAP_SLOT - 1, 8, 0
	.quad	first_pdpt + PTE_TABLE
	.fill	511 - PHYS_MAP_SLOT, 8, 0
first_pdpt:
	.quad	first_pd + PTE_TABLE
	.quad	first_pd + 0x1000 + PTE_TABLE
	.quad	first_pd + 0x2000 + PTE_TABLE
	.quad	first_pd + 0x3000 + PTE_TABLE
	.fill	508, 8, 0
first_pd:
	.set	paddr, 0
	.rept	2048
	.quad	paddr + PTE_LARGE
	.set	paddr, paddr + 0x200000
	.endr

	/* VMRUN saves and loads TR, so there is one. */
	.balign	16
gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* code, 64 bits, accessed */
	.quad	0x00cf93000000ffff	/* data, accessed */
	.quad	0x0000890000000067, 0	/* a TSS at address 0, which nothing reads */
gdt_end:
gdt_pointer:
	.word	gdt_end - gdt - 1
	.quad	gdt

	.section .bss
	.balign	16
	.skip	STACK_SIZE
stack_top:

	.section .note.GNU-stack, "", @progbits
