/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest.c: one running guest, seen from the host, whichever program manages it.
 * A backend (guest_qmp.c, guest_libvirt.c) reaches it; the commands know only
 * what stands here.
 *
 * Whoever asks has a deadline, of tools/deadline.h, for all that he asks: see
 * guest_set_deadline().
 *
 * All amounts are bytes. "Left" is memory that the guest still has, "taken" is
 * memory that the balloon has from it: left + taken = ram, always. All that QEMU,
 * libvirt and the guest say is input: it was checked before it stands here, and
 * anything impossible is in `complaint`, not in the numbers.
 *
 * The RAM is what the machine has now: its base, which it began with, its DIMMs, and what
 * virtio-mem devices have plugged, which is "grown": base + dimms + grown = ram. QEMU's balloon
 * counts DIMMs and never virtio-mem, so it can take base + dimms at most, and what is
 * grown is always left to the guest. All amounts left that are read here, targets too, are of
 * the whole.
 *
 * Errors: 0 or a negative errno, and guest_error() says in a sentence what
 * went wrong and what would be right:
 *	-ENODEV		the machine has no balloon device
 *	-ENOTCONN	there is no such guest, or the connection is gone
 *	-EPERM		the socket is not ours
 *	-ETIMEDOUT	no answer by the deadline
 *	-EBUSY		no answer, as the socket serves another client meanwhile
 *	-EPROTO		an answer that makes no sense
 *	-EPROTONOSUPPORT	a hypervisor's control block of another version, or none
 *	-ERANGE		a size that this guest cannot have
 * or what qmp.h has. Of these -ENOTCONN, -ETIMEDOUT and -EPROTO can come from
 * every function that asks the guest's manager.
 */
#ifndef TOOLS_BALLOONCTL_GUEST_H
#define TOOLS_BALLOONCTL_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/balloonctl/stat_names.h"

struct guest;

/* Of the features: the driver can send statistics; they count what is taken as used. */
#define STATS_VQ_BIT 1
#define DEFLATE_ON_OOM_BIT 2

#define GUEST_HYPERVISOR_NAME 16 /* bytes, with the final 0 */
#define GUEST_MEM_DEVICES 16
#define GUEST_MEM_NAME 128 /* bytes, with the final 0 */

/*
 * A virtio-mem device (virtio 1.3, 5.15). block is a power of two; region and requested are
 * multiples of it; requested and plugged are at most region.
 */
struct guest_mem_device {
	char name[GUEST_MEM_NAME]; /* QMP: its id, else its path in QEMU; libvirt: its alias */
	uint64_t block;		   /* it plugs and unplugs so much, or multiples */
	uint64_t region;	   /* so much it can bring in all */
	uint64_t requested;	   /* so much the host wants plugged */
	uint64_t plugged;	   /* so much the guest has plugged */
	bool has_driver;	   /* whether one runs is known: see guest_find_drivers() */
	bool driver_ok;		   /* a driver of the guest runs it (with has_driver) */
};

/* virtio 1.3, 5.5.3 and 6: bits by number; names by guest_feature_name(). */
struct guest_state {
	uint64_t ram;	      /* base + dimms + grown */
	uint64_t left;	      /* as the guest last reported it, grown to ram */
	uint64_t taken;	      /* ram - left, 0 to base + dimms */
	uint64_t base;	      /* without anything that can be plugged */
	uint64_t dimms;	      /* all DIMMs together */
	bool has_grown;	      /* there is a virtio-mem device; without, the next four are 0 */
	uint64_t grown;	      /* plugged by all of them together */
	uint64_t requested;   /* of all of them together */
	unsigned nr_devices;  /* those in `devices` */
	unsigned nr_unlisted; /* those that have no room there: in the sums only */
	struct guest_mem_device devices[GUEST_MEM_DEVICES]; /* in QEMU's or libvirt's order */
	bool lacks_balloon; /* the machine has none: see guest_memory() */
	bool has_target;
	uint64_t target_left; /* the host's last target, if that can be known */
	bool has_features;
	uint64_t offered, accepted; /* feature bits */
	bool has_driver;	    /* whether one runs is known, as it is with has_features */
	bool driver_ok;		    /* a driver runs in the guest (with has_driver) */
	/* The balloon is that of the hypervisor for tests, "vmware" or so; "": QEMU's device. */
	char hypervisor[GUEST_HYPERVISOR_NAME];
	bool paused;	     /* the guest does not run now: nothing will change */
	bool panicked;	     /* it has said so itself, and was not reset since */
	char complaint[160]; /* "" unless something said was impossible */
};

