/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The balloon on Xen (drivers/balloon/port/xen_balloon.c): the toolstack moves the target at any
 * moment, in mid-call too; Xen answers in the call, with a count that is short wherever it likes,
 * and an extent that it refuses may have lost a frame. docs/protocol.md tells which part is which
 * function; how the target is found in the store is in xenstore.pml.
 *
 * A set of frames is a bit mask. -DFAULT_x plants a fault; see check.sh.
 */
#define ALL 31 /* two blocks of two frames, and one that is in none */
#define FRAMES 5
#define BLOCKS 15
#define FLOOR 1
#define TRIES 2 /* FAULT_GIVES_UP */

#define COUNT(m) (((m) & 1) + ((m) >> 1 & 1) + ((m) >> 2 & 1) + ((m) >> 3 & 1) + ((m) >> 4 & 1))
#define LOWEST(m) ((m) & -(m))
/* The whole blocks in a set, and the lowest of them. */
#ifdef FAULT_BLOCK_NOT_WHOLE
#define WHOLE(m) (((m) & 3 -> 3 : 0) | ((m) & 12 -> 12 : 0))
#else
#define WHOLE(m) ((((m) & 3) == 3 -> 3 : 0) | (((m) & 12) == 12 -> 12 : 0))
#endif
#define BLOCK_OF(m) ((m) & 3 -> 3 : 12)

/* Who has each frame: the owner map. What is in a call is in-flight. */
byte free = ALL, app, balloon, batch;

byte xens; /* the truth: frames that Xen has */

/* Xen, and what it has no memory for at the moment. */
bool refusing, no_blocks;

/* The target: what the followed node says. */
byte target;
bool woken;

/* The balloon's task. Tasks take turns: `running` is held until one sleeps. */
bool running, paused;
byte seen, tries;
bool host_done, app_done;

#define GIVEN COUNT(balloon)
#define SPARE (COUNT(free) > FLOOR -> COUNT(free) - FLOOR : 0)
#define WORK ((seen > GIVEN && SPARE > 0) || seen < GIVEN)
#ifdef FAULT_NO_PAUSE
#define MAY_ASK true
#else
#ifdef FAULT_GIVES_UP
#define MAY_ASK (!paused && tries < TRIES)
#else
#define MAY_ASK (!paused)
#endif
#endif

/* Each frame has one owner; what Xen has nobody uses, or could. */
inline check()
{
	assert((free | app | balloon | batch) == ALL);
	assert(COUNT(free) + COUNT(app) + COUNT(balloon) + COUNT(batch) == FRAMES);
	assert(((free | app) & xens) == 0)
}

/* ---- The balloon's task, and the port ---- */

/* What a call is about: whole blocks first, and only where as many are wanted. */
inline choose(set, want)
{
	blocks = false;
	if
	:: want >= 4 && WHOLE(set) == BLOCKS -> batch = BLOCKS; blocks = true
	:: want >= 2 && want < 4 && WHOLE(set) -> batch = BLOCK_OF(WHOLE(set)); blocks = true
	:: want >= 4 && WHOLE(set) && WHOLE(set) != BLOCKS ->
		batch = BLOCK_OF(WHOLE(set));
		blocks = true
	:: else ->
		batch = LOWEST(set);
		if
		:: want >= 2 -> batch = batch | LOWEST(set & ~batch)
		:: else
		fi
	fi;
	set = set & ~batch
}

/*
 * A hypercall about the extents of `list`: Xen does them in their order, and ends where it likes.
 * `done`: as many of them, from the first on, as it counts; `extent`: the one after them.
 */
