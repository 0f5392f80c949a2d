/* SPDX-License-Identifier: BSD-2-Clause */
/* From the ledger's counts to the figures, by the balloon's mode. */
#include "drivers/balloon/balloon_account.h"

#include <assert.h>

#include "mm/ledger.h"

void balloon_account(bool deflate_on_oom, struct balloon_account *account)
{
	*account = balloon_account_of(ledger_managed(), ledger_count(OWNER_FREE),
				      ledger_count(OWNER_BALLOON), deflate_on_oom);
	assert(account->total <= account->ram && account->free <= account->total);
	assert(account->inflated_total == 0 || account->inflated_free == 0);
}