/* How statistics come. */
enum stats_way {
	STATS_ASKED,   /* QEMU or libvirt has the guest asked */
	STATS_UNASKED, /* the guest sends them when it likes, and nobody can ask */
	STATS_NEVER,   /* this kind of balloon has none */
};

/* The newest statistics; a tag that was never sent is not in `present`. */
struct guest_stats {
	uint32_t present; /* bit per STAT_ number */
	uint64_t value[STAT_COUNT];
	bool ever;	   /* the guest has answered at least once */
	uint64_t update;   /* when, in Unix time: QEMU's clock, whole seconds */
	double age;	   /* seconds since, by this machine's clock */
	unsigned interval; /* seconds of polling; 0: nobody asks the guest */
	enum stats_way way;
	bool has_pulse; /* the driver says something again and again, asked or not, */
	uint64_t pulse; /* and this changes each time: a sign of life */
};

/* The cost of the guest to this machine: see guest_cost(). */
struct guest_cost {
	uint64_t resident; /* bytes of QEMU's memory that are in RAM (Pss) */
	uint64_t cpu_ms;   /* processor time of QEMU */
};

/*
 * Connects to a guest, which is the caller's by guest_close(). `name` is the path of a
 * QMP socket (it has a slash), a libvirt URI with the domain after a #
 * ("libvirt:///session#name", "qemu+ssh://host/system#name"), or a short name of a
 * socket in the folder that tools/run.sh uses; NULL: the only one there. `deadline` is
 * that of guest_set_deadline(), and holds for the connection, too. On failure *out is
 * left alone, and *error is a sentence, the caller's by free(), or NULL if there was no
 * memory for one. -EINVAL: no name of a guest; -ENOTSUP: built without libvirt; -ENOMEM;
 * -EPERM, -ENOENT, -ENOTCONN, -ETIMEDOUT, -EBUSY, -EPROTO and what else the connection
 * says.
 */
int guest_open(const char *name, int64_t deadline, struct guest **out, char **error);

/*
 * Tells whether a name can be that of a guest, whether there is one or not. -EINVAL: it
 * cannot; *error is a sentence as that of guest_open(), or NULL.
 */
int guest_check_name(const char *name, char **error);

/*
 * Lists the short names of the sockets in the folder that tools/run.sh uses,
 * sorted; the array and each name are the caller's by free(). Sockets that nobody
 * serves any more are among them; without such a folder there are none. On failure *names
 * has those that were found, and *error is a sentence as that of guest_open(). -EPERM: the
 * folder is not ours alone; -ENOMEM; or what opendir(3) says.
 */
int guest_list(char ***names, size_t *count, char **error);

/* Closes and frees; NULL is allowed. */
void guest_close(struct guest *guest);

/* Sets the deadline by which all that is asked from now on has to be answered. */
void guest_set_deadline(struct guest *guest, int64_t deadline);

/* Gives the name by which the guest was opened. Escape it before a terminal sees it. */
const char *guest_name(const struct guest *guest);

/* Gives the sentence of the last error, alive until the next one. */
const char *guest_error(const struct guest *guest);

/*
 * Tells whether others can reach the guest while this connection is kept, as
 * they can with libvirt; a QMP socket serves one client at a time.
 */
bool guest_may_be_kept(const struct guest *guest);

/*
 * Reads the memory, the target, the features and whether the guest runs. A part
 * that cannot be known is no error: its has_ member is false. -ENODEV, -ENOTCONN,
 * -ETIMEDOUT, -EPROTO.
 */
int guest_state(struct guest *guest, struct guest_state *state);

/*
 * Reads what guest_state() does, of a machine that may have no balloon: then it lacks_balloon,
 * all of its RAM is left, and it has no target and no features. -ENOTCONN, -ETIMEDOUT,
 * -EPROTO.
 */
int guest_memory(struct guest *guest, struct guest_state *state);

/*
 * Reads what guest_memory() does, of a machine that has something to be seen or changed: a
 * balloon, DIMMs or virtio-mem devices. -ENODEV: it has none of them; -ENOTCONN, -ETIMEDOUT,
 * -EPROTO.
 */
