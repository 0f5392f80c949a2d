/* SPDX-License-Identifier: BSD-2-Clause */
/* From the ledger's counts to the figures, by each balloon's mode. */
#include "drivers/balloon/balloon_account.h"

#include <assert.h>

#include "drivers/balloon/balloon_state_internal.h"
#include "mm/ledger.h"
#include "mm/vm_events.h"

/* Pages of the cache that are dirty need a disk first. */
static uint64_t clean_cache(void)
{
	return vm_events.cached > vm_events.dirty ? vm_events.cached - vm_events.dirty : 0;
}

void balloon_account(struct balloon_account *account)
{
	uint64_t total = 0, free = 0;

	for (size_t i = 0; i < BALLOONS; i++) {
		uint64_t ballooned = ledger_count(balloon_owners(i)->balloon);

		if (balloons[i].status.deflate_on_oom)
			free += ballooned;
		else
			total += ballooned;
	}
	*account = balloon_account_of(ledger_managed(), ledger_count(OWNER_FREE), total, free);
	account->available = balloon_available(account->free, vm_events.reserve, clean_cache());
	assert(account->total <= account->ram && account->free <= account->total);
}
