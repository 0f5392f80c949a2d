/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inflate and deflate queues (virtio 1.3, 5.5.6) as drivers/balloon/balloon.c
 * and the files beside it drive them, with a host that moves the target, a guest that
 * uses memory and takes it back, and a device that answers out of order and asks
 * for resets. docs/protocol.md tells which part is which function.
 *
 * A set of frames is a bit mask. -DFAULT_x plants a fault; see check.sh.
 */
#define FRAMES 3
#define ALL 7
#define FLOOR 1
#define REQUESTS 2 /* of a frame each; and one more for taking back */
#define TAKE_BACK 2
#ifndef RESETS
#define RESETS 1   /* that the device asks for at most */
#endif
#define RETRIES 1  /* of a device that was given up */

#define COUNT(m) (((m) & 1) + ((m) >> 1 & 1) + ((m) >> 2 & 1))
#define LOWEST(m) ((m) & -(m))

#define OURS 0
#define INFLATE 1
#define DEFLATE 2

/* Who has each frame: the owner map. What is in requests is in-flight. */
byte free = ALL, app, balloon;
byte queue[REQUESTS + 1];  /* as struct request's: OURS, or where it is sent */
byte frames[REQUESTS + 1];
bool used[REQUESTS + 1];   /* the device has put it into the used ring */

byte lent; /* the truth: frames whose content the device may discard */

/* Between host, device and driver. */
byte target;
bool config_changed, needs_reset, reset_asked;

/* The driver. Tasks take turns: `running` is held until one sleeps. */
bool running, again, nudged, hold_off, resetting, wrong, broken;
bool deflate_on_oom;
byte seen;   /* the target as last read */
byte actual; /* as last written */

bool unanswered; /* the device was waited for in vain */
bool chased;     /* inflated after memory was short, at the same time */
bool host_done, app_done, device_well, person_done;

#define INFLATING ((queue[0] == INFLATE -> frames[0] : 0) | (queue[1] == INFLATE -> frames[1] : 0))
#define IN_FLIGHT ((queue[0] -> frames[0] : 0) | (queue[1] -> frames[1] : 0) | \
		   (queue[2] -> frames[2] : 0))
#define BUSY ((queue[0] -> 1 : 0) + (queue[1] -> 1 : 0) + (queue[2] -> 1 : 0))
#define GIVEN (COUNT(balloon) + COUNT(INFLATING))
#define SPARE (COUNT(free) > FLOOR -> COUNT(free) - FLOOR : 0)
#define ANSWERED (used[0] || used[1] || used[2])
/* The task's own look at the clock: RETRY_NS, the end of the hold-off. */
#define DUE (!hold_off && seen > GIVEN && SPARE > 0 && BUSY < REQUESTS)

/* Each frame has one owner, and what the guest uses is not the device's. */
inline check()
{
	assert((free | app | balloon | IN_FLIGHT) == ALL);
	assert(COUNT(free) + COUNT(app) + COUNT(balloon) + COUNT(IN_FLIGHT) == FRAMES);
	assert((app & lent) == 0)
}

inline finish(i)
{
	if
	:: queue[i] == INFLATE -> balloon = balloon | frames[i]
	:: queue[i] == DEFLATE -> free = free | frames[i]
	fi;
	queue[i] = OURS;
	used[i] = false;
	frames[i] = 0
}

inline take_finished()
{
	if :: used[0] -> finish(0) :: else fi;
	if :: used[1] -> finish(1) :: else fi;
	if :: used[2] -> finish(2) :: else fi
}

/* The lowest frame of `set` goes into request `i`. */
inline fill(i, set)
{
	frames[i] = LOWEST(set);
	set = set & ~frames[i]
}

inline send_inflate(i)
{
	fill(i, free);
	queue[i] = INFLATE;
	lent = lent | frames[i];
	chased = hold_off
}

inline send_deflate(i)
{
	fill(i, balloon);
	queue[i] = DEFLATE;
	/* 5.5.6.1: below the target only with the bit. */
	assert(deflate_on_oom || GIVEN >= seen);
#ifdef FAULT_REUSED_BEFORE_ACK
	free = free | frames[i];
	frames[i] = 0
#endif
}

/* What a device has at its reset returns to the side that it came from. */
inline stop_request(i)
{
	if
	:: queue[i] == INFLATE -> free = free | frames[i]
	:: queue[i] == DEFLATE ->
#ifdef FAULT_DEFLATING_FREED
		free = free | frames[i]
#else
		balloon = balloon | frames[i]
#endif
	:: else
	fi;
	queue[i] = OURS;
	used[i] = false;
	frames[i] = 0
}

inline stop_queues()
{
#ifdef FAULT_FORGOTTEN_ON_RESET
	queue[0] = OURS; queue[1] = OURS; queue[2] = OURS;
	used[0] = false; used[1] = false; used[2] = false;
#else
	stop_request(0);
	stop_request(1);
	stop_request(2);
#endif
	check()
}

/* ---- The guest: the balloon's task, and one that wants memory ---- */

inline inflate()
{
	want = (seen - GIVEN < SPARE -> seen - GIVEN : SPARE);
#ifndef FAULT_NO_HOLD_OFF
	if :: hold_off -> want = 0 :: else fi;
#endif
	do
	:: want > 0 && BUSY < REQUESTS ->
		if
		:: queue[0] == OURS -> i = 0
		:: else -> i = 1
		fi;
		send_inflate(i);
		want--;
		offered = true
	:: else -> break
	od
}

inline deflate()
{
	want = GIVEN - seen;
	do
	:: want > 0 && balloon != 0 && BUSY < REQUESTS ->
		if
		:: queue[0] == OURS -> i = 0
		:: else -> i = 1
		fi;
		send_deflate(i);
		want--;
		offered = true
	:: else -> break
	od
}

