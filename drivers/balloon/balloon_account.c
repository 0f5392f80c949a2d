/* SPDX-License-Identifier: BSD-2-Clause */
/* From the ledger's counts to the figures, by the balloon's mode. */
#include "drivers/balloon/balloon_account.h"

#include "drivers/balloon/balloon.h"
#include "mm/ledger.h"

void balloon_account(struct balloon_account *account)
{
	struct balloon_status status;

	balloon_status(&status);
	*account = balloon_account_of(ledger_managed(), ledger_count(OWNER_FREE),
				      ledger_count(OWNER_BALLOON), status.deflate_on_oom);
}
