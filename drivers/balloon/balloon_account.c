/* SPDX-License-Identifier: BSD-2-Clause */
/* From the ledger's counts to the figures, by the balloon's mode. */
#include "drivers/balloon/balloon_account.h"

#include "drivers/balloon/balloon.h"
#include "mm/ledger.h"

void balloon_account(struct balloon_account *account)
{
	uint64_t ballooned = ledger_count(OWNER_BALLOON);
	struct balloon_status status;

	balloon_status(&status);
	account->ram = ledger_managed();
	account->inflated_free = status.deflate_on_oom ? ballooned : 0;
	account->inflated_total = ballooned - account->inflated_free;
	account->total = account->ram - account->inflated_total;
	account->free = ledger_count(OWNER_FREE);
	/* Nothing is cached and nothing set aside: an allocation can have all of it. */
	account->available = account->free;
}
