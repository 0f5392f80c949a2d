/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fake_qemu.c: a QEMU of a hundred lines for the tests of balloonctl, in a
 * process of its own: it speaks QMP on a socket, has a balloon whose guest
 * does what the test wrote down, and says for any command what the test wants.
 */
#ifndef TESTS_UNIT_TOOLS_BALLOONCTL_FAKE_QEMU_H
#define TESTS_UNIT_TOOLS_BALLOONCTL_FAKE_QEMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define MIB (1024ll * 1024)
#define FAKE_RAM (1024 * MIB)

/* How it can be without an answer; in each case it would be so for ever. */
enum fake_lie {
	FAKE_ANSWERS,
	FAKE_SAYS_NOTHING,
	FAKE_SAYS_HALF, /* of an answer */
	FAKE_DRIBBLES,	/* a byte now and then, of an answer that has no end */
	FAKE_CHATTERS,	/* events, as fast as it can */
	FAKE_BREATHES,	/* empty lines, as fast as it can */
};

/* Instead of what it would say by itself; the first that fits and is not used up. */
struct fake_answer {
	const char *asks;   /* part of the request; NULL ends the list */
	unsigned times;	    /* 0: always */
	const char *value;  /* JSON after "return": */
	const char *error;  /* or an error of this class */
	const char *before; /* lines sent before it */
	bool hang_up;	    /* instead of an answer, in mid-line */
	enum fake_lie lie;  /* instead of an answer */
	int signal;	    /* sent to the client before it */
};

#define FAKE_MEMS 20

/*
 * A virtio-mem device. Its guest does what is requested, at once or `step` bytes with each
 * question for the devices; never more than `most`, nor less than `least`.
 */
struct fake_mem {
	const char *id; /* NULL: none */
	uint64_t block, region, requested, plugged;
	uint64_t step, least, most; /* 0: without a step, or a most */
	bool no_driver;
};

struct fake_qemu {
	/* What the guest has left, one for each question after a target was set;
	 * the last one stays. NULL: it is at the target at once. */
	const int64_t *lefts;
	size_t nr_lefts;
	int64_t left_before;	/* until then; 0: all of its RAM */
	unsigned version;	/* its first number, as the greeting has it; 0: it has none */
	enum fake_lie greeting; /* instead of the greeting */
	bool deaf;		/* accepts nobody, and its backlog is full */
	bool no_device, no_driver, paused;
	bool lives;	/* its driver sends statistics when it is asked for them */
	bool panicked;	/* and QEMU has stopped it for that */
	bool old;	/* has no x-query-virtio-status */
	bool unmapped;	/* the guest has not mapped the device's registers */
	bool legacy;	/* the device has registers in ports only */
	bool plain;	/* the device is on a virtio-mmio bus */
	bool elsewhere; /* in a container: numbers of processes mean others to it */
	/*
	 * Its memory is given away while it stands still, and so late. What is in it: what
	 * peek() stores, in the fake's process; NULL: 0x5a.
	 */
	int peek_ms;
	void (*peek)(uint64_t paddr, uint8_t *to, size_t size);
	void (*resumed)(void);	     /* called there when it may run again */
	const struct fake_mem *mems; /* NULL: it does not even know the question */
	size_t nr_mems;		     /* FAKE_MEMS at most */
	const struct fake_answer *answers;
};

struct fake_place {
	char dir[32], path[64];
	pid_t pid;
	bool is_elsewhere; /* not where that may not be */
};

/* Starts it on a socket in a folder of its own. */
void fake_qemu_start(const struct fake_qemu *qemu, struct fake_place *place);

/* Kills it and removes the folder. */
void fake_qemu_stop(struct fake_place *place);

/* The outcome of a command of balloonctl. */
struct outcome {
	int status;
	char out[8192], err[4096];
};

/* Gives later commands so long for all answers, as -t does; 0: as long as is usual. */
void run_within(int timeout_ms);

/*
 * Runs a command in this process: `word` is its name, its arguments follow, and
 * NULL ends them. `name` is the guest's, as after -g, or NULL.
 */
struct outcome run_command(const char *name, const char *word, ...);

/* run_command() against a fake that is started for it. */
#define RUN_AGAINST(qemu, ...) \
	({ \
		struct fake_place place_; \
		struct outcome outcome_; \
		fake_qemu_start(qemu, &place_); \
		outcome_ = run_command(place_.path, __VA_ARGS__, NULL); \
		fake_qemu_stop(&place_); \
		outcome_; \
	})

/* Fails the test, showing all of it, if `words` are not in `text`. */
void assert_says(const char *text, const char *words);

#endif
