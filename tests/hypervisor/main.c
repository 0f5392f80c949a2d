/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor from its entry to the guest's. QEMU has loaded it at 8 MiB, and the guest's kernel
 * as its module near the top of RAM. It copies itself to just below that module, which a
 * reset of the machine puts there again, loads the guest, and runs it.
 */
#include <string.h>

#include "tests/hypervisor/control.h"
#include "tests/hypervisor/die.h"
#include "tests/hypervisor/fw_cfg.h"
#include "tests/hypervisor/host_frames.h"
#include "tests/hypervisor/layout.h"
#include "tests/hypervisor/load.h"
#include "tests/hypervisor/machine.h"
#include "tests/hypervisor/npt.h"
#include "tests/hypervisor/own_map.h"
#include "tests/hypervisor/personalities.h"
#include "tests/hypervisor/pool.h"
#include "tests/hypervisor/svm.h"

/* Words for the hypervisor, which the guest does not see: names of files of fw_cfg. */
#define FILE_PERSONALITY "opt/aerostat/hypervisor"
#define FILE_SPARE "opt/aerostat/spare-mib"

#define LOW_END (4ull * GIB_SIZE)
#define MIB 0x100000

#define PVH_MAGIC 0x336ec578

/* Split blocks for which there are tables; a guest of 16 GiB may have all of its blocks split. */
#define SPLIT_MAX 8192

/* What is taken once: roots, VMCBs, the maps of ports and MSRs, and what rounding costs. */
#define FIXED_PAGES 20

/*
 * Nested tables for devices beyond RAM: a directory for each GiB, if there are no pages as
 * large.
 */
#define DEVICE_PAGES 16

/* struct hvm_start_info, version 1, and struct hvm_modlist_entry; addresses are physical. */
struct start_info {
	uint32_t magic, version, flags, module_count;
	uint64_t modules, command_line, rsdp, memory_map;
	uint32_t memory_count, reserved;
};

struct module {
	uint64_t address, size, command_line, reserved;
};

_Static_assert(sizeof(struct start_info) == 56, "version 1");
_Static_assert(sizeof(struct module) == 32, "version 1");

/* What the guest is told, in a page of its own RAM. */
struct told {
	struct start_info info;
	struct module module;
	struct memory_range map[MEMORY_MAP_MAX];
};

_Static_assert(sizeof(struct told) <= FRAME_SIZE, "a page");

/* By the linker script. */
extern char image_start[], copied_start[], image_end[], image_end_xen[];

/* In start.S and run.S. */
void relocate(void *to, const void *from, uint64_t size, uint64_t cr3);
extern const char exception_entries[];

void hypervisor_main(uint64_t start_info);
void hypervisor_exception(uint64_t vector, uint64_t rip, uint64_t error);

#define EXCEPTIONS 32
#define EXCEPTION_STRIDE 32

static struct start_info info;
static struct module module;
static struct memory_map map;
static struct own_memory own;
static uint64_t spare, spare_size;
static const struct personality *personality;

/* ---- Its own exceptions ---- */

void hypervisor_exception(uint64_t vector, uint64_t rip, uint64_t error)
{
	uint64_t cr2;

	__asm__ volatile("movq %%cr2, %0" : "=r"(cr2));
	die("exception %x at %x, error %x, CR2 %x", vector, rip, error, cr2);
}

static void load_idt(void)
{
	static uint64_t idt[EXCEPTIONS][2];
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) pointer = { sizeof(idt) - 1, (uint64_t)(uintptr_t)idt };

	for (unsigned i = 0; i < EXCEPTIONS; i++) {
		uint64_t at = (uint64_t)(uintptr_t)(exception_entries + i * EXCEPTION_STRIDE);

		idt[i][0] = (at & 0xffff) | (uint64_t)SELECTOR_CODE << 16 | 0x8e0000000000 |
			    (at >> 16 & 0xffff) << 48;
		idt[i][1] = at >> 32;
	}
	__asm__ volatile("lidt %0" : : "m"(pointer));
}

/* ---- What there is ---- */

static void read_start_info(uint64_t address)
{
	memcpy(&info, phys_to_hv(address), sizeof(info));
	if (info.magic != PVH_MAGIC || info.version < 1 ||
	    !memory_map_read(&map, phys_to_hv(info.memory_map), info.memory_count))
		die("QEMU's start info has no memory map");
	if (info.module_count != 1)
		die("there is no guest: give it as -initrd");
	memcpy(&module, phys_to_hv(info.modules), sizeof(module));
	if (module.address >= LOW_END || module.size > LOW_END - module.address)
		die("the guest lies above 4 GiB");
}

/* Empty is 0. Returns false if there is anything but digits. */
static bool read_number(const char *text, uint64_t *value)
{
	for (*value = 0; *text >= '0' && *text <= '9' && *value < UINT32_MAX; text++)
		*value = *value * 10 + (uint64_t)(*text - '0');
	return *text == '\0';
}

/* From the top of RAM, so that the guest is as if it had less; but not where its file lies. */
static void take_spare(void)
{
	char text[16];
	uint64_t mib;

	fw_cfg_read(FILE_SPARE, text, sizeof(text));
	if (!read_number(text, &mib))
		die(FILE_SPARE " is no number of MiB: %s", text);
	spare_size = mib * MIB / BLOCK_SIZE * BLOCK_SIZE;
	if (spare_size == 0)
		return;
	spare = memory_map_place(&map, spare_size, BLOCK_SIZE, UINT64_MAX);
	if (spare < LOW_END)
		spare = memory_map_place(&map, spare_size, BLOCK_SIZE, own.address);
	if (!memory_map_take(&map, spare, spare_size, 0))
		die("no room for spare memory of %x bytes", spare_size);
}

