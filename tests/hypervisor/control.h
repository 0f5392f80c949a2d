/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The block by which a process on the host speaks with the hypervisor inside QEMU. It maps the
 * machine's memory (memory-backend-memfd or -file, share=on) and finds the block at the start of
 * the hypervisor's own memory, which begins at a multiple of 2 MiB, near the top of the RAM below
 * 4 GiB. In host tests it is a variable.
 *
 * A page for all personalities, then a page for each. Every field has one writer: a test (or
 * balloonctl), or the hypervisor. The test rings by QMP's inject-nmi, if the hypervisor is to
 * look at once; else it looks at the guest's next exit. Amounts are in frames unless they say
 * otherwise.
 */
#ifndef TESTS_HYPERVISOR_CONTROL_H
#define TESTS_HYPERVISOR_CONTROL_H

#include <stdint.h>

#define HV_CONTROL_MAGIC "AEROSTAT-HV-CTL" /* and its NUL: 16 bytes */
#define HV_CONTROL_VERSION 2		   /* another one: the layout of some page has changed */
#define HV_CONTROL_PAGE 4096
#define HV_CONTROL_ALIGN (2 * 1024 * 1024)
#define HV_CONTROL_TEXT 128

/* Who is there for the balloon in the guest. */
enum hv_driver {
	HV_DRIVER_NO_BALLOON, /* this personality tells of none, or has none */
	HV_DRIVER_NONE,
	HV_DRIVER_RUNS, /* it has introduced itself to the host, and has not said goodbye */
};

#define HV_NO_REPORTS UINT64_MAX

struct hv_control_common {
	/*
	 * Written by the hypervisor before the guest starts, the magic last. A reset of the machine
	 * keeps what the test has written, and all counts but `taken`.
	 */
	char magic[16];
	uint32_t version;
	uint32_t page_size;   /* HV_CONTROL_PAGE */
	char personality[16]; /* its name */
	uint64_t ram_frames;  /* the guest's, without the hypervisor's own */
	uint64_t hypervisor_frames;

	/* Written by the test, or by balloonctl. */
	uint64_t target; /* frames that the balloon is to give */

	/* Written by the hypervisor. */
	uint64_t taken;	       /* frames that it has, the spare ones among them */
	uint64_t starts;       /* of the guest, with this memory: 1 after power-on */
	uint64_t exits;	       /* of the guest; grows while the guest lives */
	uint64_t rings;	       /* that were heard */
	uint64_t interrupts;   /* that were injected */
	uint64_t split_blocks; /* of 2 MiB, as the host has some frames of them */
	uint64_t touched;      /* times that the guest touched a frame that the host has */
	uint64_t touched_address, touched_rip; /* the last time */

	/* Written by the personality, for balloonctl; counts are since the guest's start. */
	uint64_t driver;    /* enum hv_driver */
	uint64_t ballooned; /* frames that the balloon has given: of `taken`, not the spare ones */
	uint64_t added;	    /* spare frames that the guest has, beside ram_frames */
	uint64_t said;	    /* times that the driver has said anything: grows while it lives */
	uint64_t reports; /* of the guest's memory, by its driver; or HV_NO_REPORTS: it has none */
	uint64_t available;	 /* frames, by the last report */
	uint64_t reported_100ns; /* when it came, in time since the start */
	uint64_t looked_100ns;	 /* when the hypervisor looked last, by the same clock */

	/* Written by the hypervisor. */
	char violation[HV_CONTROL_TEXT]; /* the guest's first mistake; empty: there was none */
	char death[HV_CONTROL_TEXT];	 /* of the hypervisor itself; empty: it lives */
};

/* Each personality's page has the shape that its own header gives it: struct vmware_control, ... */
enum hv_control_page {
	HV_CONTROL_VMWARE = 1,
	HV_CONTROL_HYPERV,
	HV_CONTROL_XEN,
	HV_CONTROL_PLAIN,
	HV_CONTROL_PAGES,
};

struct hv_control {
	union {
		struct hv_control_common common;
		uint8_t page[HV_CONTROL_PAGES][HV_CONTROL_PAGE];
	};
};

_Static_assert(sizeof(struct hv_control_common) <= HV_CONTROL_PAGE, "one page for all");

extern struct hv_control hv_control;

/* A personality's part of it. */
#define hv_control_of(type, number) ((type *)(void *)hv_control.page[number])

#endif
