/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A block of a region comes and goes (mm/frame_region.h, virtio 1.3, 5.15) beside the balloon,
 * beside free page reporting or hinting, which borrow it, and beside a guest that uses memory.
 * What the balloon has of it is replaced first (drivers/balloon/balloon_vacate.c).
 * docs/protocol.md tells which part is which function.
 *
 * A set of frames is a bit mask. -DFAULT_x plants a fault; see check.sh.
 */
#define BOOT 7   /* three frames of the boot */
#define BLOCK 24 /* two frames: the block of a region */
#define ALL 31
#define FRAMES 5
#define FLOOR 1
#define BUSIES 1 /* times that the device would not have the block now */

#define COUNT(m) (((m) & 1) + ((m) >> 1 & 1) + ((m) >> 2 & 1) + ((m) >> 3 & 1) + ((m) >> 4 & 1))
#define LOWEST(m) ((m) & -(m))

/* Where a request of one frame is. */
#define OURS 0
#define INFLATE 1
#define DEFLATE 2

/* What the region's device is asked for, and its answer. */
#define NOTHING 0
#define PLUG 1
#define UNPLUG 2
#define ACK 1
#define BUSY 2

/* Who has each frame: the owner map. What is in requests is in-flight. */
byte free = BOOT, app, balloon, reported, unplugged, absent = BLOCK;
byte queue[2], frames[2];
bool used[2];

byte lent = BLOCK; /* the truth: frames whose content a device may discard */
bool plugged;      /* the truth: the block is there */
bool fresh;        /* the block was used since it was reported */

/* Between host, devices and drivers. */
byte target, asked, answer;
bool shrink = true; /* else the block is wanted to be there */

/* The drivers. */
byte seen;     /* the target as last read */
bool vacating; /* balloon_vacate(), and balloon_avoid() */
bool nudged, again;
bool host_done, app_done;

#define INFLATING ((queue[0] == INFLATE -> frames[0] : 0) | (queue[1] == INFLATE -> frames[1] : 0))
#define IN_FLIGHT ((queue[0] -> frames[0] : 0) | (queue[1] -> frames[1] : 0))
#define ROOM (queue[0] == OURS || queue[1] == OURS)
#define ANSWERED (used[0] || used[1])
#define GIVEN (COUNT(balloon) + COUNT(INFLATING))
#define HELD (vacating -> COUNT(balloon & BLOCK) : 0)

/* Boot memory first, but for the floor; nothing of a block that is to leave. */
#ifdef FAULT_STRETCH_INFLATED
#define SOURCE (COUNT(free & BOOT) > FLOOR -> (free & BOOT) : (free & BLOCK))
#else
#define SOURCE (COUNT(free & BOOT) > FLOOR -> (free & BOOT) : (vacating -> 0 : (free & BLOCK)))
#endif
#define SPARE (COUNT(free) > FLOOR && SOURCE != 0)
/* The task's own look at the clock: RETRY_NS. */
#define DUE (seen > GIVEN && SPARE && ROOM)

/* Each frame has one owner, and nobody has what is not there; nothing that is there is lost. */
inline check()
{
	assert((free | app | balloon | reported | unplugged | absent | IN_FLIGHT) == ALL);
	assert(COUNT(free) + COUNT(app) + COUNT(balloon) + COUNT(reported) + COUNT(unplugged) +
	       COUNT(absent) + COUNT(IN_FLIGHT) == FRAMES);
	assert((app & lent) == 0);
	assert(!plugged || !absent || asked == PLUG);
	assert(plugged || ((free | app | balloon | reported | IN_FLIGHT) & BLOCK) == 0)
}

/* ---- The balloon's task ---- */

inline finish(i)
{
	if
	:: used[i] && queue[i] == INFLATE -> balloon = balloon | frames[i]
	:: used[i] && queue[i] == DEFLATE -> free = free | frames[i]
	:: else
	fi;
	if
	:: used[i] -> queue[i] = OURS; used[i] = false; frames[i] = 0
	:: else
	fi
}

inline send(to, one)
{
	if
	:: queue[0] == OURS -> queue[0] = to; frames[0] = one
	:: else -> queue[1] = to; frames[1] = one
	fi
}

inline inflate_one()
{
	one = LOWEST(SOURCE);
	free = free & ~one;
	lent = lent | one;
	fresh = fresh || (one & BLOCK);
	send(INFLATE, one);
	assert(COUNT(free) >= FLOOR)
}

inline deflate_one(set)
{
	one = LOWEST(set);
	balloon = balloon & ~one;
	send(DEFLATE, one)
}

/* One frame a round: a batch. */
inline offer()
{
	offered = false;
	if
	/* balloon_vacate_ask_back(): others have arrived. */
#ifdef FAULT_ASKED_BACK_FIRST
	:: ROOM && HELD > 0 && GIVEN > seen ->
#else
	:: ROOM && HELD > 0 && COUNT(balloon) > seen ->
#endif
		deflate_one(balloon & BLOCK);
		/* Never below the target by ourselves. */
		assert(COUNT(balloon) >= seen);
		offered = true
	:: else -> if
		:: ROOM && HELD == 0 && GIVEN > seen && balloon != 0 ->
			deflate_one(balloon);
			assert(GIVEN >= seen);
			offered = true
		:: ROOM && GIVEN < seen + HELD && SPARE -> inflate_one(); offered = true
		:: else
		fi
	fi
}

