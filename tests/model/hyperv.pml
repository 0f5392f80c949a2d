/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The balloon on Hyper-V (drivers/balloon/port/hyperv_balloon*.c): requests come through one ring,
 * answers go through another, and the guest sleeps until it is signalled. A frame is the host's as
 * soon as its answer is written, and comes back by UNBALLOON alone: the channel may be withdrawn
 * at any moment, with all that is in its rings, and that makes no frame ours. docs/protocol.md
 * tells which part is which function.
 *
 * A set of frames is a bit mask. -DFAULT_x plants a fault; see check.sh.
 */
#define ALL 7
#define FRAMES 3
#define FLOOR 1
#define REQUESTS 4  /* for the search to end; so many at most, and */
#define WITHDRAWN 1 /* so many ends of the channel */

#define COUNT(m) (((m) & 1) + ((m) >> 1 & 1) + ((m) >> 2 & 1))
#define LOWEST(m) ((m) & -(m))

#define NONE 0
#define BALLOON 1
#define UNBALLOON 2

/* Who has each frame: the owner map. No step ends with one in-flight. */
byte free = ALL, app, balloon;

/* The truth: frames that were handed out, and not given back since. */
byte hosts;

/* The channel. Each ring has room for one message. */
bool offered = true;
chan in = [1] of { byte, byte };       /* BALLOON and how many, or UNBALLOON and which */
chan out = [1] of { byte, byte, bool }; /* the answer to which, frames, whether more come */
bool masked = true; /* no signal is wanted about `in` */
bool pending;	    /* there was no room in `out`, and there should be */
bool signal;

/* The host: what it knows to have, what it has asked, and how much of a BALLOON is to come. */
byte known, to_come;
chan questions = [2] of { byte };
byte requests, withdrawn;
bool lied;

/* The guest: the request under way, what is left of it, and the answer that is owed. */
byte current, asked, coming, owed;
bool broken; /* it has caught the host lying, and has nothing to do with it any more */

#define SPARE (COUNT(free) > FLOOR -> COUNT(free) - FLOOR : 0)

/* Each frame has one owner; what the host has nobody uses, or could. */
inline check()
{
	assert((free | app | balloon) == ALL);
	assert(COUNT(free) + COUNT(app) + COUNT(balloon) == FRAMES);
	assert(((free | app) & hosts) == 0)
}

/* ---- The host ---- */

/* The guest's mask is read after the request is written. */
inline ask(kind, what)
{
	atomic { requests++; questions!kind; in!kind, what };
	atomic {
		if
		:: !masked -> signal = true
		:: else
		fi
	}
}

inline take_answer()
{
	atomic {
		out?kind, set, more;
		questions?<head>;
		assert(kind == head);
		assert((set & known) == 0 || lied);
		if
		:: kind == BALLOON ->
			assert(COUNT(set) <= to_come);
			known = known | set;
			to_come = to_come - COUNT(set);
			/* One that cannot be served in full ends with an answer without frames. */
			assert(more == (set != 0 && to_come > 0))
		:: else -> assert(set == 0 && !more)
		fi;
		if
		:: !more ->
			questions?head;
			to_come = (kind == BALLOON -> 0 : to_come)
		:: else
		fi;
		kind = NONE; set = 0; more = false; head = NONE
	};
	atomic {
		if
		:: pending -> signal = true
		:: else
		fi
	}
}

#define MAY_ASK (offered && requests < REQUESTS && len(in) == 0 && len(questions) < 2)

active proctype host()
{
	byte kind, head, set;
	bool more;

	do
	:: atomic { MAY_ASK && to_come == 0 -> to_come = 1 }; ask(BALLOON, 1)
	:: atomic { MAY_ASK && to_come == 0 -> to_come = 3 }; ask(BALLOON, 3)
	:: atomic {
		MAY_ASK && known != 0 ->
		set = LOWEST(known);
		/* The guest may use it as soon as it reads so. */
		known = known & ~set;
		hosts = hosts & ~set
	   };
	   ask(UNBALLOON, set);
	   set = 0
	:: atomic { MAY_ASK && app != 0 && !lied -> lied = true; set = LOWEST(app) };
	   ask(UNBALLOON, set);
	   set = 0
	:: offered && len(out) > 0 -> take_answer()
	:: atomic {
		offered && withdrawn < WITHDRAWN -> withdrawn++; offered = false; signal = true
	   };
	   offered
	:: requests == REQUESTS && len(questions) == 0 -> break
	:: broken -> break
	od
}

/* ---- The balloon's task, and the port ---- */

