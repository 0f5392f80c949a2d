/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The store's page (io/xs_wire.h): two rings of bytes, and what is cut out of them, messages. A
 * message may be larger than its ring, and comes and goes in pieces.
 *
 *	           who writes the bytes and `prod`    who writes `cons`
 *	request    we                                 xenstored
 *	response   xenstored                          we
 *
 * The other side can write all of the page at any time. So our own two counts are kept here and
 * only shown there, each of its counts is read once a look, and no byte twice.
 *
 * An event costs the other side a look at the page, and us the processor, where it has only ours to
 * look with. So there is one when there are bytes to be read; for room only if the ring was full.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "arch/barrier.h"
#include "drivers/xen/xen.h"
#include "drivers/xen/xenstore_internal.h"

static struct {
	struct xenstore_ring *page;
	uint32_t port;
	uint32_t request_prod, response_cons; /* ours */
	bool news;			      /* for the other side */
	/* The message that goes out. */
	uint8_t out[sizeof(struct xenstore_header) + XENSTORE_PAYLOAD_MAX];
	size_t length, sent;
	/* The message that comes in: its header, then what that announces. */
	struct xenstore_message in;
	size_t received;
} ring;

_Static_assert(offsetof(struct xenstore_message, payload) == sizeof(struct xenstore_header),
	       "a message is received as its bytes come");

void xenstore_ring_begin(struct xenstore_ring *page, uint32_t port)
{
	memset(&ring, 0, sizeof(ring));
	ring.page = page;
	ring.port = port;
	ring.request_prod = page->request_prod;
	ring.response_cons = page->response_prod;
}

/* ---- Out ---- */

static bool add_text(const char *text, bool ends)
{
	size_t length = text ? strlen(text) + ends : 0;

	if (length > sizeof(ring.out) - ring.length)
		return false;
	memcpy(ring.out + ring.length, text ? text : "", length);
	ring.length += length;
	return true;
}

int xenstore_ring_put_message(const struct xenstore_header *header, const char *first,
			      const char *second, bool second_ends)
{
	struct xenstore_header head = *header;

	assert(xenstore_ring_is_sent());
	ring.length = sizeof(head);
	ring.sent = 0;
	if (!add_text(first, true) || !add_text(second, second_ends)) {
		ring.length = 0;
		return -E2BIG;
	}
	head.length = (uint32_t)(ring.length - sizeof(head));
	memcpy(ring.out, &head, sizeof(head));
	return 0;
}

bool xenstore_ring_is_sent(void)
{
	return ring.sent == ring.length;
}

int xenstore_ring_send(void)
{
	uint32_t used = ring.request_prod - ring.page->request_cons;

	if (used > XENSTORE_RING_SIZE)
		return -EIO;
	/* What the other side has read is free from here on, not before. */
	dma_full_barrier();
	while (ring.sent < ring.length && used < XENSTORE_RING_SIZE) {
		size_t at = ring.request_prod % XENSTORE_RING_SIZE;
		size_t part = min_u64(min_u64(XENSTORE_RING_SIZE - used, XENSTORE_RING_SIZE - at),
				      ring.length - ring.sent);

		memcpy(ring.page->request + at, ring.out + ring.sent, part);
		ring.sent += part;
		ring.request_prod += (uint32_t)part;
		used += (uint32_t)part;
		ring.news = true;
	}
	/* The bytes come before the count that speaks of them. */
	dma_store_barrier();
	ring.page->request_prod = ring.request_prod;
	return 0;
}

/* ---- In ---- */

/* Takes up to `length` bytes; stores how many. */
static int take(uint8_t *bytes, size_t length, size_t *taken)
{
	uint32_t cons = ring.response_cons, used = ring.page->response_prod - cons;

	*taken = 0;
	if (used > XENSTORE_RING_SIZE)
		return -EIO;
	/* The count comes before the bytes of which it speaks. */
	dma_load_barrier();
	while (*taken < length && used > 0) {
		size_t at = ring.response_cons % XENSTORE_RING_SIZE;
		size_t part = min_u64(min_u64(used, XENSTORE_RING_SIZE - at), length - *taken);

		memcpy(bytes + *taken, ring.page->response + at, part);
		*taken += part;
		ring.response_cons += (uint32_t)part;
		used -= (uint32_t)part;
	}
	/* The bytes are read before others take their place. */
	dma_full_barrier();
	ring.page->response_cons = ring.response_cons;
	/* If it found no room before that, the count that left none is there by now. */
	dma_full_barrier();
	if (*taken > 0 && ring.page->response_prod - cons >= XENSTORE_RING_SIZE)
		ring.news = true;
	return 0;
}

/* Takes what has come of the message's first `end` bytes. */
static int take_up_to(size_t end)
{
	size_t taken;
	int err = take((uint8_t *)&ring.in + ring.received, end - ring.received, &taken);

	ring.received += taken;
	return err;
}

int xenstore_ring_receive(const struct xenstore_message **message)
{
	const struct xenstore_header *header = &ring.in.header;
	size_t end = sizeof(*header);
	int err = 0;

	*message = NULL;
	if (ring.received < sizeof(*header))
		err = take_up_to(sizeof(*header));
	if (err || ring.received < sizeof(*header))
		return err;
	if (header->length > XENSTORE_PAYLOAD_MAX)
		return -EMSGSIZE;
	end += header->length;
	err = take_up_to(end);
	if (err || ring.received < end)
		return err;
	ring.in.payload[header->length] = '\0';
	ring.received = 0;
	*message = &ring.in;
	return 0;
}

void xenstore_ring_notify(void)
{
	if (ring.news)
		xen_notify(ring.port);
	ring.news = false;
}
