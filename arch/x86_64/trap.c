/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every vector comes here: interrupts go on to irq.c; an exception is the end, unless it brings
 * a page.
 */
#include <inttypes.h>
#include <stdio.h>

#include "arch/cpu.h"
#include "arch/irq.h"
#include "arch/paging.h"
#include "arch/x86_64/entry.h"
#include "kernel/lib/panic.h"

#define EXCEPTION_DOUBLE_FAULT 8

/* In the error code of a page fault (Intel SDM volume 3, 4.7). */
#define FAULT_WRITE 2
#define FAULT_FETCH 16

static const char *const exception_names[] = {
	"divide error",
	"debug",
	"NMI",
	"breakpoint",
	"overflow",
	"bound range exceeded",
	"invalid opcode",
	"device not available",
	"double fault",
	"coprocessor overrun",
	"invalid TSS",
	"segment not present",
	"stack fault",
	"general protection",
	"page fault",
	"reserved",
	"x87 error",
	"alignment check",
	"machine check",
	"SIMD error",
	"virtualization",
	"control protection",
};

static const char *exception_name(uint64_t vector)
{
	return vector < ARRAY_SIZE(exception_names) ? exception_names[vector] : "reserved";
}

static bool is_in_stacks(uint64_t address)
{
	return address >= PAGING_STACKS_START && address < PAGING_SHARED_START;
}

/* The address that the last page fault was about. */
static uint64_t fault_address(void)
{
	uint64_t address;

	__asm__ volatile("movq %%cr2, %0" : "=r"(address));
	return address;
}

static void print_page_fault(uint64_t error)
{
	uint64_t address = fault_address();

	printf("%s of address %#" PRIx64 "%s\n",
	       error & FAULT_FETCH   ? "execution"
	       : error & FAULT_WRITE ? "write"
				     : "read",
	       address,
	       address < FRAME_SIZE ? ": a null pointer" : "");
}

/* A page fault is told on the stack in use: where that has ended, it cannot be. */
static void print_double_fault(void)
{
	if (is_in_stacks(fault_address()))
		printf("access to address %#" PRIx64 ": a stack overflow\n", fault_address());
}

static void print_registers(const struct trap_frame *f)
{
	uint64_t offset = 0;
	const char *symbol = symbol_find(f->rip, &offset);

	printf("rip %016" PRIx64 " %s+%#" PRIx64 "\n", f->rip, symbol ? symbol : "?", offset);
	printf("rsp %016" PRIx64 " rbp %016" PRIx64 " rfl %016" PRIx64 "\n", f->rsp, f->rbp,
	       f->rflags);
	printf("rax %016" PRIx64 " rbx %016" PRIx64 " rcx %016" PRIx64 "\n", f->rax, f->rbx,
	       f->rcx);
	printf("rdx %016" PRIx64 " rsi %016" PRIx64 " rdi %016" PRIx64 "\n", f->rdx, f->rsi,
	       f->rdi);
	printf("r8  %016" PRIx64 " r9  %016" PRIx64 " r10 %016" PRIx64 "\n", f->r8, f->r9, f->r10);
	printf("r11 %016" PRIx64 " r12 %016" PRIx64 " r13 %016" PRIx64 "\n", f->r11, f->r12,
	       f->r13);
	printf("r14 %016" PRIx64 " r15 %016" PRIx64 "\n", f->r14, f->r15);
}

/*
 * Whether it was a page that comes when it is touched; then the access is tried again. The
 * handler sleeps on the task's own stack, like in any other call.
 */
static bool bring_page(const struct trap_frame *frame)
{
	uint64_t address = fault_address();
	bool came;

	if (frame->vector != VECTOR_PAGE_FAULT || !irq_flags_enabled(frame->rflags))
		return false;
	irq_enable();
	came = paging_demand_fault(address, frame->error & FAULT_WRITE);
	irq_disable();
	return came;
}

void trap_handle(struct trap_frame *frame)
{
	if (frame->vector >= VECTOR_IRQ) {
		if (frame->vector < VECTOR_IRQ + IRQ_COUNT)
			irq_handle((unsigned)(frame->vector - VECTOR_IRQ));
		else if (frame->vector >= VECTOR_GSI && frame->vector < VECTOR_SPURIOUS)
			gsi_handle((unsigned)(frame->vector - VECTOR_GSI));
		else if (frame->vector >= VECTOR_MESSAGE && frame->vector < VECTOR_TIMER)
			irq_handle_message((unsigned)frame->vector);
		else if (frame->vector == VECTOR_TIMER)
			clock_handle_alarm();
		return;
	}
	if (bring_page(frame))
		return;
	panic_begin("EXCEPTION %" PRIu64 ": %s, error %#" PRIx64, frame->vector,
		    exception_name(frame->vector), frame->error);
	if (frame->vector == VECTOR_PAGE_FAULT)
		print_page_fault(frame->error);
	if (frame->vector == EXCEPTION_DOUBLE_FAULT)
		print_double_fault();
	print_registers(frame);
	panic_end((const void *)(uintptr_t)frame->rbp, frame->rip);
}