/* The wait may sleep: meanwhile others run. */
inline reset_device()
{
	atomic { resetting = true; reset_asked = true; running = false }
#ifdef FAULT_RESET_NOT_WAITED_FOR
	atomic { !running -> running = true }
#else
	atomic { !reset_asked && !running -> running = true }
#endif
	atomic { stop_queues(); resetting = false }
}

active proctype balloon_task()
{
	bool changed, offered;
	byte want, i;

	if
	:: deflate_on_oom = true
	:: deflate_on_oom = false
	fi;
end:
	do
	:: atomic {
		!running && !broken &&
		(again || nudged || config_changed || ANSWERED || DUE) ->
		running = true;
		again = false;
		take_finished();
		check()
	   }
	   if
	   :: wrong ->
		/* A device is given up for what it did only. */
		assert(unanswered);
		reset_device();
		atomic { broken = true; running = false; goto end }
	   :: else
	   fi;
	   atomic { nudged = false; changed = config_changed }
	   /* An interrupt here sets it again. */
#ifdef FAULT_CLEARED_UNREAD
	   config_changed = false;
#else
	   if :: changed -> config_changed = false :: else fi;
#endif
	   seen = target;
#ifdef FAULT_CLEARED_LATE
	   config_changed = false;
#endif
	   if
	   :: changed && needs_reset ->
		reset_device();
		atomic { actual = COUNT(balloon); again = true; running = false }
	   :: else ->
		atomic {
			offered = false;
			if
			:: GIVEN > seen -> deflate()
			:: else -> inflate()
			fi;
			if
			:: !offered && !BUSY -> actual = COUNT(balloon)
			:: else
			fi;
			again = offered && BUSY < REQUESTS;
			want = 0; i = 0; changed = false; offered = false;
			check();
			running = false
		}
	   fi
	od
}

/* balloon_reclaim(), order 0: one frame, waited for by polling. */
inline reclaim()
{
	if
	:: broken || wrong -> running = false
#ifndef FAULT_BELOW_WITHOUT_BIT
	:: else -> if :: !deflate_on_oom -> running = false :: else
#else
	:: else -> if :: false :: else
#endif
	   -> if
	      /* Not now: the queues are not there. */
	      :: resetting ->
#ifdef FAULT_RESET_TAKEN_FOR_SILENCE
		wrong = true;
#endif
		nudged = true;
		running = false
	      :: else -> if
		:: balloon == 0 -> nudged = true; running = false
		:: else ->
			/* Short, inflated, short again, and no time went by. */
			assert(!chased);
			send_deflate(TAKE_BACK);
			do
			:: queue[TAKE_BACK] == OURS ->
				hold_off = true;
				nudged = true;
				running = false;
				break
			:: queue[TAKE_BACK] && ANSWERED -> take_finished()
			:: queue[TAKE_BACK] && !ANSWERED && needs_reset ->
				unanswered = true;
				wrong = true;
				nudged = true;
				running = false;
				break
			od
		fi
	      fi
	   fi
	fi
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
	:: atomic { !running && free == 0 -> running = true; reclaim(); check() }
	:: atomic { app != 0 && !running -> free = free | LOWEST(app); app = app & (app - 1) }
	:: atomic { !running -> app_done = true; break }
	od
}

/* `balloon retry`: what the device has in the balloon it is still asked back for. */
inline retry()
{
	reset_device();
	atomic {
#ifdef FAULT_FREED_AT_RETRY
		free = free | balloon;
		balloon = 0;
#endif
#ifndef FAULT_WRONG_AFTER_RETRY
		wrong = false;
#endif
		unanswered = false;
		broken = false;
		actual = COUNT(balloon);
		again = true;
		running = false
	}
}

active proctype person()
{
	byte retries;

	do
	:: atomic { broken && !running && retries < RETRIES -> running = true; retries++ }
	   retry()
	:: person_done = true; break
	od
}

/* ---- The other side ---- */

inline answer(i)
{
	used[i] = true;
	if
	:: queue[i] == DEFLATE -> lent = lent & ~frames[i]
	:: else
	fi
}

active proctype device()
{
	byte resets;

end:
	do
	:: atomic { queue[0] && !used[0] && !needs_reset -> answer(0) }
	:: atomic { queue[1] && !used[1] && !needs_reset -> answer(1) }
	:: atomic { queue[2] && !used[2] && !needs_reset -> answer(2) }
	/* It forgets the queues; what never arrived in the balloon is not its. */
	:: atomic {
		reset_asked ->
		lent = lent & ~INFLATING;
		needs_reset = false;
		reset_asked = false
	   }
	:: atomic {
		resets < RESETS && !device_well && !resetting && !broken && !needs_reset ->
		resets++;
		needs_reset = true;
		config_changed = true
	   }
	:: atomic { !device_well -> device_well = true; resets = RESETS }
	od
}

active proctype host()
{
	do
	:: atomic { target = 0; config_changed = true }
	:: atomic { target = 2; config_changed = true }
	:: host_done = true; break
	od
}

active proctype time_passes()
{
end:
	do
	:: atomic { hold_off -> hold_off = false; chased = false }
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
 * Once host, application, device and person are done with their surprises, the target is
 * reached for good, as far as the memory goes, and the host was told the number.
 */
#define SETTLED (host_done && app_done && device_well && person_done)
#define REACHED (!queue[0] && !queue[1] && !queue[2] && actual == COUNT(balloon) && \
		 (actual == target || (actual < target && COUNT(free) <= FLOOR)))

ltl target_reached { [] (SETTLED -> <> [] (broken || REACHED)) }
#endif
