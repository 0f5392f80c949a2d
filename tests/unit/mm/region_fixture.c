/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames that are real memory while they are plugged; see region_fixture.h. */
#include "tests/unit/mm/region_fixture.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "arch/phys_map.h"
#include "mm/ledger.h"

static void *address(pfn_t pfn)
{
	return phys_to_virt(pfn_to_paddr(pfn));
}

static void protect(pfn_t pfn, uint64_t frames, int protection)
{
	assert_int_equal(mprotect(address(pfn), frames * FRAME_SIZE, protection), 0);
}

int region_fixture_reserve(void **state)
{
	void *ram = mmap(address(RAM), RAM_FRAMES * FRAME_SIZE, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

	(void)state;
	return ram == address(RAM) ? 0 : -1;
}

void region_fixture_boot(uint64_t frames)
{
	madvise(address(RAM), RAM_FRAMES * FRAME_SIZE, MADV_DONTNEED);
	protect(RAM, RAM_FRAMES, PROT_NONE);
	protect(RAM, frames, PROT_READ | PROT_WRITE);
	/* Of a large RAM only what the books come to lie in. */
	memset(address(RAM), 0xa5, min_u64(frames, 4096) * FRAME_SIZE);
	fixture_start_one(RAM, RAM + frames);
}

void region_fixture_map(pfn_t pfn, uint64_t frames, bool mapped)
{
	protect(pfn, frames, mapped ? PROT_READ | PROT_WRITE : PROT_NONE);
}

void region_announce(pfn_t start, size_t blocks)
{
	assert_int_equal(frame_region_announce(start, blocks), 0);
}

void region_plug(pfn_t pfn, size_t blocks)
{
	uint64_t before = ledger_managed();

	protect(pfn, blocks * BLOCK_FRAMES, PROT_READ | PROT_WRITE);
	/* Books go into the lowest blocks. */
	memset(address(pfn), 0xa5, min_u64(blocks, 2) * BLOCK_SIZE);
	assert_int_equal(frame_region_plug(pfn, blocks), 0);
	assert_int_equal(ledger_managed(), before + blocks * BLOCK_FRAMES);
	fixture_expect_managed(ledger_managed());
}

size_t region_claim(const struct frame_region_part *part, size_t max, pfn_t *pfn)
{
	uint64_t before = ledger_managed();
	size_t blocks = 0;
	int err = frame_region_claim(part, max, pfn, &blocks);

	assert_int_equal(ledger_managed(), before);
	if (err) {
		assert_int_equal(err, -ENOENT);
		assert_int_equal(blocks, 0);
		return 0;
	}
	assert_in_range(blocks, 1, max);
	assert_int_equal(blocks % part->unit, 0);
	assert_int_equal(frame_count_blocks(*pfn, blocks, OWNER_UNPLUGGED), blocks);
	protect(*pfn, blocks * BLOCK_FRAMES, PROT_NONE);
	return blocks;
}

void region_leave(pfn_t pfn, size_t blocks)
{
	uint64_t before = ledger_managed();

	assert_int_equal(frame_region_leave(pfn, blocks), 0);
	assert_int_equal(ledger_managed(), before - blocks * BLOCK_FRAMES);
	fixture_expect_managed(ledger_managed());
	madvise(address(pfn), blocks * BLOCK_SIZE, MADV_DONTNEED);
}

void region_keep(pfn_t pfn, size_t blocks)
{
	protect(pfn, blocks * BLOCK_FRAMES, PROT_READ | PROT_WRITE);
	assert_int_equal(frame_free(pfn, blocks * BLOCK_FRAMES, OWNER_UNPLUGGED), 0);
}
