/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses and their names. The table is made from the linked kernel's own
 * symbols (symbols.awk) and linked into it.
 */
#include "arch/cpu.h"
#include "arch/paging.h"
#include "arch/x86_64/entry.h"

struct symbol {
	uint32_t address;
	uint32_t name; /* offset in symbol_names */
};

/* build/symbols.S; ascending by address */
extern const struct symbol symbol_table[];
extern const uint32_t symbol_count;
extern const char symbol_names[];

const char *symbol_find(uint64_t address, uint64_t *offset)
{
	uint32_t low = 0;
	uint32_t high = symbol_count;

	if (address < (uintptr_t)image_start || address >= (uintptr_t)text_end)
		return NULL;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (symbol_table[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return NULL;
	*offset = address - symbol_table[low - 1].address;
	return symbol_names + symbol_table[low - 1].name;
}

/* Left at its frame pointer by a function's prologue. */
struct stack_frame {
	const struct stack_frame *caller;
	uint64_t return_address;
};

/* A frame pointer is followed only into memory that holds stacks. */
static bool is_on_stack(const void *frame)
{
	uint64_t address = (uintptr_t)frame;

	if (address % 8 != 0)
		return false;
	return (address >= (uintptr_t)data_start && address + 16 <= (uintptr_t)image_end) ||
	       (address >= PAGING_STACKS_START && paging_is_mapped(address));
}

size_t cpu_backtrace(const void *frame, uint64_t *address, size_t max)
{
	const struct stack_frame *at = frame ? frame : __builtin_frame_address(0);
	size_t depth = 0;
	uint64_t offset;

	while (depth < max && is_on_stack(at) && symbol_find(at->return_address - 1, &offset)) {
		address[depth++] = at->return_address;
		at = at->caller;
	}
	return depth;
}
