/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two ways in. PVH (Xen's docs/misc/pvh.pandoc) enters pvh_start in 32-bit
 * protected mode without paging; the UEFI loader enters efi_start in long mode
 * on the firmware's tables. Both end on our own tables and descriptors, on the
 * boot stack, in C.
 *
 * The boot tables are data, not code: they map the first 4 GiB where they are.
 */

#define PTE_PRESENT_WRITE	0x003
#define PTE_LARGE		0x083	/* present, writable, a 2 MiB page */
#define CR0_BOOT		0x80010033	/* PG, WP, NE, ET, MP, PE */
#define CR4_PAE			0x20
#define MSR_EFER		0xc0000080
#define EFER_LME_NXE		0x900
#define SELECTOR_CODE		0x08
#define SELECTOR_DATA		0x10

	/* Tells PVH loaders the 32-bit entry: XEN_ELFNOTE_PHYS32_ENTRY. */
	.section .note.pvh, "a", @note
	.long	4
	.long	4
	.long	18
	.asciz	"Xen"
	.long	pvh_start

	.section .text, "ax"

	/* EBX: physical address of struct hvm_start_info. */
	.code32
	.globl	pvh_start
	.type	pvh_start, @function
pvh_start:
	cli
	cld
	movl	$boot_stack_top, %esp
	call	check_cpu
	movl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$boot_pml4, %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_LME_NXE, %eax
	wrmsr
	movl	$CR0_BOOT, %eax
	movl	%eax, %cr0
	lgdt	boot_gdt_pointer
	ljmpl	$SELECTOR_CODE, $pvh_start64
	.size	pvh_start, . - pvh_start

	.code64
pvh_start64:
	call	load_segments
	movl	%ebx, %ebx		/* clears the upper half */
	call	clear_bss
	movq	%rbx, %rdi
	call	pvh_main
1:	hlt
	jmp	1b

	/* RDI: physical address of struct boot_info. */
	.globl	efi_start
	.type	efi_start, @function
efi_start:
	cli
	cld
	movq	%rdi, %rbx
	movl	$boot_pml4, %eax
	movl	$MSR_EFER, %ecx
	movq	%rax, %rsi
	rdmsr
	orl	$EFER_LME_NXE, %eax
	wrmsr
	movq	%rsi, %cr3
	movl	$CR0_BOOT, %eax
	movq	%rax, %cr0
	movl	$boot_stack_top, %esp
	lgdt	boot_gdt_pointer
	pushq	$SELECTOR_CODE
	pushq	$1f
	lretq
1:	call	load_segments
	call	clear_bss
	movq	%rbx, %rdi
	call	efi_main
2:	hlt
	jmp	2b
	.size	efi_start, . - efi_start

load_segments:
	movl	$SELECTOR_DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%eax, %fs
	movl	%eax, %gs
	ret

	/* The boot stack is not part of it. Keeps RBX. */
clear_bss:
	movl	$bss_start, %edi
	xorl	%eax, %eax
1:	movq	%rax, (%rdi)
	addq	$8, %rdi
	cmpq	$bss_end, %rdi
	jb	1b
	ret

	.section .data.boot, "aw"
	.balign	4096
boot_pml4:
	.quad	boot_pdpt + PTE_PRESENT_WRITE
	.fill	511, 8, 0
boot_pdpt:
	.quad	boot_pd + PTE_PRESENT_WRITE
	.quad	boot_pd + 0x1000 + PTE_PRESENT_WRITE
	.quad	boot_pd + 0x2000 + PTE_PRESENT_WRITE
	.quad	boot_pd + 0x3000 + PTE_PRESENT_WRITE
	.fill	508, 8, 0
boot_pd:
	.set	paddr, 0
	.rept	2048
	.quad	paddr + PTE_LARGE
	.set	paddr, paddr + 0x200000
	.endr

	.globl	boot_stack_bottom, boot_stack_top
boot_stack_bottom:
	.fill	16384, 1, 0
boot_stack_top:

	.balign	8
boot_gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* code, 64 bits, accessed */
	.quad	0x00cf93000000ffff	/* data, accessed */
boot_gdt_end:
boot_gdt_pointer:
	.word	boot_gdt_end - boot_gdt - 1
	.quad	boot_gdt

	.section .note.GNU-stack, "", @progbits
