/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The balloon on VMware (drivers/balloon/port/vmware_balloon.c): the target is polled; frames are
 * locked and unlocked, a command a time, each with an answer of its own; and at any command the
 * host may say RESET, which is that it has forgotten everything: then all frames are free, and it
 * is started anew. docs/protocol.md tells which part is which function.
 *
 * A set of frames is a bit mask. -DFAULT_x plants a fault; see check.sh.
 */
#define ALL 7
#define FRAMES 3
#define FLOOR 1
#define RESETS 2 /* for the search to end; each may come at any command */

#define COUNT(m) (((m) & 1) + ((m) >> 1 & 1) + ((m) >> 2 & 1))
#define LOWEST(m) ((m) & -(m))

/* Who has each frame: the owner map. What a command is about is in-flight. */
byte free = ALL, app, balloon, batch, refused;

/* The truth: frames that the host has. Whoever touches one of those makes it forget. */
byte hosts;
bool started; /* between START and RESET */
bool told;    /* of RESET, and not started since: nothing but START may be asked then */

/* The host: what it does not take at the moment, and what it wants. */
bool refusing;
byte target;
byte resets;

/* The guest's view of it. */
byte seen;
bool knows; /* `seen` is not older than a poll */
bool paused;
bool running; /* tasks take turns: held until one sleeps */
bool host_done, app_done;

#define GIVEN COUNT(balloon)
#define SPARE (COUNT(free) > FLOOR -> COUNT(free) - FLOOR : 0)
#define WORK ((seen > GIVEN && SPARE > 0) || seen < GIVEN)

/* Each frame has one owner; what the host has nobody uses, or could. */
inline check()
{
	assert((free | app | balloon | batch | refused) == ALL);
	assert(COUNT(free) + COUNT(app) + COUNT(balloon) + COUNT(batch) + COUNT(refused) == FRAMES);
	assert(((free | app | refused) & hosts) == 0)
}

/* ---- The host: one command, as a whole ---- */

/* RESET in place of an answer. Until START any command is answered so. */
inline may_reset()
{
	if
	:: resets < RESETS ->
		resets++;
		hosts = 0;
		started = false
	:: true
	fi
}

/* LOCK or UNLOCK of what is in the batch: `moved` of it have changed sides. */
inline command()
{
	assert(!told);
	moved = 0;
	was_reset = false;
	may_reset();
	if
	:: !started -> was_reset = true; told = true
	:: else ->
		/* No frame twice, and none that is not there. */
		assert((hosts & batch) == (gives -> 0 : batch));
		if
		:: true -> moved = batch
		:: refusing -> moved = batch & ~LOWEST(batch)
		:: refusing -> moved = 0
		fi;
		hosts = (gives -> (hosts | moved) : (hosts & ~moved))
	fi
}

/* ---- The balloon's task, and the port ---- */

inline settle(set, arrive)
{
	if
	:: gives == arrive -> balloon = balloon | (set)
	:: else -> free = free | (set)
	fi;
	batch = batch & ~(set)
}

/* What it refused to take is set aside, so that it is not offered again at once. */
inline take_answer()
{
#ifdef FAULT_REFUSED_ARRIVES
	moved = batch;
#endif
	paused = (moved != batch);
	settle(moved, true);
	if
	:: gives -> refused = refused | batch; batch = 0
#ifdef FAULT_KEPT_FREED
	:: !gives -> settle(batch, true)
#else
	:: !gives -> settle(batch, false)
#endif
	fi
}

/* It has forgotten all: balloon_recover(). */
inline begin_anew()
{
	free = free | batch;
	batch = 0;
#ifndef FAULT_BALLOON_KEPT
	free = free | balloon;
	balloon = 0;
#endif
	free = free | refused;
	refused = 0;
#ifndef FAULT_NOT_STARTED
	/* START makes it forget, whether it has or not. */
	hosts = 0;
	started = true;
	told = false;
#endif
	seen = 0;
	knows = false;
	paused = false
}

inline poll()
{
	assert(!told);
	may_reset();
	if
	:: !started -> told = true; begin_anew()
	:: else ->
		/* Of another mind, it may take what it refused. */
		if
		:: target != seen -> free = free | refused; refused = 0; paused = false
		:: else
		fi;
		seen = target
	fi;
	knows = started
}

inline choose(set, want)
{
	batch = LOWEST(set);
	if
	:: want >= 2 -> batch = batch | LOWEST(set & ~batch)
	:: else
	fi;
	set = set & ~batch
}

active proctype balloon_task()
{
	bool gives, was_reset;
	byte moved, want;

	atomic { started = true; hosts = 0 }
end:
	do
	:: atomic { !running && !knows -> poll(); check() }
	:: atomic {
		!running && knows && WORK && !paused ->
		running = true;
		gives = seen > GIVEN;
		if
		:: gives ->
			want = (seen - GIVEN < SPARE -> seen - GIVEN : SPARE);
			choose(free, want)
		:: else ->
			want = GIVEN - seen;
			choose(balloon, want)
		fi;
		want = 0
	   }
#ifdef FAULT_FREED_BEFORE_UNLOCK
	   /* It is used while the command is under way. */
	   atomic {
		if
		:: !gives -> app = app | batch; check()
		:: else
		fi
	   };
#endif
	   atomic { command() };
	   atomic {
		if
		:: was_reset -> begin_anew()
		:: else -> take_answer()
		fi;
		was_reset = false; gives = false; moved = 0;
		check();
		/* Between commands both sides agree, unless the host has forgotten. */
		assert(!started || balloon == hosts);
		running = false
	   }
	od
}

/* A second has passed: the target may be another; a pause is over. */
active proctype time_passes()
{
end:
	do
#ifndef FAULT_POLLED_ONCE
	:: atomic { !running && knows && (seen != target || !started) -> knows = false }
#endif
	:: atomic {
		!running && paused ->
		paused = false;
#ifndef FAULT_SET_ASIDE_FOR_EVER
		free = free | refused;
		refused = 0
#endif
	   }
	od
}

active proctype application()
{
	do
	:: atomic {
		!running && free != 0 ->
		app = app | LOWEST(free);
		free = free & (free - 1);
		check()
	   }
	:: atomic { !running && app != 0 -> free = free | LOWEST(app); app = app & (app - 1) }
	:: atomic { app_done = true; break }
	od
}

/* ---- Whoever sets the host's wishes ---- */

active proctype host()
{
	do
	:: atomic { target = 0 }
	:: atomic { target = 1 }
	:: atomic { target = 3 }
	:: atomic { refusing = !refusing }
	:: atomic { refusing = false; host_done = true; break }
	od
}

#ifdef LIVENESS
/* With -f an execution that comes to rest would not count as one that goes on. */
active proctype rest()
{
	do
	:: atomic { true -> skip }
	od
}

/*
 * Once the host and the applications are done, and it refuses nothing any more, the target is
 * reached for good, as far as the floor lets it; and the host has the same frames.
 */
#define REACHED (batch == 0 && refused == 0 && started && balloon == hosts && \
		 (GIVEN == target || (GIVEN < target && COUNT(free) <= FLOOR)))

ltl target_reached { [] ((host_done && app_done) -> <> [] REACHED) }
#endif
