/* SPDX-License-Identifier: BSD-2-Clause */
/* vmbus: the connection to Hyper-V's channels, and the channels that it offers. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "arch/hyperv.h"
#include "drivers/hyperv/synic.h"
#include "drivers/hyperv/vmbus.h"
#include "kernel/lib/command.h"

static void print_connection(const struct vmbus_info *info)
{
	struct synic_counts counts;

	synic_get_counts(&counts);
	if (info->fault)
		printf("Not used%s: %s\n", info->version == 0 ? "" : " any more", info->fault);
	if (info->version == 0)
		printf("VMBus is not connected; ");
	else
		printf("VMBus %u.%u, connected in %" PRIu64 " us; ",
		       (unsigned)(info->version >> 16), (unsigned)(info->version & 0xffff),
		       info->connect_us);
	printf("Hyper-V %u.%u, build %u\n", (unsigned)(hyperv_cpuid()->version >> 16),
	       (unsigned)(hyperv_cpuid()->version & 0xffff), (unsigned)hyperv_cpuid()->build);
	printf("Messages: %" PRIu64 " posted, %" PRIu64 " taken, %" PRIu64
	       " of them of no use; %" PRIu64 " events, %" PRIu64 " interrupts by vector %u\n",
	       info->posted, info->taken, info->ignored, counts.events, counts.interrupts,
	       counts.vector);
}

static const char *state_of(const struct vmbus_channel_info *channel, const struct vmbus_info *info)
{
	if (channel->withdrawn)
		return "gone";
	if (info->fault)
		return "unused";
	if (channel->fault)
		return "broken";
	if (channel->open)
		return "open";
	return channel->closed ? "closed" : "offered";
}

/* What befell all of VMBus has been told. */
static void print_reason(const struct vmbus_channel_info *channel, const struct vmbus_info *info)
{
	const char *why = channel->fault ? channel->fault : channel->closed;

	if (why && why != info->fault)
		printf("       %s\n", why);
}

static void print_channel(const struct vmbus_channel_info *channel, const struct vmbus_info *info)
{
	char guid[VMBUS_GUID_TEXT_MAX];

	vmbus_format_guid(&channel->type, guid);
	printf("%5" PRIu32 "  %s  %-7s %8" PRIu64 " %8" PRIu64 " %8" PRIu64 "\n", channel->relid,
	       guid, state_of(channel, info), channel->sent, channel->received, channel->signals);
	print_reason(channel, info);
}

static int cmd_vmbus(int argc, char **argv)
{
	struct vmbus_channel_info channel;
	struct vmbus_info info;

	(void)argv;
	if (argc > 1)
		return -EINVAL;
	if (!vmbus_get_info(&info)) {
		printf("vmbus: there is none%s\n",
		       info.looking ? " yet: the host is being asked"
				    : ": this is not Hyper-V, or it offers no channels");
		return -ENODEV;
	}
	print_connection(&info);
	printf("RELID  TYPE                                  STATE       SENT RECEIVED  SIGNALS\n");
	for (size_t i = 0; vmbus_get_channel(i, &channel); i++)
		print_channel(&channel, &info);
	printf("%s\n", info.all_offers ? "That is all, says the host."
				       : "The host has not said "
					 "that that is all.");
	return 0;
}

COMMAND("vmbus", "", "Hyper-V's connection, and the channels it offers",
	"SENT and RECEIVED are messages; SIGNALS are the hypercalls that told of them.\n"
	"A channel for which this guest has no driver stays `offered`. One that is not\n"
	"open any more is `closed`, one that its driver will not use `broken`, one that\n"
	"the host has withdrawn `gone`; the line below says why. All are `unused` when\n"
	"the first line says that Hyper-V's channels are.",
	cmd_vmbus);