/* The rings go, and what was to be done with them; the frames stay where they are. */
inline let_go()
{
	do
	:: len(in) > 0 -> in?kind, set
	:: len(out) > 0 -> out?kind, set, more
	:: len(questions) > 0 -> questions?kind
	:: len(in) == 0 && len(out) == 0 && len(questions) == 0 -> break
	od;
	kind = NONE; set = 0; more = false;
#ifdef FAULT_FREED_WITH_THE_CHANNEL
	free = free | balloon;
	balloon = 0;
#endif
	current = NONE; asked = 0; coming = 0; owed = NONE;
	masked = true; pending = false; signal = false;
	/* It is offered anew. */
	to_come = 0;
	offered = true
}

/* There is no room: the host is told that it is waited for. */
inline wait_for_room()
{
#ifndef FAULT_ROOM_NOT_ASKED_FOR
	pending = true
#else
	skip
#endif
}

/* The last answer to a request. */
inline end_request(kind_of)
{
	current = NONE;
	asked = 0;
	if
	:: len(out) == 0 -> out!kind_of, 0, false; owed = NONE; pending = false
	:: len(out) > 0 -> owed = kind_of; wait_for_room()
	fi
}

/* A batch of one frame, or two. */
inline give()
{
	set = LOWEST(free);
	if
	:: asked > 1 && SPARE > 1 -> set = set | LOWEST(free & ~set)
	:: true
	fi;
	if
	:: len(out) == 0 ->
		out!BALLOON, set, (asked > COUNT(set));
		pending = false;
		hosts = hosts | set
	:: len(out) > 0 ->
		wait_for_room();
#ifndef FAULT_GIVEN_WITHOUT_ROOM
		set = 0
#endif
	fi;
	balloon = balloon | set;
	free = free & ~set;
	asked = asked - COUNT(set);
	set = 0;
	if
	:: asked == 0 -> current = NONE
	:: else
	fi
}

/* What was never given is not taken back, whatever the host says. */
inline take_back()
{
	if
#ifndef FAULT_TAKEN_BACK_UNSEEN
	:: (coming & ~balloon) != 0 -> broken = true
	:: else ->
#else
	:: true ->
#endif
		/* A lie may have become true meanwhile. */
		hosts = hosts & ~coming;
		balloon = balloon & ~coming;
		free = free | coming;
		coming = 0;
		end_request(UNBALLOON)
	fi
}

inline next_request()
{
	in?kind, set;
	current = kind;
	if
	:: kind == BALLOON -> asked = set
	:: else -> coming = set
	fi;
	kind = NONE; set = 0
}

#define IS_ROOM (!pending || len(out) == 0)
#ifdef FAULT_OWED_OVERWRITTEN
#define MAY_GO_ON (IS_ROOM || current != BALLOON)
#else
#define MAY_GO_ON (IS_ROOM && owed == NONE)
#endif

/* hyperv_requests_have_news(), and what a round finds to do at once. */
#define IS_WORK \
	(!offered || (!broken && ((owed != NONE && len(out) == 0) || \
				  (MAY_GO_ON && (current != NONE || len(in) > 0)))))

active proctype balloon_task()
{
	byte kind, set;
	bool more;

	do
	:: atomic { !offered -> let_go(); check() }
	:: atomic { offered && !broken && owed != NONE && len(out) == 0 -> end_request(owed); check() }
	:: atomic {
		offered && !broken && MAY_GO_ON && current == BALLOON ->
		if
		:: SPARE > 0 -> give()
		:: SPARE == 0 && pending -> end_request(BALLOON)
		:: SPARE == 0 && !pending -> end_request(BALLOON)
		fi;
		check()
	   }
	:: atomic { offered && !broken && MAY_GO_ON && current == UNBALLOON -> take_back(); check() }
	:: atomic { offered && !broken && MAY_GO_ON && current == NONE && len(in) > 0 -> next_request(); check() }
	:: atomic {
		!IS_WORK ->
#ifndef FAULT_UNMASKED_LATE
		masked = false
#endif
	   };
	   /* With interrupts off: what was signalled before is looked at, what comes later wakes. */
	   if
	   :: atomic { IS_WORK -> masked = true }
	   :: atomic { !IS_WORK -> signal = false };
#ifdef FAULT_UNMASKED_LATE
	      masked = false;
#endif
end:	      atomic { signal -> masked = true }
	   fi
	od
}

active proctype application()
{
	do
	:: atomic { free != 0 -> app = app | LOWEST(free); free = free & (free - 1); check() }
	:: atomic { app != 0 -> free = free | LOWEST(app); app = app & (app - 1); check() }
	:: break
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

/* Each question is answered, as long as the host keeps the rules. */
ltl all_answered { [] (<> (len(questions) == 0 || broken)) }
#endif
