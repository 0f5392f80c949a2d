/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The input is what a firmware says at boot: a memory map, as PVH or as UEFI
 * tells it, and load options. What mm/memmap.c makes of the map is compared
 * frame by frame with what the entries say; then memory is taken into use, in
 * real memory at these addresses. Nothing a map says may end in a panic.
 */
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <sanitizer/asan_interface.h>
#include <stdarg.h>
#include <sys/mman.h>

#include "arch/boot_info.h"
#include "arch/paging.h"
#include "arch/x86_64/efi/handover.h"
#include "kernel/lib/panic.h"
#include "mm/frame.h"
#include "mm/ledger.h"
#include "mm/memory.h"

/* The machine that is really there; a map may claim more. */
#define MEMORY_START MIB
#define MEMORY_BYTES (256 * MIB)
#define IMAGE_START MIB
#define ENTRIES_MAX 64

int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct boot_info boot;
static struct memmap map;
static unsigned physical_bits;
static paddr_t image_end;
static unsigned tables_wanted; /* by each call that makes page tables */
static pfn_t next_table;
static paddr_t (*alloc_table)(void);
static void *frame_map; /* all else in the machine must not be touched */

/* ---- Paging, and the end ---- */

static int take_tables(void)
{
	for (unsigned i = 0; i < tables_wanted; i++) {
		paddr_t table = alloc_table();

		if (table == 0)
			return -ENOMEM;
		fuzz_require(table == pfn_to_paddr(next_table++), "tables are not in a row");
	}
	return 0;
}

int paging_begin(paddr_t (*alloc)(void))
{
	alloc_table = alloc;
	return take_tables();
}

int paging_map_ram(paddr_t start, paddr_t end)
{
	fuzz_require(start < end && start % FRAME_SIZE == 0 && end % FRAME_SIZE == 0,
		     "no range of RAM");
	return take_tables();
}

/* The frame map goes where it fits; it is looked at here whether there is memory. */
int paging_load(void)
{
	size_t bytes = align_up(frame_init_bytes(memory_map()), FRAME_SIZE);
	pfn_t at;

	if (memmap_find(memory_map(), next_table, paddr_to_pfn(bytes), &at) != 0)
		return 0;
	if (at < paddr_to_pfn(MEMORY_START) || bytes > MEMORY_BYTES ||
	    pfn_to_paddr(at) > MEMORY_START + MEMORY_BYTES - bytes)
		return -ENOMEM;
	frame_map = phys_to_virt(pfn_to_paddr(at));
	ASAN_UNPOISON_MEMORY_REGION(frame_map, frame_init_bytes(memory_map()));
	return 0;
}

void paging_set_allocator(paddr_t (*alloc)(void), void (*free)(paddr_t table))
{
	(void)alloc, (void)free;
}

void panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	void *start = phys_to_virt(MEMORY_START);

	(void)argc, (void)argv;
	if (mmap(start, MEMORY_BYTES, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1,
		 0) != start) {
		perror("boot_fuzz: mmap");
		abort();
	}
	ASAN_POISON_MEMORY_REGION(start, MEMORY_BYTES);
	return 0;
}

/* ---- What the entries say ---- */

static bool covers(const struct boot_memory *entry, uint64_t at)
{
	return entry->size > 0 && entry->start + (entry->size - 1) >= entry->start &&
	       at >= entry->start && at - entry->start < entry->size;
}

static bool byte_is_ram(uint64_t at)
{
	bool ram = false;

	for (size_t i = 0; i < boot.memory_count; i++) {
		if (!covers(&boot.memory[i], at))
			continue;
		if (boot.memory[i].type != BOOT_MEMORY_RAM)
			return false;
		ram = true;
	}
	return ram;
}

/* The answer can only change where an entry begins or ends. */
static bool frame_is_ram(pfn_t pfn)
{
	uint64_t start = pfn_to_paddr(pfn);

	if (!byte_is_ram(start))
		return false;
	for (size_t i = 0; i < boot.memory_count; i++) {
		uint64_t first = boot.memory[i].start, end = first + boot.memory[i].size;

		if (first - start < FRAME_SIZE && !byte_is_ram(first))
			return false;
		if (end - start < FRAME_SIZE && !byte_is_ram(end))
			return false;
	}
	return true;
}

static bool is_in_map(pfn_t pfn)
{
	for (size_t i = 0; i < map.count; i++)
		if (pfn >= map.range[i].start && pfn < map.range[i].end)
			return true;
	return false;
}

static void check_frame(pfn_t pfn)
{
	bool expected;

	if (pfn >= UINT64_C(1) << (64 - FRAME_SHIFT))
		return;
	expected = frame_is_ram(pfn) && pfn < paddr_to_pfn(UINT64_C(1) << physical_bits);
	if (expected && !is_in_map(pfn))
		fuzz_require(map.count == MEM_RANGES_MAX && map.dropped > 0,
			     "frame %#llx is RAM, and not in the map", (unsigned long long)pfn);
	else
		fuzz_require(expected == is_in_map(pfn), "frame %#llx is no RAM, but in the map",
			     (unsigned long long)pfn);
}