active proctype balloon_task()
{
	bool offered;
	byte one;

end:
	do
	:: atomic {
		again || nudged || ANSWERED || seen != target || DUE ->
		finish(0);
		finish(1);
		nudged = false;
		seen = target;
		offer();
		again = offered && ROOM;
		offered = false;
		one = 0;
		check()
	   }
	od
}

/* ---- What borrows whole free blocks: reporting, hinting ---- */

active proctype lender()
{
end:
	do
	:: atomic {
		(free & BLOCK) == BLOCK && fresh ->
		free = free & ~BLOCK;
		reported = BLOCK;
		lent = lent | BLOCK;
		fresh = false
	   }
	:: atomic { reported -> lent = lent & ~BLOCK; free = free | reported; reported = 0; check() }
	od
}

/* ---- The region's driver, and mem_leave() ---- */

#ifdef FAULT_LENT_BLOCK_CLAIMED
#define LEAVES (((free | reported) & BLOCK) == BLOCK)
#else
#ifdef FAULT_IN_FLIGHT_BLOCK_CLAIMED
#define LEAVES (((free | IN_FLIGHT) & BLOCK) == BLOCK)
#else
#define LEAVES ((free & BLOCK) == BLOCK)
#endif
#endif
#ifdef FAULT_FLOOR_PASSED
#define SPARES true
#else
#define SPARES (COUNT(free & BOOT) >= FLOOR)
#endif

active proctype region_driver()
{
end:
	do
	:: atomic {
		shrink && LEAVES && SPARES && asked == NOTHING && answer == 0 ->
		free = free & ~BLOCK;
		unplugged = BLOCK;
		lent = lent | BLOCK;
		vacating = false;
		asked = UNPLUG;
		assert(COUNT(free) >= FLOOR);
		check()
	   }
	:: atomic {
		shrink && !vacating && (balloon & BLOCK) && (app & BLOCK) == 0 ->
		vacating = true;
#ifndef FAULT_NOT_WOKEN
		nudged = true
#endif
	   }
	/* Asked again, as long as it is wanted. */
	:: atomic {
		vacating && shrink && (balloon & BLOCK) && !nudged && SPARE && !IN_FLIGHT ->
#ifndef FAULT_NOT_WOKEN
		nudged = true
#else
		skip
#endif
	   }
	:: atomic { vacating && !shrink -> vacating = false; nudged = true }
	:: atomic {
		!shrink && absent && asked == NOTHING && answer == 0 ->
		asked = PLUG;
#ifdef FAULT_USED_BEFORE_PLUGGED
		absent = 0;
		free = free | BLOCK
#endif
	   }
	:: atomic {
		answer && asked == UNPLUG ->
		if
		:: answer == ACK -> absent = BLOCK
		:: else ->
#ifdef FAULT_BUSY_TAKEN_FOR_ACK
			absent = BLOCK
#else
			free = free | BLOCK;
			fresh = true
#endif
		fi;
		unplugged = 0;
		asked = NOTHING;
		answer = 0;
		check()
	   }
	:: atomic {
		answer && asked == PLUG ->
		free = free | absent;
		absent = 0;
		fresh = false;
		asked = NOTHING;
		answer = 0;
		check()
	   }
	od
}

active proctype application()
{
	do
	:: atomic {
		free != 0 ->
		if
		:: free & BOOT -> app = app | LOWEST(free)
		:: else -> app = app | LOWEST(free); fresh = true
		fi;
		free = free & ~LOWEST(free);
		check()
	   }
	:: atomic { app != 0 -> free = free | LOWEST(app); app = app & (app - 1) }
	:: atomic { app_done = true; break }
	od
}

/* ---- The other side ---- */

inline answer_queue(i)
{
	used[i] = true;
	if
	:: queue[i] == DEFLATE -> lent = lent & ~frames[i]
	:: else
	fi
}

active proctype balloon_device()
{
end:
	do
	:: atomic { queue[0] && !used[0] -> answer_queue(0) }
	:: atomic { queue[1] && !used[1] -> answer_queue(1) }
	od
}

active proctype region_device()
{
	byte busies;

end:
	do
	:: atomic {
		asked == PLUG && !answer && !plugged ->
		plugged = true;
		lent = lent & ~BLOCK;
		answer = ACK
	   }
	:: atomic {
		asked == UNPLUG && !answer ->
		if
		:: plugged = false; answer = ACK
		:: busies < BUSIES -> busies++; lent = lent & ~BLOCK; answer = BUSY
		fi;
		/* What is discarded or gone is nobody's. */
		check()
	   }
	od
}

active proctype host()
{
	do
	:: atomic { target = 0 }
	:: atomic { target = 2 }
	:: atomic { shrink = true }
	:: atomic { shrink = false }
	:: host_done = true; break
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
 * Once host and application are done, the block comes, or leaves unless the guest needs it
 * or there is no room for what the balloon has of it; and the target is reached as far as
 * the floor lets it.
 */
#define STUCK ((app & BLOCK) || COUNT(free & BOOT) <= FLOOR)
#define THERE ((shrink && (absent || STUCK)) || (!shrink && !absent && !unplugged))
#define NO_SPARE (COUNT(free) <= FLOOR || \
		  (COUNT(free & BOOT) <= FLOOR && (vacating || (free & BLOCK) == 0)))
#define REACHED (!queue[0] && !queue[1] && \
		 (COUNT(balloon) == target || (COUNT(balloon) < target && NO_SPARE)))

ltl it_settles { [] ((host_done && app_done) -> <> (THERE && REACHED)) }
#endif
