/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's memory and time, and what the test sees of both; see machine.h. */
#include "tests/hypervisor/machine.h"

#include <string.h>

#include "arch/x86_64/cpuid.h"
#include "tests/hypervisor/control.h"
#include "tests/hypervisor/die.h"
#include "tests/hypervisor/host_frames.h"
#include "tests/hypervisor/layout.h"
#include "tests/hypervisor/npt.h"
#include "tests/hypervisor/personality.h"
#include "tests/hypervisor/pool.h"

#define LEAF_FEATURES 1
#define EDX_APIC (1u << 9)

/* Of QEMU's local APIC, whose timer counts nanoseconds when it divides by 1. */
#define APIC_BASE 0xfee00000
#define APIC_LVT_LINT1 0x360
#define DELIVERY_NMI 0x400
#define APIC_INITIAL_COUNT 0x380
#define APIC_CURRENT_COUNT 0x390
#define APIC_DIVIDE 0x3e0
#define DIVIDE_BY_1 0xb
#define MEASURED_NS 2000000
#define LOOKS 16

struct hv_control hv_control __attribute__((section(".control"), aligned(HV_CONTROL_PAGE)));

static const struct memory_map *map;
static struct own_memory own;
static uint64_t spare_first, spare_count; /* frames */
static uint64_t own_splits;		  /* blocks that only the hypervisor's own memory splits */
static uint64_t tsc_start;
static uint32_t tsc_khz;

static uint64_t read_tsc(void)
{
	return __builtin_ia32_rdtsc();
}

/* ---- Memory ---- */

void machine_init(const struct memory_map *guests, const struct own_memory *hypervisors,
		  uint64_t spare, uint64_t spare_size)
{
	map = guests;
	own = *hypervisors;
	spare_first = spare / FRAME_SIZE;
	spare_count = spare_size / FRAME_SIZE;
	npt_show(own.address / FRAME_SIZE, own.size / FRAME_SIZE, false);
	own_splits = npt_split_blocks();
	if (spare_count > 0)
		host_frames_take(spare_first, spare_count);
	tsc_start = read_tsc();
}

bool machine_is_own(uint64_t address)
{
	return address >= own.address && address - own.address < own.size;
}

static bool is_spare(uint64_t first, uint64_t count)
{
	return first >= spare_first && count <= spare_count &&
	       first - spare_first <= spare_count - count;
}

void *machine_shared_page(uint64_t *address)
{
	void *page = pool_take(1);

	*address = hv_to_phys(page);
	npt_show(*address / FRAME_SIZE, 1, true);
	return page;
}

bool machine_is_ram(uint64_t first, uint64_t count)
{
	const uint64_t most = UINT64_MAX / FRAME_SIZE;

	if (first > most || count > most - first)
		return false;
	return is_spare(first, count) ||
	       memory_map_is_ram(map, first * FRAME_SIZE, count * FRAME_SIZE);
}

void *machine_memory(uint64_t address, uint64_t size)
{
	uint64_t first = address / FRAME_SIZE, end;

	if (size == 0 || size > UINT64_MAX - FRAME_SIZE - address)
		return NULL;
	end = (address + size + FRAME_SIZE - 1) / FRAME_SIZE;
	if (!machine_is_ram(first, end - first))
		return NULL;
	for (uint64_t pfn = first; pfn < end; pfn++)
		if (host_frames_has(pfn))
			return NULL;
	return phys_to_hv(address);
}

uint64_t machine_ram_frames(void)
{
	return memory_map_frames(map);
}

uint64_t machine_spare(uint64_t *first)
{
	*first = spare_first;
	return spare_count;
}

static void tell_frames(void)
{
	uint64_t splits = npt_split_blocks();

	hv_control.common.taken = host_frames_count();
	hv_control.common.split_blocks = splits > own_splits ? splits - own_splits : 0;
}

void machine_show(uint64_t first, uint64_t count, bool present)
{
	npt_show(first, count, present);
	tell_frames();
}

/* ---- Time ---- */

static bool has_apic(void)
{
	uint32_t leaf[CPUID_REGISTERS];

	cpuid_read(LEAF_FEATURES, leaf);
	return leaf[CPUID_EDX] & EDX_APIC;
}

static volatile uint32_t *apic(uint32_t offset)
{
	return phys_to_hv(APIC_BASE + offset);
}

void machine_open_doorbell(void)
{
	if (has_apic())
		*apic(APIC_LVT_LINT1) = DELIVERY_NMI;
}

/* Both clocks at one moment: of several looks, the one that took the shortest. */
static void look_at_both(uint64_t *tsc, uint32_t *ns)
{
	uint64_t best = UINT64_MAX;

	for (unsigned i = 0; i < LOOKS; i++) {
		uint64_t before = read_tsc();
		uint32_t left = *apic(APIC_CURRENT_COUNT);
		uint64_t after = read_tsc();

		if (after - before < best) {
			best = after - before;
			*tsc = before + best / 2;
			*ns = UINT32_MAX - left;
		}
	}
}

void machine_measure_tsc(void)
{
	uint64_t first_tsc = 0, last_tsc = 0;
	uint32_t first_ns = 0, last_ns = 0;

	if (!has_apic())
		return;
	*apic(APIC_DIVIDE) = DIVIDE_BY_1;
	*apic(APIC_INITIAL_COUNT) = UINT32_MAX;
	look_at_both(&first_tsc, &first_ns);
	while (UINT32_MAX - *apic(APIC_CURRENT_COUNT) - first_ns < MEASURED_NS)
		;
	look_at_both(&last_tsc, &last_ns);
	*apic(APIC_INITIAL_COUNT) = 0;
	*apic(APIC_DIVIDE) = 0;
	tsc_khz = (uint32_t)((last_tsc - first_tsc) * 1000000 / (last_ns - first_ns));
}

uint32_t machine_tsc_khz(void)
{
	if (tsc_khz == 0)
		die("there is no local APIC to measure time by");
	return tsc_khz;
}

/* In two steps, so that nothing overflows. */
uint64_t machine_time_100ns(void)
{
	uint64_t ticks = read_tsc() - tsc_start, khz = machine_tsc_khz();

	return ticks / khz * 10000 + ticks % khz * 10000 / khz;
}

/* ---- What the test sees ---- */

void machine_violate(const char *what)
{
	char *text = hv_control.common.violation;

	if (!text[0])
		strncpy(text, what, HV_CONTROL_TEXT - 1);
}

void machine_publish(const char *personality, uint64_t own_frames)
{
	struct hv_control_common *common = &hv_control.common;

	if (memcmp(common->magic, HV_CONTROL_MAGIC, sizeof(common->magic)) != 0 ||
	    common->version != HV_CONTROL_VERSION)
		memset(&hv_control, 0, sizeof(hv_control));
	common->version = HV_CONTROL_VERSION;
	common->page_size = HV_CONTROL_PAGE;
	strncpy(common->personality, personality, sizeof(common->personality) - 1);
	common->ram_frames = machine_ram_frames();
	common->hypervisor_frames = own_frames;
	tell_frames();
	common->starts++;
	/* The magic is the last that a test may see. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	memcpy(common->magic, HV_CONTROL_MAGIC, sizeof(common->magic));
}