static void check_map(void)
{
	uint64_t frames = 0;

	fuzz_require(map.count <= MEM_RANGES_MAX, "%zu ranges", map.count);
	for (size_t i = 0; i < map.count; i++) {
		fuzz_require(map.range[i].start < map.range[i].end, "range %zu is empty", i);
		fuzz_require(i == 0 || map.range[i - 1].end < map.range[i].start,
			     "range %zu is out of order", i);
		frames += map.range[i].end - map.range[i].start;
	}
	fuzz_require(frames == map.frames, "another number of frames");
	for (size_t i = 0; i < boot.memory_count; i++) {
		pfn_t start = paddr_to_pfn(boot.memory[i].start);
		pfn_t end = paddr_to_pfn(boot.memory[i].start + boot.memory[i].size);

		for (pfn_t by = 0; by < 3; by++) {
			check_frame(start + by - 1);
			check_frame(end + by - 1);
		}
	}
}

/* ---- Memory in use ---- */

/* Of the loader's file; none is kept that is not where it said, or as large. */
static uint64_t check_module(void)
{
	size_t bytes;
	const void *at = memory_module(&bytes);

	fuzz_require(bytes == boot.module_size, "a file of another size");
	if (!at)
		return 0;
	fuzz_require(bytes > 0 && at == phys_to_virt(boot.module), "the file lies elsewhere");
	return paddr_to_pfn(align_up(bytes, FRAME_SIZE));
}

static void check_books(void)
{
	char verdict[LEDGER_VERDICT_MAX];
	pfn_t pfn;

	fuzz_require(ledger_audit(verdict), "%s", verdict);
	fuzz_require(ledger_managed() == memory_map()->frames, "not all frames are managed");
	fuzz_require(ledger_count(OWNER_KERNEL) ==
			     paddr_to_pfn(align_up(image_end, FRAME_SIZE) - IMAGE_START) +
				     check_module(),
		     "the image, or the file, is not the kernel's");
	fuzz_require(frame_owner(paddr_to_pfn(IMAGE_START)) == OWNER_KERNEL &&
			     frame_owner(0) == OWNER_ABSENT,
		     "the image, or frame 0, has another owner");
	for (unsigned order = 0; order <= FRAME_ORDER_MAX; order += 3)
		if (frame_alloc(order, OWNER_HELD, &pfn) == 0)
			fuzz_require(frame_free(pfn, (size_t)1 << order, OWNER_HELD) == 0,
				     "order %u does not go back", order);
	fuzz_require(ledger_audit(verdict), "%s", verdict);
}

static void take_into_use(void)
{
	size_t bytes;

	frame_map = NULL;
	next_table = paddr_to_pfn(align_up(image_end, FRAME_SIZE));
	if (memory_init(&boot, IMAGE_START, image_end, physical_bits) == 0)
		check_books();
	if (!frame_map)
		return;
	bytes = frame_init_bytes(memory_map());
	ASAN_POISON_MEMORY_REGION(frame_map, bytes);
	madvise(frame_map, bytes, MADV_DONTNEED);
}

/* ---- The input ---- */

/* Small numbers are likely, all are possible. */
static uint64_t scaled(struct fuzz_input *in, unsigned scale)
{
	switch (scale) {
	case 0:
		return fuzz_number(in, 8);
	case 1:
		return fuzz_number(in, 2) << FRAME_SHIFT;
	case 2:
		return fuzz_number(in, 2) << 16;
	default:
		return fuzz_number(in, 4);
	}
}

static void add_entry(bool uefi, struct fuzz_input *in)
{
	uint8_t kind = fuzz_byte(in);
	uint64_t start = scaled(in, kind >> 3 & 3);
	uint64_t size = scaled(in, kind >> 5 & 3);

	if (uefi)
		handover_add_memory(&boot, start, size >> FRAME_SHIFT, kind & 7);
	else
		boot.memory[boot.memory_count++] = (struct boot_memory){ start, size, kind & 7, 0 };
}

static void add_module(struct fuzz_input *in)
{
	uint8_t kind = fuzz_byte(in);

	boot.module = scaled(in, kind & 3);
	boot.module_size = scaled(in, kind >> 2 & 3);
}

static void check_options(struct fuzz_input *in)
{
	size_t left = fuzz_left(in);
	/* Of just that size, for the sanitizer. */
	char *options = malloc(left);

	memcpy(options, in->at, left);
	for (int text = 0; text < 2; text++) {
		memset(boot.command_line, '#', sizeof(boot.command_line));
		if (text) {
			boot.command_line[0] = '\0';
			handover_add_text(&boot, options, left);
			handover_end_text(&boot);
		} else {
			handover_set_options(&boot, options, left);
		}
		fuzz_require(memchr(boot.command_line, '\0', sizeof(boot.command_line)),
			     "a command line without an end");
		for (const char *c = boot.command_line; *c; c++)
			fuzz_require(*c >= 0x20 && *c < 0x7f, "byte %#x in it", (unsigned)*c);
	}
	free(options);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned bits[] = { 52, 36, 40, 32, 48, 46, 28, 39 };
	struct fuzz_input in = { data, data + size };
	uint8_t way = fuzz_byte(&in);
	uint8_t image = fuzz_byte(&in);
	uint8_t entries = fuzz_byte(&in);

	memset(&boot, 0, sizeof(boot));
	physical_bits = bits[way >> 1 & 7];
	tables_wanted = image % 8;
	image_end = IMAGE_START + 300 * KIB + (uint64_t)image * KIB;
	for (unsigned i = 0; i < entries % ENTRIES_MAX && fuzz_left(&in) > 0; i++)
		add_entry(way & 1, &in);
	if (image & 0x80)
		add_module(&in);
	memmap_build(boot.memory, boot.memory_count, physical_bits, &map);
	check_map();
	take_into_use();
	check_options(&in);
	return 0;
}
