/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verdicts of an audit, as formats of printf(). The guest recounts its own
 * map (mm/ledger.c), and a host program recounts the map in a dump of it
 * (tools/frame_dump_audit.c). The two recounts are written apart on purpose, as
 * each is a check on the other; only what they say is the same. Numbers of blocks
 * and frames are uint64_t, owners and orders are unsigned, names are strings.
 * Host programs include this file.
 */
#ifndef MM_LEDGER_SENTENCES_H
#define MM_LEDGER_SENTENCES_H

#include <inttypes.h>

#define LEDGER_OK "ok (%" PRIu64 " frames)"
#define LEDGER_OK_BLOCKS "ok in each block (%" PRIu64 " frames)"

/* Stands before each of the following. */
#define LEDGER_BROKEN "BROKEN "

#define LEDGER_FRAME_OWNER "block %" PRIu64 " frame %u: owner %u"
#define LEDGER_FREE_BIT "block %" PRIu64 " frame %u: %s, but its free bit is %d"
#define LEDGER_NO_INDEX "block %" PRIu64 " frame %u: %s has no index of it"
#define LEDGER_BLOCK_OWNER "block %" PRIu64 ": owner %u"
#define LEDGER_WRONG_LIST "block %" PRIu64 " of order %u is wrong in list %u"
#define LEDGER_RECORD "block %" PRIu64 ": record says %u free, order %u; map says %u, %u"
#define LEDGER_WHOLE "%" PRIu64 " blocks are listed as whole, %" PRIu64 " are"
#define LEDGER_OWNER_COUNT "%s: counted %" PRIu64 ", booked %" PRIu64
#define LEDGER_ORDER_COUNT "free, order %u: counted %" PRIu64 ", booked %" PRIu64
#define LEDGER_REGION_FREE "free, in regions: counted %" PRIu64 ", booked %" PRIu64
#define LEDGER_SECTIONS_FREE "free, in sections: counted %" PRIu64 ", booked %" PRIu64
#define LEDGER_OWNER_TOO_MANY "%s has %" PRIu64 " of %" PRIu64 " frames"
#define LEDGER_SUM "owners have %" PRIu64 " of %" PRIu64 " frames"

/* Only the guest knows which blocks those are. */
#define LEDGER_UNFILLED "block %" PRIu64 " is to be filled, but has nothing to fill"

#endif