inline call(list)
{
	done = 0;
	extent = 0;
	do
	:: atomic { list == 0 -> extent = 0; break }
	:: atomic {
		list != 0 ->
		extent = (blocks -> BLOCK_OF(list) : LOWEST(list));
		/* Ours, in a call, and where it should be. */
		assert((batch & extent) == extent);
		assert((xens & extent) == (gives -> 0 : extent));
		if
		:: !(blocks && no_blocks) ->
			xens = (gives -> (xens | extent) : (xens & ~extent));
			done = done | extent;
			list = list & ~extent
		:: refusing || (blocks && no_blocks) ->
			/* Given frame by frame, any first; populated as a whole, or not at all. */
			if
			:: gives && blocks -> xens = xens | LOWEST(extent)
			:: gives && blocks -> xens = xens | (extent & ~LOWEST(extent))
			:: true
			fi;
			break
		fi
	   }
	od
}

inline settle(set, arrive)
{
	if
	:: gives == arrive -> balloon = balloon | (set)
	:: else -> free = free | (set)
	fi;
	batch = batch & ~(set)
}

/* The frames of a call that Xen counts as done arrive. */
inline take_answer()
{
#ifdef FAULT_COUNT_IGNORED
	done = batch;
	extent = 0;
#endif
	progress = progress || done;
	settle(done, true)
}

/* Of an extent that was refused some frames may be gone. */
inline look_at_refused()
{
	if
#ifndef FAULT_PARTIAL_FREED
	:: gives && (extent & batch & xens) ->
		progress = true;
		settle(extent & batch & xens, true)
#endif
	:: else
	fi
}

/* inflate(), deflate(): by blocks; one that is refused by frames. */
inline obey()
{
	progress = false;
	do
	:: batch == 0 -> break
	:: else ->
		list = batch;
		call(list);
		atomic {
			take_answer();
			list = 0;
			if
			:: extent != 0 && blocks -> look_at_refused(); list = extent & batch
			:: else
			fi
		}
#ifdef FAULT_NO_FALLBACK
		break
#endif
		if
		:: list == 0 -> if :: extent != 0 && !blocks -> break :: else fi
		:: else ->
			blocks = false;
			call(list);
			atomic { take_answer(); blocks = true; list = 0 }
			if :: extent != 0 -> break :: else fi
		fi
	od;
	list = 0
}

/* The rest goes back, and is asked for after a pause if nothing arrived. */
inline finish()
{
#ifdef FAULT_TAIL_FORGOTTEN
	batch = 0;
#else
	settle(batch, false);
#endif
	paused = !progress;
#ifdef FAULT_GIVES_UP
	tries = (progress || tries == TRIES -> tries : tries + 1);
#endif
	progress = false; gives = false; blocks = false; done = 0; extent = 0;
	check();
	/* Between calls both sides agree, to the frame. */
	assert(balloon == xens);
	running = false
}

active proctype balloon_task()
{
	bool gives, blocks, progress;
	byte list, done, extent, want;

end:
	do
	:: atomic {
		!running && (woken || (WORK && MAY_ASK)) ->
		running = true;
		/* Another target is another question. */
		if :: target != seen -> paused = false; tries = 0 :: else fi;
		woken = false;
		seen = target;
		if
		:: WORK && MAY_ASK ->
			assert(!paused);
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
		:: else -> running = false
		fi
	   }
	   if
	   :: running && batch -> obey(); atomic { finish() }
	   :: else
	   fi
	od
}

active proctype time_passes()
{
end:
	do
	:: atomic { paused -> paused = false }
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

/* ---- The other side ---- */

/* The store's task, which xenstore.pml is about, has found another one. */
inline set_target(to)
{
	target = to;
	woken = true
}

active proctype toolstack()
{
	do
	:: atomic { set_target(1) }
	:: atomic { set_target(4) }
	:: atomic { refusing = !refusing }
	:: atomic { no_blocks = !no_blocks }
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
 * Once the toolstack and the applications are done and Xen refuses no frame any more, though
 * perhaps blocks, the target is reached for good, as far as the floor lets it.
 */
#define REACHED (batch == 0 && (GIVEN == target || (GIVEN < target && COUNT(free) <= FLOOR)))

ltl target_reached { [] ((host_done && app_done) -> <> [] REACHED) }
#endif
