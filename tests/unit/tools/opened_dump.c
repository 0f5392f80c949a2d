/* SPDX-License-Identifier: BSD-2-Clause */
/* Cores opened as dumps; see opened_dump.h. */
#include "tests/unit/tools/opened_dump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/lib/epitaph.h"
#include "kernel/lib/events.h"
#include "kernel/mem_figures.h"
#include "mm/frame.h"
#include "mm/ledger.h"

/* Named by the root, but not read here: events need a driver that has some. */
struct epitaph panic_epitaph;

#define TEST_EVENTS(EVENT) EVENT(TEST_EVENT, "test", "", "")
EVENTS_DECLARE(test, TEST_EVENTS)
EVENTS_DEFINE(test, TEST_EVENTS);

struct opened open_pieces(const struct core_piece *pieces, size_t count)
{
	struct opened o = { 0 };

	o.err = core_file_open(core_file_make(pieces, count), &o.core, o.error);
	assert_int_equal(o.err, 0);
	o.err = frame_dump_open(o.core, &o.dump, o.error);
	return o;
}

void done(struct opened *o)
{
	frame_dump_close(o->dump);
	core_close(o->core);
}

struct mem_figures figures_of(const struct opened *o)
{
	char error[CORE_ERROR_MAX];
	struct mem_figures f;

	if (frame_dump_figures(o->dump, &f, error))
		fail_msg("%s", error);
	return f;
}

void assert_same_figures(const struct mem_figures *f)
{
	char verdict[LEDGER_VERDICT_MAX];
	unsigned n = 0;

	for (enum owner owner = OWNER_FREE; owner < OWNER_COUNT; owner++) {
		if (owner_is_second(owner) && ledger_count(owner) == 0)
			continue;
		assert_true(n < f->owner_count);
		assert_string_equal(f->owner[n].name, owner_name(owner));
		assert_int_equal(f->owner[n++].frames, ledger_count(owner));
	}
	assert_int_equal(n, f->owner_count);
	for (unsigned order = 0; order <= BLOCK_ORDER; order++)
		assert_int_equal(f->free_by_order[order], frame_free_by_order(order));
	assert_true(ledger_audit(verdict));
	assert_string_equal(f->verdict, verdict);
	assert_true(f->ledger_ok);
	assert_int_equal(f->account.ram, ledger_managed());
}
