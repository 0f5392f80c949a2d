/* SPDX-License-Identifier: BSD-2-Clause */
/* The smallest balloon device: see toy_balloon.h. */
#include "tests/porting/toy_balloon.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "arch/paging.h"
#include "tests/porting/foreign_kernel.h"

#define FEATURES_HIGH 1 /* VERSION_1 */
#define QUEUE_SIZE 16
#define STATUS_DRIVER_OK 4
#define ISR_QUEUE 1
#define ISR_CONFIG 2
#define DESC_NEXT 1
#define DESC_WRITE 2

enum { INFLATE, DEFLATE, QUEUES };

struct desc {
	uint64_t address;
	uint32_t length;
	uint16_t flags, next;
};

struct avail {
	uint16_t flags, index, ring[QUEUE_SIZE];
};

struct used {
	uint16_t flags, index;
	struct {
		uint32_t id, length;
	} ring[QUEUE_SIZE];
};

struct queue {
	uint32_t size, ready;
	uint64_t area[3]; /* desc, avail, used: physical addresses */
	uint16_t seen;	  /* chains taken so far */
};

char toy_window[TOY_SIZE];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* for all below */
static pthread_cond_t notified = PTHREAD_COND_INITIALIZER;
static struct queue queues[QUEUES];
static uint32_t status, isr, selected_features, selected_queue, generation, target, actual;
static bool work, has[POOL_FRAMES];
static uint64_t frames;

/* ---- What it does with memory ---- */

static void fail(const char *what)
{
	fprintf(stderr, "toy: %s\n", what);
	abort();
}

/* A frame comes or goes; the kernel can reach those only that the device has not. */
static void move_frame(uint32_t pfn, bool take)
{
	uint64_t frame = pfn - POOL_PADDR / FRAME_SIZE;
	char *at = pool + frame * FRAME_SIZE;

	if (frame >= POOL_FRAMES || has[frame] == take)
		fail(take ? "a frame that it cannot take" : "a frame that it does not have");
	if (take)
		madvise(at, FRAME_SIZE, MADV_DONTNEED);
	mprotect(at, FRAME_SIZE, take ? PROT_NONE : PROT_READ | PROT_WRITE);
	has[frame] = take;
	frames += take ? 1 : UINT64_MAX;
}

static void take_chain(const struct queue *queue, uint16_t head, bool take)
{
	const struct desc *desc = (const struct desc *)phys_to_virt(queue->area[0]) + head;
	const uint32_t *pfn = phys_to_virt(desc->address);

	if (head >= queue->size || desc->flags & (DESC_NEXT | DESC_WRITE))
		fail("a chain that holds no page numbers");
	for (uint32_t i = 0; i < desc->length / sizeof(*pfn); i++)
		move_frame(pfn[i], take);
}

/* The driver's index is read first, ours is written last (2.7.13, 2.7.14). */
static bool run_queue(struct queue *queue, bool take)
{
	volatile struct avail *avail = phys_to_virt(queue->area[1]);
	volatile struct used *used = phys_to_virt(queue->area[2]);
	bool any = false;

	while (queue->ready && queue->seen != avail->index) {
		uint16_t at = queue->seen++ % (uint16_t)queue->size;

		atomic_thread_fence(memory_order_acquire);
		take_chain(queue, avail->ring[at], take);
		used->ring[at].id = avail->ring[at];
		used->ring[at].length = 0;
		atomic_thread_fence(memory_order_release);
		used->index = queue->seen;
		any = true;
	}
	return any;
}

static void *run(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	for (;;) {
		while (!work)
			pthread_cond_wait(&notified, &lock);
		work = false;
		if (run_queue(&queues[INFLATE], true))
			isr |= ISR_QUEUE;
		if (run_queue(&queues[DEFLATE], false))
			isr |= ISR_QUEUE;
		pthread_mutex_unlock(&lock);
		kernel_interrupt(TOY_GSI);
		pthread_mutex_lock(&lock);
	}
	return NULL;
}

/* ---- Registers (4.2.2) ---- */

static uint32_t read_locked(size_t reg)
{
	const struct queue *queue = &queues[selected_queue % QUEUES];

	switch (reg) {
	case 0x000:
		return 0x74726976; /* "virt" */
	case 0x004:
		return 2;
	case 0x008:
		return 5; /* a balloon */
	case 0x010:
		return selected_features == 1 ? FEATURES_HIGH : 0;
	case 0x034:
		return selected_queue < QUEUES ? QUEUE_SIZE : 0;
	case 0x044:
		return selected_queue < QUEUES ? queue->ready : 0;
	case 0x060:
		return isr;
	case 0x070:
		return status;
	case 0x0fc:
		return generation;
	case 0x100:
		return target;
	case 0x104:
		return actual;
	default:
		return 0;
	}
}

static void write_status(uint32_t value)
{
	status = value;
	if (value)
		return;
	for (size_t i = 0; i < QUEUES; i++)
		queues[i] = (struct queue){ 0 };
	isr = 0;
}

/* One half of an address; 0x080, 0x090, 0x0a0 and four bytes after each. */
static void write_area(struct queue *queue, size_t reg, uint32_t value)
{
	uint64_t *area = &queue->area[(reg - 0x080) / 0x10];
	unsigned shift = reg % 8 ? 32 : 0;

	*area = (*area & ~((uint64_t)UINT32_MAX << shift)) | (uint64_t)value << shift;
}

static void write_queue(size_t reg, uint32_t value)
{
	struct queue *queue = &queues[selected_queue % QUEUES];

	if (selected_queue >= QUEUES)
		fail("a queue that is not there");
	if (reg == 0x038)
		queue->size = value;
	else if (reg == 0x044)
		queue->ready = value;
	else if (reg >= 0x080 && reg < 0x0a8)
		write_area(queue, reg, value);
}

static void write_locked(size_t reg, uint32_t value)
{
	switch (reg) {
	case 0x014:
		selected_features = value;
		break;
	case 0x030:
		selected_queue = value;
		break;
	case 0x050:
		work = true;
		pthread_cond_signal(&notified);
		break;
	case 0x064:
		isr &= ~value;
		break;
	case 0x070:
		write_status(value);
		break;
	case 0x104:
		actual = value;
		break;
	default:
		write_queue(reg, value);
	}
}

uint32_t toy_read(const void *reg)
{
	uint32_t value;

	pthread_mutex_lock(&lock);
	value = read_locked((size_t)((const char *)reg - toy_window));
	pthread_mutex_unlock(&lock);
	return value;
}

void toy_write(void *reg, uint32_t value)
{
	pthread_mutex_lock(&lock);
	write_locked((size_t)((char *)reg - toy_window), value);
	pthread_mutex_unlock(&lock);
}

/* ---- The host's side ---- */

void toy_start(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, NULL))
		fail("no thread");
	pthread_detach(thread);
}

void toy_set_target(uint32_t wanted)
{
	pthread_mutex_lock(&lock);
	target = wanted;
	generation++;
	isr |= ISR_CONFIG;
	work = true; /* its thread has the interrupt to raise */
	pthread_cond_signal(&notified);
	pthread_mutex_unlock(&lock);
}

uint64_t toy_frames(void)
{
	uint64_t now;

	pthread_mutex_lock(&lock);
	now = frames;
	pthread_mutex_unlock(&lock);
	return now;
}

uint32_t toy_actual(void)
{
	return toy_read(toy_window + 0x104);
}
