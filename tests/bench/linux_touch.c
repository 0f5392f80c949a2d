/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `stress anon` does, as a process of the Linux guest that is the peer of the pressure
 * benchmark: it touches pages that name themselves, and prints how long each pass over them took.
 *
 *	touch loop|rand MIB PASSES
 *	touch read FILE		by 128 KiB at a time
 *	touch direct FILE	likewise, past the page cache
 */
#define _GNU_SOURCE /* O_DIRECT */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define STREW UINT64_C(0x9e3779b97f4a7c15)

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A word in each line of 64 bytes, as in Aerostat's workload. */
static void name(unsigned char *page, uint64_t number)
{
	uint64_t word = number * STREW;

	for (unsigned at = 0; at < PAGE; at += 64, word += STREW)
		memcpy(page + at, &word, sizeof(word));
}

static void touch(unsigned char *page)
{
	page[8]++;
}

static uint64_t draw(uint64_t *state, uint64_t n)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (*state >> 11) % n;
}

static int read_file(const char *path, int flags)
{
	static char buffer[128 * 1024] __attribute__((aligned(PAGE)));
	int fd = open(path, O_RDONLY | flags);
	double start = now();

	if (fd < 0)
		return 1;
	while (read(fd, buffer, sizeof(buffer)) > 0)
		;
	printf("pass %.6f\n", now() - start);
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t pages = argc > 2 ? strtoull(argv[2], NULL, 10) << 8 : 0, state = 1;
	unsigned long passes = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
	int random = argc > 1 && strcmp(argv[1], "rand") == 0;
	unsigned char *memory;
	double start;

	if (argc == 3 && strcmp(argv[1], "read") == 0)
		return read_file(argv[2], 0);
	if (argc == 3 && strcmp(argv[1], "direct") == 0)
		return read_file(argv[2], O_DIRECT);
	if (pages == 0)
		return 2;
	memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return 1;
	/* Pages of 4 KiB, like the other side's. */
	madvise(memory, pages * PAGE, MADV_NOHUGEPAGE);
	start = now();
	for (uint64_t i = 0; i < pages; i++)
		name(memory + i * PAGE, i);
	printf("pass %.6f\n", now() - start);
	while (passes-- > 0) {
		start = now();
		for (uint64_t i = 0; i < pages; i++)
			touch(memory + (random ? draw(&state, pages) : i) * PAGE);
		printf("pass %.6f\n", now() - start);
	}
	return 0;
}