int guest_look(struct guest *guest, struct guest_state *state);

/* Finds a virtio-mem device by its name; NULL: there is none. */
const struct guest_mem_device *guest_find_device(const struct guest_state *state, const char *name);

/*
 * Sends a target for the balloon; does not wait for the guest. bytes_left is of base and DIMMs,
 * which is all that the balloon counts: less by what is grown than the guest is to have.
 * -ERANGE: more than base and DIMMs, or 0, or not what the manager can count; -ENODEV,
 * -ENOTCONN, -ETIMEDOUT, -EPROTO.
 */
int guest_set_target(struct guest *guest, uint64_t bytes_left);

/*
 * Requests that a virtio-mem device, by its name in guest_state(), has so many bytes
 * plugged; does not wait for the guest. -ENODEV: no device of that name; -ERANGE: no multiple of
 * its block, or more than its region; -ENOTSUP: this libvirt cannot; -EREMOTEIO: QEMU
 * refuses; -ENOTCONN, -ETIMEDOUT, -EPROTO.
 */
int guest_request(struct guest *guest, const char *device, uint64_t bytes);

/*
 * Finds out whether a driver of the guest runs a virtio-mem device. -ENOTSUP: that cannot be
 * known; -ENODEV: no device of that name; -ENOTCONN, -ETIMEDOUT, -EPROTO.
 */
int guest_find_driver(struct guest *guest, const char *device, bool *driver_ok);

/*
 * Finds out, for each device in *state, which was just read, whether a driver of the guest runs
 * it, as far as that can be known. -ENOTCONN, -ETIMEDOUT, -EPROTO.
 */
int guest_find_drivers(struct guest *guest, struct guest_state *state);

/*
 * Finds out whether QEMU migrates the guest now, or writes it to a file: meanwhile it lets no
 * virtio-mem device plug or unplug. -ENOTSUP: that cannot be known; -ENOTCONN, -ETIMEDOUT,
 * -EPROTO.
 */
int guest_find_migration(struct guest *guest, bool *migrates);

/*
 * Reads the newest statistics; `ever` is false if there are none yet. -ENODEV,
 * -ENOTCONN, -ETIMEDOUT, -EPROTO.
 */
int guest_stats(struct guest *guest, struct guest_stats *stats);

/*
 * Has the guest asked for statistics every so many seconds; 0: no more. -ENODEV,
 * -ENOTCONN, -ETIMEDOUT, -EREMOTEIO: QEMU refuses; -ENOTSUP: STATS_UNASKED or STATS_NEVER.
 */
int guest_set_interval(struct guest *guest, unsigned seconds);

/*
 * Reads what the guest costs this machine. -ENOTSUP: that cannot be seen; -ENOTCONN;
 * *cost is not to be used then.
 */
int guest_cost(struct guest *guest, struct guest_cost *cost);

#define GUEST_PEEK_MAX 262144u

/*
 * Copies at most GUEST_PEEK_MAX bytes of the guest's memory from a physical address on;
 * where there is none the bytes are anything. -EREMOTEIO: its manager refuses; -ENOTSUP: it
 * cannot hand memory over to this program; -EPROTO, -ENOTCONN, -ETIMEDOUT, -ENOMEM.
 */
int guest_peek(struct guest *guest, uint64_t paddr, void *to, size_t size);

/*
 * Makes the guest stand still; *ran says whether it ran before. -ENOTCONN, -ETIMEDOUT,
 * -EREMOTEIO.
 */
int guest_halt(struct guest *guest, bool *ran);

/*
 * Lets it run on, if it has not ended meanwhile. -ENOTCONN, -ETIMEDOUT, -EREMOTEIO: its
 * manager refuses.
 */
int guest_resume(struct guest *guest);

/*
 * Stores how many bytes of the RAM that QEMU has given to the machine the guest does not use,
 * a DIMM that it ignores for example: less what its statistics and its balloon account for.
 * false: that is not known, as its statistics, or how they count, are not, or do not fit, or can be
 * older than the RAM is: there is a virtio-mem device, the guest is not asked for them or has
 * not answered the last time, or the balloon gives back.
 */
bool guest_unused(const struct guest_state *state, const struct guest_stats *stats,
		  uint64_t *bytes);

/* Gives a name as "DEFLATE_ON_OOM"; NULL for a bit that has none. */
const char *guest_feature_name(unsigned bit);

#endif
