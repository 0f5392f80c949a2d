/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest.c: one running guest, seen from the host, whoever manages it. A
 * backend (guest_qmp.c, guest_libvirt.c) reaches it; the commands know only
 * what stands here.
 *
 * All amounts are bytes. "Left" is memory that the guest still has, "taken" is
 * memory that the balloon has from it: left + taken = ram, always. What QEMU,
 * libvirt and the guest say is input: it was checked before it stands here, and
 * what was impossible is in `complaint`, not in the numbers.
 *
 * Errors: 0 or a negative errno, and guest_error() says in a sentence what
 * went wrong and what would be right:
 *	-ENODEV		the machine has no balloon device
 *	-ENOTCONN	there is no such guest, or the connection is gone
 *	-EPERM		the socket is not ours
 *	-ETIMEDOUT	no answer in time
 *	-EPROTO		an answer that makes no sense
 *	-ERANGE		a size that this guest cannot have
 * or what qmp.h has.
 */
#ifndef TOOLS_BALLOONCTL_GUEST_H
#define TOOLS_BALLOONCTL_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/balloonctl/stat_names.h"

struct guest;

/* virtio 1.3, 5.5.3 and 6: bits by number; names by guest_feature_name(). */
struct guest_state {
	uint64_t ram;
	uint64_t left;	/* as the guest last reported it, 0 to ram */
	uint64_t taken; /* ram - left */
	bool has_target;
	uint64_t target_left; /* what the host asked for last, if that can be known */
	bool has_features;
	uint64_t offered, accepted; /* feature bits */
	bool driver_ok;		    /* a driver runs in the guest (with has_features) */
	bool paused;		    /* the guest does not run now: nothing will change */
	char complaint[160];	    /* "" unless something said was impossible */
};

/* The newest statistics; a tag that was never sent is not in `present`. */
struct guest_stats {
	uint32_t present; /* bit per STAT_ number */
	uint64_t value[STAT_COUNT];
	bool ever;	   /* the guest has answered at least once */
	uint64_t update;   /* when, in Unix time: QEMU's clock, whole seconds */
	double age;	   /* seconds since, by this machine's clock */
	unsigned interval; /* seconds of polling; 0: nobody asks the guest */
};

/* What the guest costs this machine; backends that cannot know give -ENOTSUP. */
struct guest_cost {
	uint64_t resident; /* bytes of QEMU's memory that are in RAM (Pss) */
	uint64_t cpu_ms;   /* processor time of QEMU */
};

/*
 * Connect to the guest that @name says: the path of a QMP socket (it has a
 * slash), a libvirt URI with the domain behind # ("libvirt:///session#name",
 * "qemu+ssh://host/system#name"), or a short name of a socket in the folder
 * that tools/run.sh uses; NULL: the only one there. On failure *@error is a
 * sentence, the caller's by free().
 */
int guest_open(const char *name, struct guest **out, char **error);

/*
 * The short names of the sockets in that folder, sorted, the array and each
 * name the caller's by free(). Dead ones are among them. *@count is 0 if there
 * is no such folder, or if it is not ours alone.
 */
void guest_list(char ***names, size_t *count);

/* Closes and frees; NULL is allowed. */
void guest_close(struct guest *guest);

/* How it was named, for people. Not to be trusted on a terminal: escape it. */
const char *guest_name(const struct guest *guest);

const char *guest_error(const struct guest *guest);

/*
 * Tells whether others can reach the guest while this connection is kept, as
 * they can with libvirt; a QMP socket serves one client at a time.
 */
bool guest_may_be_kept(const struct guest *guest);

int guest_state(struct guest *guest, struct guest_state *state);

/* Sends a target; does not wait. -ERANGE: more than ram, or 0. */
int guest_set_target(struct guest *guest, uint64_t bytes_left);

int guest_stats(struct guest *guest, struct guest_stats *stats);

/* Have the guest asked every @seconds; 0: no more. */
int guest_set_interval(struct guest *guest, unsigned seconds);

int guest_cost(struct guest *guest, struct guest_cost *cost);

/* A dump of the guest's memory as an ELF core at @path (absolute), made by its manager. */
int guest_dump(struct guest *guest, const char *path);

/* "DEFLATE_ON_OOM"; NULL for a bit that has no name. */
const char *guest_feature_name(unsigned bit);

#endif