static void choose_personality(void)
{
	char name[16];

	fw_cfg_read(FILE_PERSONALITY, name, sizeof(name));
	personality = personality_find(name[0] ? name : "plain");
	if (!personality)
		die("it does not know how to be %s", name);
}

/* ---- The move to the top ---- */

static uint64_t round_up(uint64_t size, uint64_t to)
{
	return (size + to - 1) / to * to;
}

static uint64_t image_size(void)
{
	const char *end = personality == &xen_personality ? image_end_xen : image_end;

	return (uint64_t)(end - image_start);
}

/* Bytes of its own memory, for RAM that ends at `top`. */
static uint64_t own_size(uint64_t top)
{
	uint64_t blocks = round_up(top, BLOCK_SIZE) / BLOCK_SIZE;
	uint64_t gibs = round_up(top, GIB_SIZE) / GIB_SIZE;
	uint64_t pages = FIXED_PAGES + DEVICE_PAGES + gibs + own_map_pages(image_size(), top) +
			 (blocks < SPLIT_MAX ? blocks : SPLIT_MAX);

	return round_up(image_size() + host_frames_size(top / FRAME_SIZE), FRAME_SIZE) +
	       pages * FRAME_SIZE;
}

static void move_to_top(void)
{
	uint64_t top = memory_map_top(&map), image, cr3;
	uint64_t loaded = (uint64_t)(uintptr_t)image_start;

	own.size = own_size(top);
	own.address = memory_map_place(&map, own.size, BLOCK_SIZE, module.address);
	image = image_size();
	if (own.address < loaded + image)
		die("no room for it, %x bytes, below the guest's file at %x: more memory", own.size,
		    module.address);
	if (!memory_map_take(&map, own.address, own.size, MEMORY_RESERVED))
		die("the memory map has no room for a line");
	pool_init(own.address + image, own.size - image);
	cr3 = own_map_make(loaded, own.address, round_up(image, BLOCK_SIZE), top);
	relocate(phys_to_hv(own.address + (uint64_t)(copied_start - image_start)), copied_start,
		 image - (uint64_t)(copied_start - image_start), cr3);
}

/* ---- The guest ---- */

static void load_segments(const struct load_image *image, const uint8_t *file)
{
	if (load_overlaps(image, own.address, own.size) ||
	    load_overlaps(image, module.address, module.size))
		die("the guest does not fit below %x: more memory", own.address);
	for (unsigned i = 0; i < image->segments; i++) {
		const struct load_segment *segment = &image->segment[i];
		uint8_t *to = phys_to_hv(segment->address);

		if (!memory_map_is_ram(&map, segment->address, segment->memory_size))
			die("the guest's kernel wants memory at %x", segment->address);
		memcpy(to, file + segment->offset, segment->file_size);
		memset(to + segment->file_size, 0, segment->memory_size - segment->file_size);
	}
}

/* In the highest page below the hypervisor. Returns its physical address. */
static uint64_t tell_guest(const struct load_image *image)
{
	uint64_t address = memory_map_place(&map, FRAME_SIZE, FRAME_SIZE, own.address);
	struct told *told = phys_to_hv(address);

	if (address == 0 || load_overlaps(image, address, FRAME_SIZE))
		die("no room for what the guest is told");
	memset(told, 0, FRAME_SIZE);
	told->info = info;
	told->info.module_count = 0;
	told->info.modules = 0;
	if (module.size > image->end) {
		told->module.address = module.address + image->end;
		told->module.size = module.size - image->end;
		told->info.module_count = 1;
		told->info.modules = address + offsetof(struct told, module);
	}
	memcpy(told->map, map.range, map.count * sizeof(map.range[0]));
	told->info.memory_map = address + offsetof(struct told, map);
	told->info.memory_count = map.count;
	return address;
}

static void begin_machine(void)
{
	uint64_t frames = memory_map_top(&map) / FRAME_SIZE;
	uint64_t bitmap_pages;

	if (spare + spare_size > frames * FRAME_SIZE)
		frames = (spare + spare_size) / FRAME_SIZE;
	bitmap_pages = round_up(host_frames_size(frames), FRAME_SIZE) / FRAME_SIZE;
	host_frames_init(pool_take(bitmap_pages), frames);
	machine_open_doorbell();
	machine_measure_tsc();
	machine_init(&map, &own, spare, spare_size);
	machine_publish(personality->name, own.size / FRAME_SIZE);
}

void hypervisor_main(uint64_t start_info)
{
	struct load_image image;
	const uint8_t *file;
	const char *wrong;
	uint64_t nested_cr3;

	svm_enable();
	load_idt();
	read_start_info(start_info);
	choose_personality();
	move_to_top();
	take_spare();

	file = phys_to_hv(module.address);
	wrong = load_read(file, module.size, &image);
	if (wrong)
		die("the guest's file cannot be loaded: %s", wrong);
	load_segments(&image, file);

	nested_cr3 = npt_init();
	begin_machine();
	svm_make_guest(personality, image.entry, tell_guest(&image), nested_cr3);
	if (personality->start)
		personality->start();
	svm_run();
}
