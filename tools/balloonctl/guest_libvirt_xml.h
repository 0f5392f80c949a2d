/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest_libvirt_xml.c: the memory devices and the balloon of a running domain, in the XML that
 * libvirt writes of it. libvirt writes it itself, so its form is known: attributes in single
 * quotes, sizes in KiB, what is of the machine after <devices>, where no one else's elements
 * are.
 */
#ifndef TOOLS_BALLOONCTL_GUEST_LIBVIRT_XML_H
#define TOOLS_BALLOONCTL_GUEST_LIBVIRT_XML_H

#include <stdint.h>

struct guest_state;

/*
 * Fills in dimms and the virtio-mem devices of `state`; *all is the size of all memory
 * devices, of which some may be plugged in part or be no RAM, as libvirt counts them in the
 * domain's memory. -EPROTO: sizes that make no sense.
 */
int libvirt_read_devices(const char *xml, struct guest_state *state, uint64_t *all);

/*
 * Reads every how many seconds the guest is asked for statistics, which libvirt tells nowhere
 * else; 0: not at all.
 */
unsigned libvirt_read_period(const char *xml);

/*
 * Makes the element of the memory device with that alias, with another requested size; the
 * caller's by free(). NULL: there is none, or no memory.
 */
char *libvirt_request_xml(const char *xml, const char *alias, uint64_t bytes);

#endif
